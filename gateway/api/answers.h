/*
 * answers - what the HTTP API says, as JSON text with a newline behind it.
 *
 * Each writes into `out` and returns the length, or -ENOSPC when `size` is too small.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stddef.h>

#include "gateway/chat/chat.h"
#include "gateway/message.h"
#include "gateway/store/store.h"

enum {
	ANSWER_SIZE = 1024 /* is enough for all but history and members */
};

int answer_error(char *out, size_t size, int status, const char *why);
int answer_sent(char *out, size_t size, struct text room, struct text id, uint64_t seq,
		int64_t at_ms);
int answer_drain(char *out, size_t size);

/* These say how much place they take at most. */
size_t answer_history_size(const struct store_page *page);
int answer_history(char *out, size_t size, struct text room,
		   const struct store_page *page);
size_t answer_members_size(const struct chat_census *census);
int answer_members(char *out, size_t size, struct text room,
		   const struct chat_census *census);

#endif
