#include "common/histogram.h"

#include <stddef.h>

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

bool snapshot_histogram(const struct snapshot *snapshot, enum histogram id,
			struct histogram_seen *ret_seen)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HISTOGRAM_WORDS; i++)
		if (!snapshot->has[id + i])
			return false;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		n = plus(n, snapshot_sum(snapshot, (enum counter)(id + i)));
		ret_seen->upto[i] = n;
	}
	ret_seen->sum_us = snapshot_sum(snapshot, (enum counter)(id + HISTOGRAM_BUCKETS));
	return true;
}

uint64_t histogram_quantile_us(const struct histogram_seen *seen, unsigned per_mille)
{
	/* Rounded up: of one all shares are that one. */
	uint64_t n = histogram_count(seen), rank = n / 1000 * per_mille;

	rank += (n % 1000 * per_mille + 999) / 1000;
	if (n == 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++)
		if (seen->upto[i] >= rank && seen->upto[i] > 0)
			return histogram_bound_us(i);
	return UINT64_MAX;
}

bool counter_is_of_histogram(enum counter id)
{
	static const enum histogram all[] = {
#define COUNTER(id, KIND, unit, metric, label, help)
#define HISTOGRAM(id, metric, help) HISTOGRAM_##id,
#include "common/counters.def"
#undef COUNTER
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if ((unsigned)id >= (unsigned)all[i] &&
		    (unsigned)id < (unsigned)all[i] + HISTOGRAM_WORDS)
			return true;
	return false;
}
