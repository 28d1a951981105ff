#include "common/clock.h"
#include "common/histogram.h"
#include "healthd/report.h"

/* Names of counters as in counters.def. */
static const char *const ids[COUNTER_COUNT] = {
#define COUNTER(id, KIND, unit, metric, label, help) [COUNTER_##id] = #id,
#include "common/counters.def"
#undef COUNTER
};

static json_t *integer(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

static json_t *report_counters(const struct snapshot *s, const struct snapshot_slot *slot)
{
	json_t *object = json_object();

	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		if (s->has[id] && (slot || !judge_is_of_store(id)) &&
		    !counter_is_of_histogram(id))
			json_object_set_new(
				object, ids[id],
				integer(slot ? slot->counters[id]
					     : judge_counter(s, (enum counter)id)));
	return object;
}

/* As cumulative as in an exposition; `upToUs` is null for the last bucket. */
static json_t *report_histogram(const struct histogram_seen *seen)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		json_array_append_new(buckets,
				      json_pack("{s:o, s:o}", "upToUs",
						i < HISTOGRAM_BUCKETS - 1
							? integer(histogram_bound_us(i))
							: json_null(),
						"count", integer(seen->upto[i])));
	return json_pack("{s:o, s:o, s:o}", "count", integer(histogram_count(seen)),
			 "sumUs", integer(seen->sum_us), "buckets", buckets);
}

static json_t *report_histograms(const struct snapshot *s)
{
	static const struct {
		enum histogram id;
		const char *name;
	} histograms[] = {
#define COUNTER(id, KIND, unit, metric, label, help)
#define HISTOGRAM(id, metric, help) { HISTOGRAM_##id, #id },
#include "common/counters.def"
#undef COUNTER
	};
	json_t *object = json_object();
	struct histogram_seen seen;

	for (size_t i = 0; i < sizeof histograms / sizeof *histograms; i++)
		if (snapshot_histogram(s, histograms[i].id, &seen))
			json_object_set_new(object, histograms[i].name,
					    report_histogram(&seen));
	return object;
}

/* Oldest first. */
static json_t *report_events(const struct snapshot_slot *slot)
{
	json_t *array = json_array();
	uint64_t n = slot->n_events < SEGMENT_EVENTS ? slot->n_events : SEGMENT_EVENTS;

	for (uint64_t i = slot->n_events - n; n > 0; i++, n--) {
		unsigned at = (unsigned)(i % SEGMENT_EVENTS);

		json_array_append_new(array,
				      json_pack("{s:o, s:s, s:o, s:o}", "atMs",
						integer(slot->events[at].at_ms), "kind",
						segment_event_name(slot->events[at].kind),
						"a", integer(slot->events[at].a), "b",
						integer(slot->events[at].b)));
	}
	return array;
}

/* Slots that somebody has held; of the dead the last events are still there. */
static json_t *report_slots(const struct snapshot *s)
{
	json_t *array = json_array();

	for (unsigned i = 0; s->look == LOOK_ok && i < s->n_slots; i++) {
		const struct snapshot_slot *slot = &s->slots[i];

		if (!slot->generation)
			continue;
		json_array_append_new(
			array,
			json_pack(
				"{s:i, s:i, s:s, s:b, s:s, s:o, s:o, s:s, s:o, s:o, "
				"s:o}",
				"slot", (int)i, "seat", (int)slot->seat, "role",
				slot->role == ROLE_WORKER ? "worker" : "sequencer",
				"alive", slot->alive, "state",
				child_state_name(slot->state), "pid", integer(slot->pid),
				"generation", integer(slot->generation), "phase",
				phase_name(slot->phase), "heartbeatAgeMs",
				integer(slot->beat_age_ns / MS_NS), "counters",
				report_counters(s, slot), "events", report_events(slot)));
	}
	return array;
}

/* How often each seat lost its process, by reason. */
static json_t *report_endings(const struct snapshot *s)
{
	json_t *array = json_array();

	for (unsigned i = 0; s->look == LOOK_ok && i < s->n_seats; i++) {
		json_t *deaths = json_object();

		for (unsigned r = EXIT_none + 1; r < EXIT_REASON_COUNT; r++)
			json_object_set_new(deaths, exit_reason_name(r),
					    integer(s->seats[i].deaths[r]));
		json_array_append_new(array, deaths);
	}
	return array;
}

static json_t *report_supervisor(const struct snapshot *s)
{
	if (s->look != LOOK_ok)
		return json_null();
	return json_pack("{s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o}", "pid",
			 integer(s->pid), "alive", s->supervisor_alive, "state",
			 gateway_state_name(s->state), "heartbeatAgeMs",
			 integer(s->beat_age_ns / MS_NS), "reloads", integer(s->reloads),
			 "lateTicks", integer(s->late_ticks), "aborts",
			 integer(s->aborts), "upgrades", integer(s->upgrades));
}

json_t *report_all(const struct view *view)
{
	const struct snapshot *s = view->snapshot;
	const struct verdict *v = view->verdict;
	json_t *object = report_websocket(view, true);
	json_t *more = json_pack(
		"{s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "live", v->live, "ready",
		v->ready, "startup", v->startup, "database", report_database(view),
		"supervisor", report_supervisor(s), "counters",
		s->look == LOOK_ok ? report_counters(s, NULL) : json_null(), "histograms",
		s->look == LOOK_ok ? report_histograms(s) : json_null(), "endings",
		report_endings(s), "slots", report_slots(s));

	if (!object || !more || json_object_update(object, more) < 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}
