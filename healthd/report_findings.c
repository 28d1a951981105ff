#include "healthd/report_findings.h"

#include "common/clock.h"

static json_t *integer(bool known, int64_t value)
{
	return known ? json_integer((json_int_t)value) : json_null();
}

static json_t *milliseconds(bool known, uint64_t us)
{
	return known ? json_real((double)us / 1e3) : json_null();
}

static json_t *age_s(const struct canary_found *found, const struct canary_seat *seat)
{
	uint64_t age_ns = found->now_ns > seat->ok_ns ? found->now_ns - seat->ok_ns : 0;
	uint64_t age_ms = age_ns / MS_NS;

	return seat->passed ? json_real((double)age_ms / 1e3) : json_null();
}

/* ---- canary --------------------------------------------------------------------- */

static json_t *canary_workers(const struct canary_found *found)
{
	json_t *workers = json_array();

	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++) {
		const struct canary_seat *seat = &found->seats[i];

		if (!seat->generation)
			continue;
		json_array_append_new(
			workers,
			json_pack("{s:i, s:b, s:i, s:s?, s:o, s:o, s:o}", "seat", (int)i,
				  "reached", seat->passed || seat->failures, "failures",
				  (int)seat->failures, "failedAt",
				  seat->failures ? canary_stage_name(seat->last) : NULL,
				  "ageS", age_s(found, seat), "sentMs",
				  milliseconds(seat->passed, seat->sent_us),
				  "deliveredMs",
				  milliseconds(seat->passed, seat->delivered_us)));
	}
	return workers;
}

static json_t *report_canary(const struct canary_found *found, bool verbose)
{
	const struct canary_seat *last = &found->last;

	return json_pack("{s:s, s:s*, s:i, s:o, s:o, s:o, s:o*}", "status",
			 canary_state_name(found->state), "reason",
			 *found->reason ? found->reason : NULL, "failures",
			 (int)found->failures, "ageS", age_s(found, last), "sentMs",
			 milliseconds(last->passed, last->sent_us), "deliveredMs",
			 milliseconds(last->passed, last->delivered_us), "workers",
			 verbose ? canary_workers(found) : NULL);
}

/* ---- audit ---------------------------------------------------------------------- */

static json_t *audit_workers(const struct audit_found *found)
{
	json_t *workers = json_array();

	for (unsigned i = 0; found->known && i < SEGMENT_SEATS_MAX; i++)
		if (found->seats[i].known)
			json_array_append_new(
				workers,
				json_pack("{s:i, s:I, s:I}", "seat", (int)i, "drift",
					  (json_int_t)found->seats[i].drift, "sockets",
					  (json_int_t)found->seats[i].sockets));
	return workers;
}

static json_t *report_audit(const struct audit_found *found, bool verbose)
{
	return json_pack("{s:s, s:s*, s:o, s:o, s:s?, s:b, s:o*}", "status",
			 audit_state_name(found->state), "reason",
			 *found->reason ? found->reason : NULL, "drift",
			 integer(found->known, found->drift), "sockets",
			 integer(found->known, (int64_t)found->sockets), "source",
			 found->source, "perWorker", found->known && found->per_worker,
			 "workers", verbose ? audit_workers(found) : NULL);
}

int report_findings(const struct findings *findings, bool verbose, json_t *components)
{
	if (!findings)
		return 0;
	if (json_object_set_new(components, "canary",
				report_canary(findings->canary, verbose)) < 0)
		return -1;
	return json_object_set_new(components, "audit",
				   report_audit(findings->audit, verbose));
}
