/*
 * exposition - writes metrics: Prometheus text 0.0.4, or OpenMetrics 1.0.
 *
 * A family is begun and its values follow, without another family between them. Names
 * of counters end in _total. A histogram's values are its buckets, then sum, then count.
 * What does not fit is told at the end.
 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exposition_kind {
	EXPOSITION_GAUGE,
	EXPOSITION_COUNTER,
	EXPOSITION_HISTOGRAM
};

struct exposition {
	char *out;
	size_t size, len;
	bool openmetrics;
	bool overflowed;
	const char *name; /* of the family that was begun */
};

/* Writes into `out`, which it lends. */
void exposition_init(struct exposition *e, char *out, size_t size, bool openmetrics);

/* `unit` is told where the name ends in it, as OpenMetrics wants; "" for none. The
 * name is lent until the next family. */
void exposition_family(struct exposition *e, const char *name, enum exposition_kind kind,
		       const char *unit, const char *help);

/* One value; `labels` as written by exposition_label, "" for none. */
void exposition_uint(struct exposition *e, const char *labels, uint64_t value);
void exposition_int(struct exposition *e, const char *labels, int64_t value);
void exposition_seconds(struct exposition *e, const char *labels, double value);

/* Families of one value without labels. */
void exposition_gauge(struct exposition *e, const char *name, const char *unit,
		      const char *help, uint64_t value);
void exposition_counter(struct exposition *e, const char *name, const char *unit,
			const char *help, uint64_t value);

/* Parts of a histogram: how many were not more than the bound in the label `le`. */
void exposition_bucket(struct exposition *e, const char *labels, uint64_t n);
void exposition_sum(struct exposition *e, const char *labels, double seconds);
void exposition_count(struct exposition *e, const char *labels, uint64_t n);

/* Appends name="value" to labels, escaped, after a comma where there are some already;
 * nothing when it does not fit. */
void exposition_label(char *labels, size_t size, const char *name, const char *value);

/* One of several, after `labels`: 1 for what it is, 0 for what it is not. */
void exposition_one_of(struct exposition *e, const char *labels, const char *label,
		       const char *value, bool is);

/* The end. Returns the length, or -ENOSPC. */
int exposition_end(struct exposition *e);

#endif
