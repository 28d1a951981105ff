/*
 * metrics_counters - what the gateway counts, as counters.def names it.
 *
 * Gauges once per seat (0 where nobody lives), totals and histograms once, over the
 * living and the gone. Times are in seconds, whatever the words are in. What the writer
 * does not publish is left out.
 */
#ifndef METRICS_COUNTERS_H
#define METRICS_COUNTERS_H

#include "common/segment_reader.h"
#include "healthd/exposition.h"

void metrics_counters(struct exposition *e, const struct snapshot *snapshot);

#endif
