/*
 * utf8 - judges UTF-8 (RFC 3629) as it arrives, refusing at the first byte that
 * no valid text can contain there.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_START 0 /* state between characters */
#define UTF8_BAD   255

/* Feeds bytes; returns the new state, UTF8_BAD once wrong. Text that ends in
 * another state than UTF8_START ends within a character. */
uint8_t utf8_feed(uint8_t state, const uint8_t *data, size_t len);

/* Whole text at once. */
bool utf8_valid(const void *data, size_t len);

#endif
