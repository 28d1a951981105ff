/*
 * siphash - SipHash-2-4: a hash that nobody can aim without its key.
 */
#ifndef SIPHASH_H
#define SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* The key as two little-endian words, as in the reference. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t len);

#endif
