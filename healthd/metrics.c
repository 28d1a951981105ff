#include "healthd/metrics.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/histogram.h"
#include "healthd/exposition.h"
#include "healthd/metrics_progress.h"
#include "healthd/metrics_self.h"

enum {
	LABELS_SIZE = 128
};

/* ---- from counters.def --------------------------------------------------------- */

static const struct {
	const char *name, *label, *unit, *help;
	enum counter_kind kind;
} counters[COUNTER_COUNT] = {
#define COUNTER(id, KIND, unit, metric, label, help) \
	[COUNTER_##id] = { "parley_" metric, label, unit, help, COUNTER_##KIND },
#include "common/counters.def"
#undef COUNTER
};

/* The label of a seat: a worker's number, or the sequencer. */
static const char *seat_label(const struct snapshot *s, unsigned i,
			      char labels[LABELS_SIZE])
{
	char name[24] = "sequencer";

	if (s->seats[i].role == ROLE_WORKER)
		snprintf(name, sizeof name, "%u", i);
	exposition_label(labels, LABELS_SIZE, "worker", name);
	return labels;
}

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

		snprintf(labels, sizeof labels, "%s", counters[id].label);
		write_value(e, seat_label(s, i, labels), id, judge_gauge(s, (int)i, id));
	}
}

/* All counters that have the name of the first of them. */
static void write_family(struct exposition *e, const struct snapshot *s,
			 enum counter first)
{
	bool is_total = counters[first].kind == COUNTER_TOTAL;

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

static bool is_first(const struct snapshot *s, unsigned id)
{
	for (unsigned i = 0; i < id; i++)
		if (s->has[i] && strcmp(counters[i].name, counters[id].name) == 0)
			return false;
	return s->has[id];
}

static void write_counters(struct exposition *e, const struct snapshot *s)
{
	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		if (is_first(s, id) && !judge_is_of_store(id) && /* write_store */
		    !counter_is_of_histogram(id))
			write_family(e, s, (enum counter)id);
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

/* ---- the verdict --------------------------------------------------------------- */

static void gauge(struct exposition *e, const char *name, const char *unit,
		  const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_GAUGE, unit, help);
	exposition_uint(e, "", value);
}

static void counter(struct exposition *e, const char *name, const char *unit,
		    const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_COUNTER, unit, help);
	exposition_uint(e, "", value);
}

/* One of several, after `labels`: 1 for what it is, 0 for what it is not. */
static void one_of(struct exposition *e, const char *labels, const char *label,
		   const char *value, bool is)
{
	char all[LABELS_SIZE];

	snprintf(all, sizeof all, "%s", labels);
	exposition_label(all, sizeof all, label, value);
	exposition_uint(e, all, is);
}

static void write_verdict(struct exposition *e, const struct view *view)
{
	const struct verdict *v = view->verdict;
	const struct snapshot *s = view->snapshot;

	gauge(e, "parley_up", "", "1 while a gateway lives and can be read",
	      s->look == LOOK_ok && s->supervisor_known && s->supervisor_alive);
	gauge(e, "parley_live", "", "1 while /health/live says 200", v->live);
	gauge(e, "parley_ready", "", "1 while /health/ready says 200", v->ready);
	exposition_family(e, "parley_status", EXPOSITION_GAUGE, "",
			  "1 for the status of /health/websocket");
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		one_of(e, "", "status", verdict_status_name(i), i == v->status);
	exposition_family(e, "parley_gateway_state", EXPOSITION_GAUGE, "",
			  "1 for the server state of /health/websocket");
	for (unsigned i = 0; i < SERVER_COUNT; i++)
		one_of(e, "", "state", verdict_server_name(i), i == v->server);
	exposition_family(e, "parley_segment_look", EXPOSITION_GAUGE, "",
			  "1 for what became of the look at the segment");
	for (unsigned i = 0; i < LOOK_COUNT; i++)
		one_of(e, "", "look", look_name(i), i == s->look);
	if (v->uptime_known) {
		exposition_family(e, "parley_uptime_seconds", EXPOSITION_GAUGE, "seconds",
				  "How long the gateway runs");
		exposition_seconds(e, "", (double)v->uptime_ms / 1e3);
	}
}

/* ---- the store ----------------------------------------------------------------- */

static void write_store(struct exposition *e, const struct verdict_store *store)
{
	gauge(e, "parley_store_up", "", "1 while the sequencer reaches the store",
	      store->up);
	exposition_family(e, "parley_store_status", EXPOSITION_GAUGE, "",
			  "1 for the status of /health/database");
	for (unsigned i = 0; i < STORE_STATUS_COUNT; i++)
		one_of(e, "", "status", store_status_name(i), i == store->status);
	if (store->driver) {
		exposition_family(e, "parley_store_info", EXPOSITION_GAUGE, "",
				  "1, with the kind of store");
		one_of(e, "", "driver", store->driver, true);
	}
	if (store->latency_known) {
		exposition_family(e, "parley_store_latency_seconds", EXPOSITION_GAUGE,
				  "seconds",
				  "Time of the last piece of work of the store, or of "
				  "a longer one under way");
		exposition_seconds(e, "", (double)store->latency_us / 1e6);
	}
	if (store->last_ok_known) {
		exposition_family(e, "parley_store_last_ok_timestamp_seconds",
				  EXPOSITION_GAUGE, "seconds",
				  "When the store last did as asked, since 1970");
		exposition_seconds(e, "", (double)store->last_ok_ms / 1e3);
	}
	if (store->queue_known)
		gauge(e, "parley_store_queue_messages", "messages",
		      "Messages waiting in the sequencer to be committed", store->queue);
}

/* ---- supervisor and seats ------------------------------------------------------ */

static void write_supervisor(struct exposition *e, const struct view *view)
{
	const struct verdict *v = view->verdict;
	const struct snapshot *s = view->snapshot;

	gauge(e, "parley_connections_max", "", "Connections that the gateway takes",
	      s->connections_max);
	gauge(e, "parley_workers_wanted", "", "Workers that there should be",
	      v->workers_wanted);
	gauge(e, "parley_workers_serving", "", "Workers that are up and turn",
	      v->workers_serving);
	gauge(e, "parley_workers_hung", "", "Workers whose beat stands still",
	      v->workers_hung);
	counter(e, "parley_reloads_total", "", "Reloads of the settings", s->reloads);
	counter(e, "parley_supervisor_late_ticks_total", "",
		"Times that the supervisor did not run when it should", s->late_ticks);
	counter(e, "parley_worker_aborts_total", "",
		"Hung processes that the supervisor aborted", s->aborts);
	exposition_family(e, "parley_supervisor_heartbeat_age_seconds", EXPOSITION_GAUGE,
			  "seconds", "Time since the supervisor's last beat");
	exposition_seconds(e, "", (double)s->beat_age_ns / 1e9);
}

static void write_restarts(struct exposition *e, const struct snapshot *s, unsigned i)
{
	for (unsigned reason = EXIT_none + 1; reason < EXIT_REASON_COUNT; reason++) {
		char labels[LABELS_SIZE] = "";

		seat_label(s, i, labels);
		exposition_label(labels, sizeof labels, "reason",
				 exit_reason_name(reason));
		exposition_uint(e, labels, s->seats[i].deaths[reason]);
	}
}

static void write_age(struct exposition *e, const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *slot = judge_serving(s, &s->seats[i]);
	char labels[LABELS_SIZE] = "";

	if (slot)
		exposition_seconds(e, seat_label(s, i, labels),
				   (double)slot->beat_age_ns / 1e9);
}

static void write_state(struct exposition *e, const struct snapshot *s, unsigned i)
{
	char labels[LABELS_SIZE] = "";

	seat_label(s, i, labels);
	for (unsigned state = 0; state < SEAT_STATE_COUNT; state++)
		one_of(e, labels, "state", seat_state_name(state),
		       state == s->seats[i].state);
}

static void write_store_up(struct exposition *e, const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *slot = judge_serving(s, &s->seats[i]);
	char labels[LABELS_SIZE] = "";

	if (slot && slot->counters[COUNTER_store_state] != STORE_STATE_unknown)
		exposition_uint(e, seat_label(s, i, labels),
				slot->counters[COUNTER_store_state] == STORE_STATE_up);
}

static void write_seats(struct exposition *e, const struct snapshot *s)
{
	static const struct {
		const char *name;
		enum exposition_kind kind;
		const char *unit, *help;
		void (*write)(struct exposition *, const struct snapshot *, unsigned);
	} families[] = {
		{ "parley_worker_state", EXPOSITION_GAUGE, "",
		  "1 for the state of a worker's seat", write_state },
		{ "parley_worker_restarts_total", EXPOSITION_COUNTER, "",
		  "Processes of a seat that ended, by reason", write_restarts },
		{ "parley_heartbeat_age_seconds", EXPOSITION_GAUGE, "seconds",
		  "Time since the last beat of the process that serves a seat",
		  write_age },
		{ "parley_worker_store_up", EXPOSITION_GAUGE, "",
		  "1 while the process that serves a seat reaches the store",
		  write_store_up },
	};

	for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
		exposition_family(e, families[f].name, families[f].kind, families[f].unit,
				  families[f].help);
		for (unsigned i = 0; i < s->n_seats; i++)
			families[f].write(e, s, i);
	}
}

int metrics_write(const struct view *view, enum metrics_format format, char *out,
		  size_t size)
{
	struct exposition e;

	exposition_init(&e, out, size, format == METRICS_OPENMETRICS);
	write_verdict(&e, view);
	write_store(&e, &view->verdict->store);
	if (view->snapshot->look == LOOK_ok) {
		write_supervisor(&e, view);
		metrics_progress(&e, view->verdict);
		write_seats(&e, view->snapshot);
		write_counters(&e, view->snapshot);
		write_histograms(&e, view->snapshot);
	}
	metrics_self(&e, view);
	return exposition_end(&e);
}
