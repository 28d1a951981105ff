/*
 * bucket - so much per second, and some of it at once.
 *
 * One number: when the bucket will be full again.
 */
#ifndef BUCKET_H
#define BUCKET_H

#include <stdint.h>

struct bucket {
	uint64_t full_at_us; /* the past: full */
};

/* How long until there is so much, µs; nothing is taken. */
uint64_t bucket_lacks_us(const struct bucket *bucket, uint64_t now_us, uint64_t n,
			 uint64_t per_s, uint64_t burst_ms);

/* Takes `n` of `per_s` (0: no limit) with `burst_ms` of them at once. 0: taken. Else
 * nothing is, and there will be so much after as many milliseconds. Something larger than
 * the burst is taken from a full bucket. */
uint64_t bucket_take(struct bucket *bucket, uint64_t now_us, uint64_t n, uint64_t per_s,
		     uint64_t burst_ms);

#endif
