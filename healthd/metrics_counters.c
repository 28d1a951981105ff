#include "healthd/metrics_counters.h"

#include <stdio.h>
#include <string.h>

#include "common/histogram.h"
#include "healthd/judge.h"
#include "healthd/metrics_seats.h"

static const struct {
	const char *name, *label, *unit, *help;
	enum counter_kind kind;
} counters[COUNTER_COUNT] = {
#define COUNTER(id, KIND, unit, metric, label, help) \
	[COUNTER_##id] = { "parley_" metric, label, unit, help, COUNTER_##KIND },
#include "common/counters.def"
#undef COUNTER
};

/* In the base unit, whatever the word's is. */
static void write_value(struct exposition *e, const char *labels, enum counter id,
			uint64_t value)
{
	if (strcmp(counters[id].unit, "microseconds") == 0)
		exposition_seconds(e, labels, (double)value / 1e6);
	else if (strcmp(counters[id].unit, "milliseconds") == 0)
		exposition_seconds(e, labels, (double)value / 1e3);
	else
		exposition_uint(e, labels, value);
}

static const char *base_unit(enum counter id)
{
	bool is_time = strcmp(counters[id].unit, "microseconds") == 0 ||
		       strcmp(counters[id].unit, "milliseconds") == 0;

	return is_time ? "seconds" : counters[id].unit;
}

static void write_gauge(struct exposition *e, const struct snapshot *s, enum counter id)
{
	for (unsigned i = 0; i < s->n_seats; i++) {
		char labels[LABELS_SIZE];

		if (id == COUNTER_tls_ends_s && !judge_gauge(s, (int)i, id))
			continue; /* no certificate is not one that ended long ago */
		snprintf(labels, sizeof labels, "%s", counters[id].label);
		write_value(e, metrics_seat_label(s, i, labels), id,
			    judge_gauge(s, (int)i, id));
	}
}

/* All counters that have the name of the first of them. */
static void write_family(struct exposition *e, const struct snapshot *s,
			 enum counter first)
{
	bool is_total = counters[first].kind == COUNTER_TOTAL;

	if (first == COUNTER_tls_ends_s && !judge_gauge(s, -1, first))
		return;
	exposition_family(e, counters[first].name,
			  is_total ? EXPOSITION_COUNTER : EXPOSITION_GAUGE,
			  base_unit(first), counters[first].help);
	for (unsigned id = first; id < COUNTER_COUNT; id++) {
		if (!s->has[id] || strcmp(counters[id].name, counters[first].name) != 0)
			continue;
		if (is_total)
			write_value(e, counters[id].label, (enum counter)id,
				    snapshot_sum(s, (enum counter)id));
		else
			write_gauge(e, s, (enum counter)id);
	}
}

/* Of those with its name. */
static bool is_first(const struct snapshot *s, unsigned id)
{
	for (unsigned i = 0; i < id; i++)
		if (s->has[i] && strcmp(counters[i].name, counters[id].name) == 0)
			return false;
	return s->has[id];
}

/* What says more when it is put together. */
static bool is_told_elsewhere(enum counter id)
{
	return judge_is_of_store(id) || counter_is_of_histogram(id) ||
	       id == COUNTER_bus_head || id == COUNTER_bus_at; /* metrics_seats */
}

static void write_histograms(struct exposition *e, const struct snapshot *s)
{
	static const struct {
		enum histogram id;
		const char *name, *help;
	} histograms[] = {
#define COUNTER(id, KIND, unit, metric, label, help)
#define HISTOGRAM(id, metric, help) { HISTOGRAM_##id, "parley_" metric, help },
#include "common/counters.def"
#undef COUNTER
	};
	struct histogram_seen seen;

	for (size_t h = 0; h < sizeof histograms / sizeof *histograms; h++) {
		if (!snapshot_histogram(s, histograms[h].id, &seen))
			continue;
		exposition_family(e, histograms[h].name, EXPOSITION_HISTOGRAM, "seconds",
				  histograms[h].help);
		for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
			exposition_bucket(e, counters[histograms[h].id + i].label,
					  seen.upto[i]);
		exposition_sum(e, "", (double)seen.sum_us / 1e6);
		exposition_count(e, "", histogram_count(&seen));
	}
}

void metrics_counters(struct exposition *e, const struct snapshot *snapshot)
{
	const struct snapshot *s = snapshot;

	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		if (is_first(s, id) && !is_told_elsewhere((enum counter)id))
			write_family(e, s, (enum counter)id);
	write_histograms(e, s);
}
