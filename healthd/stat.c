#include "healthd/stat.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/histogram.h"
#include "healthd/deaths.h"

enum {
	UNKNOWN_SIZE = 24 /* a number or a dash */
};

static const struct {
	const char *metric, *label;
	enum counter_kind kind;
} counters[COUNTER_COUNT] = {
#define COUNTER(id, KIND, unit, metric, label, help) \
	[COUNTER_##id] = { metric, label, COUNTER_##KIND },
#include "common/counters.def"
#undef COUNTER
};

static const char *number(bool known, uint64_t value, char out[UNKNOWN_SIZE])
{
	if (known)
		snprintf(out, UNKNOWN_SIZE, "%" PRIu64, value);
	else
		snprintf(out, UNKNOWN_SIZE, "-");
	return out;
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

/* ---- the verdict --------------------------------------------------------------- */

static void print_head(const struct view *view, FILE *out)
{
	const struct verdict *v = view->verdict;
	char text[CLOCK_TEXT_SIZE];
	uint64_t s = v->uptime_ms / 1000;

	clock_wall_text(view->wall_ms, text);
	fprintf(out, "parley  %s  %s  %s\n", verdict_status_name(v->status),
		verdict_server_name(v->server), text);
	if (v->uptime_known)
		fprintf(out, "up %" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
			s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
	else
		fprintf(out, "up -");
	fprintf(out, "  live %s  ready %s", yes(v->live), yes(v->ready));
	if (view->snapshot->look == LOOK_ok)
		fprintf(out, "  version %s", view->snapshot->build);
	fprintf(out, "\n");
}

static void print_store(const struct verdict_store *store, FILE *out)
{
	char queue[UNKNOWN_SIZE], last_ok[CLOCK_TEXT_SIZE] = "-";

	if (store->last_ok_known)
		clock_wall_text((int64_t)store->last_ok_ms, last_ok);
	fprintf(out, "store  %s  %s", store->driver ? store->driver : "-",
		store_status_name(store->status));
	if (store->latency_known)
		fprintf(out, "  latency %.2f ms", (double)store->latency_us / 1e3);
	else
		fprintf(out, "  latency -");
	fprintf(out, "  queue %s  last ok %s%s%s\n",
		number(store->queue_known, store->queue, queue), last_ok,
		*store->reason ? "  " : "", store->reason);
}

static void print_verdict(const struct view *view, FILE *out)
{
	const struct verdict *v = view->verdict;
	char active[UNKNOWN_SIZE], total[UNKNOWN_SIZE];

	print_head(view, out);
	if (view->snapshot->look == LOOK_ok)
		fprintf(out,
			"connections  active %s  handshaking %" PRIu64
			"  closing %" PRIu64 "  total %s  port %" PRIu64 "\n",
			number(v->active_known, v->active, active), v->handshaking,
			v->closing, number(v->total_known, v->total, total),
			view->snapshot->port);
	if (view->snapshot->look == LOOK_ok)
		print_store(&v->store, out);
	for (unsigned i = 0; i < v->n_reasons; i++)
		fprintf(out, "  %s\n", v->reasons[i]);
	if (v->n_reasons_left_off)
		fprintf(out, "  and %u more\n", v->n_reasons_left_off);
}

/* ---- seats --------------------------------------------------------------------- */

static const char *last_exit(const struct snapshot_seat *seat, char out[64])
{
	if (seat->last_reason == EXIT_none)
		snprintf(out, 64, "-");
	else if (seat->last_signal)
		snprintf(out, 64, "%s, signal %" PRIu64,
			 exit_reason_name(seat->last_reason), seat->last_signal);
	else
		snprintf(out, 64, "%s, code %" PRIu64,
			 exit_reason_name(seat->last_reason), seat->last_code);
	return out;
}

static void print_seat(const struct view *view, unsigned i, FILE *out)
{
	const struct snapshot *s = view->snapshot;
	const struct snapshot_seat *seat = &s->seats[i];
	const struct snapshot_slot *slot = judge_serving(s, seat);
	const char *hang = slot ? judge_hang(slot, view->limits) : NULL;
	char pid[UNKNOWN_SIZE], age[UNKNOWN_SIZE], name[24] = "sequencer", end[64];

	if (seat->role == ROLE_WORKER)
		snprintf(name, sizeof name, "worker %u", i);
	fprintf(out,
		"%-10s %-10s %8s %-10s %8s %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		"  %s%s%s\n",
		name, seat_state_name(seat->state),
		number(slot != NULL, slot ? slot->pid : 0, pid),
		slot ? phase_name(slot->phase) : "-",
		number(slot != NULL, slot ? slot->beat_age_ns / MS_NS : 0, age),
		judge_gauge(s, (int)i, COUNTER_links_active),
		judge_gauge(s, (int)i, COUNTER_links_closing), seat->restarts,
		last_exit(seat, end), hang ? "  hung: " : "", hang ? hang : "");
}

static void print_seats(const struct view *view, FILE *out)
{
	fprintf(out, "\n%-10s %-10s %8s %-10s %8s %8s %8s %8s  %s\n", "SEAT", "STATE",
		"PID", "PHASE", "BEAT ms", "ACTIVE", "CLOSING", "RESTARTS", "LAST EXIT");
	for (unsigned i = 0; i < view->snapshot->n_seats; i++)
		print_seat(view, i, out);
}

/* ---- drain, roll, deaths ------------------------------------------------------- */

static void print_progress(const struct verdict *v, FILE *out)
{
	const struct verdict_drain *drain = &v->drain;
	char left[UNKNOWN_SIZE];

	if (drain->paced)
		fprintf(out,
			"draining  %s of %" PRIu64
			" connections left  about %.1f s  at most %.1f s\n",
			number(drain->left_known, drain->left, left), drain->began,
			(double)drain->left_ms / 1e3, (double)drain->most_ms / 1e3);
	if (v->roll.under_way)
		fprintf(out, "rolling  %u of %u workers replaced  about %.1f s\n",
			v->roll.rolled, v->roll.workers, (double)v->roll.left_ms / 1e3);
}

static void print_deaths(const struct snapshot *s, FILE *out)
{
	char words[DEATH_WORDS];

	if (s->n_deaths)
		fprintf(out, "\nDEATHS\n");
	for (unsigned i = 0; i < s->n_deaths; i++) {
		death_words(s, &s->deaths[i], words);
		fprintf(out, "%s\n", words);
	}
}

/* ---- counters ------------------------------------------------------------------ */

static void print_counter(const struct snapshot *s, enum counter id,
			  const struct stat_last *last, uint64_t span_ns, FILE *out)
{
	uint64_t value = judge_counter(s, id);
	char name[80];

	if (!s->has[id] || value == 0 || judge_is_of_store(id) ||
	    counter_is_of_histogram(id))
		return;
	if (*counters[id].label)
		snprintf(name, sizeof name, "%s{%s}", counters[id].metric,
			 counters[id].label);
	else
		snprintf(name, sizeof name, "%s", counters[id].metric);
	fprintf(out, "%-44s %20" PRIu64, name, value);
	if (span_ns > 0 && counters[id].kind == COUNTER_TOTAL)
		fprintf(out, " %14.1f",
			(double)(value - last->sums[id]) * 1e9 / (double)span_ns);
	fprintf(out, "\n");
}

static void print_counters(const struct snapshot *s, struct stat_last *last,
			   uint64_t now_ns, FILE *out)
{
	bool same = last->known &&
		    memcmp(last->instance, s->instance, sizeof s->instance) == 0;
	uint64_t span_ns = same ? now_ns - last->at_ns : 0;

	fprintf(out, "\n%-44s %20s%s\n", "COUNTER", "VALUE",
		span_ns > 0 ? "     PER SECOND" : "");
	for (unsigned id = 0; id < COUNTER_COUNT; id++) {
		print_counter(s, (enum counter)id, last, span_ns, out);
		last->sums[id] = judge_counter(s, (enum counter)id);
	}
	last->known = true;
	last->at_ns = now_ns;
	memcpy(last->instance, s->instance, sizeof last->instance);
}

/* ---- histograms ---------------------------------------------------------------- */

/* The quantiles are bounds of buckets: not more than that. */
static const char *milliseconds(const struct histogram_seen *seen, unsigned per_mille,
				char out[UNKNOWN_SIZE])
{
	uint64_t us = histogram_quantile_us(seen, per_mille);

	if (us == UINT64_MAX)
		snprintf(out, UNKNOWN_SIZE, "more");
	else
		snprintf(out, UNKNOWN_SIZE, "%.3f", (double)us / 1e3);
	return out;
}

static void print_histograms(const struct snapshot *s, FILE *out)
{
	static const struct {
		enum histogram id;
		const char *name;
	} histograms[] = {
#define COUNTER(id, KIND, unit, metric, label, help)
#define HISTOGRAM(id, metric, help) { HISTOGRAM_##id, metric },
#include "common/counters.def"
#undef COUNTER
	};
	char median[UNKNOWN_SIZE], p99[UNKNOWN_SIZE];
	struct histogram_seen seen;

	fprintf(out, "\n%-44s %20s %10s %10s %10s\n", "TIMES", "COUNT", "MEAN ms",
		"P50 <= ms", "P99 <= ms");
	for (size_t i = 0; i < sizeof histograms / sizeof *histograms; i++) {
		if (!snapshot_histogram(s, histograms[i].id, &seen) ||
		    histogram_count(&seen) == 0)
			continue;
		fprintf(out, "%-44s %20" PRIu64 " %10.3f %10s %10s\n", histograms[i].name,
			histogram_count(&seen),
			(double)seen.sum_us / 1e3 / (double)histogram_count(&seen),
			milliseconds(&seen, 500, median), milliseconds(&seen, 990, p99));
	}
}

void stat_print(const struct view *view, struct stat_last *last, uint64_t now_ns,
		FILE *out)
{
	print_verdict(view, out);
	if (view->snapshot->look != LOOK_ok)
		return;
	print_progress(view->verdict, out);
	print_seats(view, out);
	print_deaths(view->snapshot, out);
	print_counters(view->snapshot, last, now_ns, out);
	print_histograms(view->snapshot, out);
}
