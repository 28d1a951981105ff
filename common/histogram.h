/*
 * histogram - a distribution of times, as a reader of the segment sees it.
 *
 * Over all processes, the gone ones too, like any total. Processes publish with
 * histogram_observe (segment_writer.h). Made of words that anything may be in: what is
 * added up stays at UINT64_MAX instead of beginning anew, so that it never goes down from
 * one bound to the next.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include "common/segment_reader.h"

struct histogram_seen {
	uint64_t upto[HISTOGRAM_BUCKETS]; /* how many were not more than the bound; the
					     last is how many there were */
	uint64_t sum_us;
};

static inline uint64_t histogram_count(const struct histogram_seen *seen)
{
	return seen->upto[HISTOGRAM_BUCKETS - 1];
}

/* The bound of a bucket but the last, which has none. */
static inline uint64_t histogram_bound_us(unsigned bucket)
{
	return 1ull << (HISTOGRAM_FIRST_BITS + bucket);
}

/* False: the writer does not publish it with these bounds, or not now. */
bool snapshot_histogram(const struct snapshot *snapshot, enum histogram id,
			struct histogram_seen *ret_seen);

/* The bound below which that share of all lies; UINT64_MAX beyond the last, 0 for none.
 */
uint64_t histogram_quantile_us(const struct histogram_seen *seen, unsigned per_mille);

/* Whether a counter is a word of a histogram. */
bool counter_is_of_histogram(enum counter id);

#endif
