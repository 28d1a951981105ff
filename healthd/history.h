/*
 * history - the last hour: connections, messages, deliveries, and how all was.
 *
 * Fed with every look; keeps HISTORY_SAMPLES samples, each over the same time, and
 * forgets the oldest. A rate is the growth of a total within one life of the gateway,
 * over the time in which the growth was watched. What happened before a life was first
 * seen, while nothing could be read or while the watcher did not run is unknown, which is
 * not the same as nothing, and so is the growth of a total that went back. Unknown is
 * NAN.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdint.h>

#include "common/segment_reader.h"
#include "healthd/judge.h"

enum {
	HISTORY_SAMPLES = 360,
	HISTORY_NOW_MS = 10000 /* what a rate of now is a mean of */
};

#define HISTORY_SERIES(X)                                          \
	X(connections) /* the mean of the looks */                 \
	X(messages)    /* a second, as the store committed them */ \
	X(deliveries)  /* a second */
enum history_series {
#define X(s) HISTORY_##s,
	HISTORY_SERIES(X)
#undef X
	HISTORY_SERIES_COUNT
};

struct history;

/* span_ms: of all samples together. NULL without memory. */
struct history *history_new(uint64_t span_ms);
void history_free(struct history *history);

/* now_ns is the monotonic clock, and does not go back. */
void history_look(struct history *history, const struct snapshot *snapshot,
		  const struct verdict *verdict, uint64_t now_ns);

uint64_t history_span_ms(const struct history *history);

/* Sample `i` of a series, 0 the oldest. */
double history_at(const struct history *history, enum history_series series, unsigned i);

/* The worst verdict of sample `i`; STATUS_COUNT where nobody looked. */
enum verdict_status history_status(const struct history *history, unsigned i);

/* Over the last HISTORY_NOW_MS. */
double history_now(const struct history *history, enum history_series series);

#endif
