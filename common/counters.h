/*
 * counters - numbers for the rows of counters.def.
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

/* What store_state says. */
enum store_state {
	STORE_STATE_unknown,
	STORE_STATE_up,
	STORE_STATE_down
};

#endif
