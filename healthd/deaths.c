#include "healthd/deaths.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"

/* ---- as JSON -------------------------------------------------------------------- */

static json_t *number(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

static json_t *report_events(const struct snapshot_death *death)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < death->n_events; i++) {
		const struct snapshot_event *e = &death->events[i];

		json_array_append_new(array, json_pack("{s:o, s:s, s:o, s:o}", "atMs",
						       number(e->at_ms), "kind",
						       segment_event_name(e->kind), "a",
						       number(e->a), "b", number(e->b)));
	}
	return array;
}

static json_t *report_death(const struct snapshot *s, const struct snapshot_death *death)
{
	char at[CLOCK_TEXT_SIZE];

	clock_wall_text((int64_t)death->wall_ms, at);
	return json_pack(
		"{s:s, s:f, s:i, s:s, s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o}",
		"at", at, "agoSeconds", (double)death_ago_ms(s, death) / 1e3, "seat",
		(int)death->seat, "role",
		death->role == ROLE_WORKER ? "worker" : "sequencer", "pid",
		number(death->pid), "generation", number(death->generation), "reason",
		exit_reason_name(death->reason), "signal", number(death->signal), "code",
		number(death->code), "phase", phase_name(death->phase), "livedMs",
		number(death->lived_ms), "links", number(death->links), "members",
		number(death->members), "back", number(death->back), "whole",
		number(death->whole), "trimmed", number(death->trimmed), "events",
		report_events(death));
}

json_t *deaths_report(const struct snapshot *snapshot)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < snapshot->n_deaths; i++)
		json_array_append_new(array,
				      report_death(snapshot, &snapshot->deaths[i]));
	return array;
}

/* ---- in words ------------------------------------------------------------------- */

uint64_t death_ago_ms(const struct snapshot *snapshot, const struct snapshot_death *death)
{
	return snapshot->uptime_ms > death->uptime_ms
		       ? snapshot->uptime_ms - death->uptime_ms
		       : 0;
}

static void say_how(const struct snapshot_death *death, char out[48])
{
	if (death->signal)
		snprintf(out, 48, "%s, signal %" PRIu64, exit_reason_name(death->reason),
			 death->signal);
	else
		snprintf(out, 48, "%s, code %" PRIu64, exit_reason_name(death->reason),
			 death->code);
}

static void say_returns(const struct snapshot_death *death, char out[112])
{
	char trimmed[40] = "";

	if (death->trimmed)
		snprintf(trimmed, sizeof trimmed, ", %" PRIu64 " trimmed",
			 death->trimmed);
	if (death->links)
		snprintf(out, 112,
			 "%" PRIu64 " of %" PRIu64 " links are back, %" PRIu64 " whole%s",
			 death->back, death->links, death->whole, trimmed);
	else
		snprintf(out, 112, "no link was lost");
}

void death_words(const struct snapshot *snapshot, const struct snapshot_death *death,
		 char ret_words[DEATH_WORDS])
{
	char who[24] = "sequencer", how[48], returns[112];

	if (death->role == ROLE_WORKER)
		snprintf(who, sizeof who, "worker %u", death->seat);
	say_how(death, how);
	say_returns(death, returns);
	snprintf(ret_words, DEATH_WORDS, "%s died %" PRIu64 " s ago (%s, in %s): %s", who,
		 death_ago_ms(snapshot, death) / 1000, how, phase_name(death->phase),
		 returns);
}
