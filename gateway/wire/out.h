/*
 * out - JSON text into a buffer that may be too small.
 *
 * Nothing is written past its end, and all that follows what did not fit is left out:
 * out_end tells. Strings are valid UTF-8; quotes and escapes are added.
 */
#ifndef OUT_H
#define OUT_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/message.h"

struct out {
	char *at;
	size_t size, len; /* len > size: it did not fit */
};

struct out out_begin(char *at, size_t size);

void out_bytes(struct out *out, const char *bytes, size_t len);
void out_text(struct out *out, const char *text);
void out_number(struct out *out, uint64_t number);
void out_signed(struct out *out, int64_t number);
void out_string(struct out *out, struct text text);
void out_c_string(struct out *out, const char *text);

/* A list of strings behind `member`, which ends in its bracket. */
void out_names(struct out *out, const char *member, const struct text *names, uint32_t n);

/* What a message says besides its room, without braces. */
void out_message(struct out *out, const struct message *message);

/* Puts this text last; the length of the whole, not terminated, or -ENOSPC. */
int out_end(struct out *out, const char *text);

#endif
