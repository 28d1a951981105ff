/*
 * stat - verdict and counters as a table for a terminal.
 */
#ifndef STAT_H
#define STAT_H

#include <stdio.h>

#include "healthd/view.h"

/* What was last shown, for rates by difference. Begins zeroed. */
struct stat_last {
	bool known;
	uint64_t at_ns, instance[2];
	uint64_t sums[COUNTER_COUNT];
};

/* Prints all of it; rates only from the second time on, while the gateway stays the
 * same. Counters that are 0 are left out. now_ns is the monotonic clock. */
void stat_print(const struct view *view, struct stat_last *last, uint64_t now_ns,
		FILE *out);

#endif
