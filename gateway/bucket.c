#include "gateway/bucket.h"

/* What taking n puts off the time when the bucket is full. */
static uint64_t cost_us(uint64_t n, uint64_t per_s)
{
	return per_s ? n * 1000000 / per_s : 0;
}

static uint64_t from(const struct bucket *bucket, uint64_t now_us)
{
	return bucket->full_at_us > now_us ? bucket->full_at_us : now_us;
}

uint64_t bucket_lacks_us(const struct bucket *bucket, uint64_t now_us, uint64_t n,
			 uint64_t per_s, uint64_t burst_ms)
{
	uint64_t emptied = from(bucket, now_us) - now_us, cost = cost_us(n, per_s);

	if (!emptied || emptied + cost <= 1000 * burst_ms)
		return 0;
	cost = cost < 1000 * burst_ms ? cost : 1000 * burst_ms;
	return emptied + cost - 1000 * burst_ms;
}

uint64_t bucket_take(struct bucket *bucket, uint64_t now_us, uint64_t n, uint64_t per_s,
		     uint64_t burst_ms)
{
	uint64_t lacks = bucket_lacks_us(bucket, now_us, n, per_s, burst_ms);

	if (lacks)
		return (lacks + 999) / 1000;
	bucket->full_at_us = from(bucket, now_us) + cost_us(n, per_s);
	return 0;
}
