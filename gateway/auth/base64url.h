/*
 * base64url - RFC 4648 5 as RFC 7515 has it: no padding, no blanks, and the bits that
 * stand for nothing are 0, so that each run of bytes has one text only.
 */
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that `len` characters stand for, at most. */
static inline size_t base64url_size(size_t len)
{
	return len / 4 * 3 + 2;
}

/* Returns how many bytes it wrote; -EINVAL, or -ENOSPC when `size` is too small. */
int base64url_decode(const char *text, size_t len, uint8_t *out, size_t size);

#endif
