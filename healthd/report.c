#include "healthd/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "healthd/deaths.h"
#include "healthd/report_findings.h"

/* ---- values -------------------------------------------------------------------- */

/* JSON's integers end at 2^63-1, and so do those that can be true. */
static json_t *number(bool known, uint64_t value)
{
	return known && value <= INT64_MAX ? json_integer((json_int_t)value)
					   : json_null();
}

static json_t *seconds(bool known, uint64_t ms)
{
	return known ? json_real((double)ms / 1e3) : json_null();
}

static const char *timestamp(const struct view *view, char text[CLOCK_TEXT_SIZE])
{
	clock_wall_text(view->wall_ms, text);
	return text;
}

static const char *text_or_null(const char *text)
{
	return *text ? text : NULL;
}

/* ---- seats --------------------------------------------------------------------- */

static json_t *report_exit(const struct snapshot_seat *seat)
{
	if (seat->last_reason == EXIT_none)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "reason", exit_reason_name(seat->last_reason),
			 "signal", number(true, seat->last_signal), "code",
			 number(true, seat->last_code));
}

/* Connections are those of all processes of the seat, a leaving one included. */
static json_t *report_seat(const struct view *view, unsigned i)
{
	const struct snapshot *s = view->snapshot;
	const struct snapshot_seat *seat = &s->seats[i];
	const struct snapshot_slot *slot = judge_serving(s, seat);
	bool alive = slot != NULL;

	return json_pack(
		"{s:i, s:s, s:o, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?}",
		"seat", (int)i, "state", seat_state_name(seat->state), "slot",
		number(alive, (uint64_t)seat->slot), "pid",
		number(alive, alive ? slot->pid : 0), "phase",
		alive ? phase_name(slot->phase) : NULL, "heartbeatAgeMs",
		number(alive, alive ? slot->beat_age_ns / MS_NS : 0), "active",
		number(true, judge_gauge(s, (int)i, COUNTER_links_active)), "closing",
		number(true, judge_gauge(s, (int)i, COUNTER_links_closing)),
		"handshaking",
		number(true, judge_gauge(s, (int)i, COUNTER_links_handshaking)), "total",
		number(alive, alive ? slot->counters[COUNTER_links_opened] : 0),
		"restarts", number(true, seat->restarts), "lastExit", report_exit(seat),
		"hang", alive ? judge_hang(slot, view->limits) : NULL);
}

static json_t *report_seats(const struct view *view, enum role role)
{
	const struct snapshot *s = view->snapshot;
	json_t *seats = json_array();

	for (unsigned i = 0; s->look == LOOK_ok && i < s->n_seats; i++)
		if (s->seats[i].role == role)
			json_array_append_new(seats, report_seat(view, i));
	return seats;
}

/* ---- the gateway --------------------------------------------------------------- */

static json_t *report_reasons(const struct verdict *verdict)
{
	json_t *reasons = json_array();

	for (unsigned i = 0; i < verdict->n_reasons; i++)
		json_array_append_new(reasons, json_string(verdict->reasons[i]));
	if (verdict->n_reasons_left_off)
		json_array_append_new(
			reasons, json_sprintf("%u more", verdict->n_reasons_left_off));
	return reasons;
}

static json_t *report_segment(const struct snapshot *s)
{
	bool readable = s->look == LOOK_ok;
	char instance[33] = "";

	if (readable)
		snprintf(instance, sizeof instance, "%016" PRIx64 "%016" PRIx64,
			 s->instance[0], s->instance[1]);
	return json_pack("{s:s, s:s?, s:s?, s:o}", "look", look_name(s->look), "reason",
			 text_or_null(s->reason), "instance", text_or_null(instance),
			 "ageMs", number(readable, s->beat_age_ns / MS_NS));
}

static int add_details(const struct view *view, json_t *object)
{
	const struct snapshot *s = view->snapshot;
	const struct verdict *v = view->verdict;
	bool readable = s->look == LOOK_ok;
	json_t *sequencers = report_seats(view, ROLE_SEQUENCER);
	json_t *sequencer = json_array_get(sequencers, 0);
	json_t *more = json_pack(
		"{s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:O?, s:o, s:o, s:o}", "version",
		text_or_null(s->build), "closing",
		number(v->active_known && readable, v->closing), "handshaking",
		number(v->active_known && readable, v->handshaking), "restarts",
		number(readable, v->restarts), "port", number(readable, s->port),
		"reasons", report_reasons(v), "workers", report_seats(view, ROLE_WORKER),
		"sequencer", sequencer, "segment", report_segment(s), "limit",
		number(readable, s->connections_max), "deaths", deaths_report(s));
	int rc = more ? json_object_update(object, more) : -1;

	if (rc == 0)
		rc = report_progress(v, object);
	json_decref(more);
	json_decref(sequencers);
	return rc;
}

json_t *report_websocket(const struct view *view, bool verbose)
{
	const struct verdict *v = view->verdict;
	char text[CLOCK_TEXT_SIZE];
	json_t *object = json_pack(
		"{s:s, s:s, s:{s:o, s:o}, s:o, s:s, s:s*}", "status",
		verdict_status_name(v->status), "server", verdict_server_name(v->server),
		"connections", "active", number(v->active_known, v->active), "total",
		number(v->total_known, v->total), "uptime",
		seconds(v->uptime_known, v->uptime_ms), "timestamp",
		timestamp(view, text), "reason", v->n_reasons ? v->reasons[0] : NULL);

	if (object && verbose && add_details(view, object) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *report_database(const struct view *view)
{
	const struct verdict_store *store = &view->verdict->store;
	char text[CLOCK_TEXT_SIZE], last_ok[CLOCK_TEXT_SIZE];

	clock_wall_text((int64_t)store->last_ok_ms, last_ok);
	return json_pack("{s:s, s:s?, s:o, s:s?, s:o, s:s, s:s*}", "status",
			 store_status_name(store->status), "driver", store->driver,
			 "latencyMs",
			 store->latency_known ? json_real((double)store->latency_us / 1e3)
					      : json_null(),
			 "lastOk", store->last_ok_known ? last_ok : NULL, "queueDepth",
			 number(store->queue_known, store->queue), "timestamp",
			 timestamp(view, text), "reason", text_or_null(store->reason));
}

json_t *report_health(const struct view *view, bool verbose)
{
	char text[CLOCK_TEXT_SIZE];
	json_t *object = json_pack("{s:s, s:s, s:{s:o, s:o}}", "status",
				   verdict_status_name(verdict_worst(view->verdict)),
				   "timestamp", timestamp(view, text), "components",
				   "websocket", report_websocket(view, verbose),
				   "database", report_database(view));

	if (object && (report_progress(view->verdict, object) < 0 ||
		       report_findings(view->findings, verbose,
				       json_object_get(object, "components")) < 0)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *report_probe(const struct view *view, bool yes, const char *reason)
{
	char text[CLOCK_TEXT_SIZE];

	return json_pack("{s:s, s:s*, s:s}", "status", yes ? "ok" : "error", "reason",
			 yes ? NULL : reason, "timestamp", timestamp(view, text));
}
