/*
 * counters - numbers for the rows of counters.def.
 *
 * The words of a histogram follow each other: its buckets, and then its sum. Its number
 * is that of its first word.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

enum counter_kind {
	COUNTER_GAUGE,
	COUNTER_TOTAL
};

enum counter {
#define COUNTER(id, KIND, unit, metric, label, help) COUNTER_##id,
#include "common/counters.def"
#undef COUNTER
	COUNTER_COUNT
};

enum {
	HISTOGRAM_BUCKETS = 19,   /* the last without a bound */
	HISTOGRAM_FIRST_BITS = 6, /* the first bound is 2^6 microseconds */
	HISTOGRAM_WORDS = HISTOGRAM_BUCKETS + 1,
};

enum histogram {
#define COUNTER(id, KIND, unit, metric, label, help)
#define HISTOGRAM(id, metric, help) HISTOGRAM_##id = COUNTER_##id##_le_64us,
#include "common/counters.def"
#undef COUNTER
};

/* What store_state says. */
enum store_state {
	STORE_STATE_unknown,
	STORE_STATE_up,
	STORE_STATE_down
};

#endif
