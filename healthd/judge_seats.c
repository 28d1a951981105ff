#include "healthd/judge_seats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"

enum {
	SEAT_NAME_SIZE = 32
};

/* ---- one process --------------------------------------------------------------- */

/* What the supervisor has found hung already, before we came to look, needs not be seen
 * still for as long again: only a beat takes that back. */
static bool stands_still(const struct snapshot_slot *slot,
			 const struct judge_limits *limits)
{
	return slot->beat_age_ns >= limits->hang_report_ms * MS_NS ||
	       (slot->hang != HANG_none &&
		slot->beat_age_ns >= 2 * SEGMENT_BEAT_MS * MS_NS);
}

/* One that starts is on its start time-out; one that is aborted has been judged. */
static bool should_turn(const struct snapshot_slot *slot)
{
	return slot->alive && (slot->state == CHILD_up || slot->state == CHILD_stopping);
}

const char *judge_hang(const struct snapshot_slot *slot,
		       const struct judge_limits *limits)
{
	if (!should_turn(slot) || !stands_still(slot, limits))
		return NULL;
	return slot->hang == HANG_none ? "unknown" : hang_kind_name(slot->hang);
}

const struct snapshot_slot *judge_serving(const struct snapshot *snapshot,
					  const struct snapshot_seat *seat)
{
	const struct snapshot_slot *slot;

	if (seat->slot < 0 || (unsigned)seat->slot >= snapshot->n_slots)
		return NULL;
	slot = &snapshot->slots[seat->slot];
	return slot->alive ? slot : NULL;
}

/* What cannot be true stays so, instead of becoming a small number. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* What two processes say of one gauge, together. */
static uint64_t join(enum counter id, uint64_t a, uint64_t b)
{
	if (id != COUNTER_tls_ends_s || !a || !b)
		return plus(a, b);
	return a < b ? a : b;
}

uint64_t judge_gauge(const struct snapshot *snapshot, int seat, enum counter id)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < snapshot->n_slots; i++) {
		const struct snapshot_slot *slot = &snapshot->slots[i];
		bool aborting = slot->state == CHILD_aborting;

		if (!slot->alive || !slot->counted)
			continue;
		if (seat >= 0 && slot->seat != (unsigned)seat)
			continue;
		if (aborting && id == COUNTER_links_closing)
			sum = plus(sum, slot->counters[COUNTER_links_active]);
		if (!aborting || id != COUNTER_links_active)
			sum = join(id, sum, slot->counters[id]);
	}
	return sum;
}

uint64_t judge_counter(const struct snapshot *snapshot, enum counter id)
{
	static const enum counter_kind kinds[COUNTER_COUNT] = {
#define COUNTER(name, KIND, unit, metric, label, help) [COUNTER_##name] = COUNTER_##KIND,
#include "common/counters.def"
#undef COUNTER
	};

	return kinds[id] == COUNTER_TOTAL ? snapshot_sum(snapshot, id)
					  : judge_gauge(snapshot, -1, id);
}

static bool accepts(const struct snapshot *snapshot, const struct snapshot_slot *slot)
{
	return !slot->counters[COUNTER_accept_paused] &&
	       (!snapshot->has[COUNTER_listeners] || slot->counters[COUNTER_listeners]);
}

/* ---- all of them --------------------------------------------------------------- */

static void find_seat(const struct snapshot *snapshot, const struct snapshot_seat *seat,
		      const struct judge_limits *limits, struct seats_found *found)
{
	const struct snapshot_slot *slot = judge_serving(snapshot, seat);

	found->restarts += seat->restarts;
	if (seat->role == ROLE_SEQUENCER) {
		found->sequencer_crash_loop |= seat->state == SEAT_crash_loop;
		return;
	}
	found->n_wanted++;
	found->n_crash_loop += seat->state == SEAT_crash_loop;
	if (slot && slot->state == CHILD_up && !stands_still(slot, limits)) {
		found->n_serving++;
		found->n_accepting += accepts(snapshot, slot);
	}
}

static void find_process(const struct snapshot_slot *slot,
			 const struct judge_limits *limits, struct seats_found *found)
{
	if (!slot->alive || slot->role != ROLE_WORKER || slot->state == CHILD_aborting)
		return;
	found->n_alive++;
	found->n_turning += should_turn(slot) && !stands_still(slot, limits);
	found->n_hung += judge_hang(slot, limits) != NULL;
	if (slot->beat_age_ns < found->least_age_ns)
		found->least_age_ns = slot->beat_age_ns;
}

void seats_find(const struct snapshot *snapshot, const struct judge_limits *limits,
		struct seats_found *ret_found)
{
	*ret_found = (struct seats_found){ .least_age_ns = UINT64_MAX };
	for (unsigned i = 0; i < snapshot->n_seats; i++)
		find_seat(snapshot, &snapshot->seats[i], limits, ret_found);
	for (unsigned i = 0; i < snapshot->n_slots; i++)
		find_process(&snapshot->slots[i], limits, ret_found);
}

/* ---- in words ------------------------------------------------------------------ */

void verdict_reason(struct verdict *verdict, const char *format, ...)
{
	va_list args;

	if (verdict->n_reasons == VERDICT_REASONS) {
		verdict->n_reasons_left_off++;
		return;
	}
	va_start(args, format);
	vsnprintf(verdict->reasons[verdict->n_reasons++], VERDICT_REASON_SIZE, format,
		  args);
	va_end(args);
}

/* "after it was killed (signal 9)"; "" for a seat that was never left. */
static const char *after(const struct snapshot_seat *seat, char out[64])
{
	out[0] = '\0';
	if (seat->last_reason == EXIT_none)
		return out;
	if (seat->last_signal)
		snprintf(out, 64, " after %s (signal %" PRIu64 ")",
			 exit_reason_name(seat->last_reason), seat->last_signal);
	else
		snprintf(out, 64, " after %s (code %" PRIu64 ")",
			 exit_reason_name(seat->last_reason), seat->last_code);
	return out;
}

/* Nobody serves the seat. */
static void reason_of_empty(const struct snapshot *snapshot,
			    const struct snapshot_seat *seat, const char *name,
			    struct verdict *verdict)
{
	uint64_t now_ms = snapshot->uptime_ms, wait_ms = 0;
	char last[64];

	after(seat, last);
	switch (seat->state) {
	case SEAT_crash_loop:
		verdict_reason(verdict, "crash loop: %s does not stay alive%s", name,
			       last);
		break;
	case SEAT_backoff:
		if (seat->retry_at_ms > now_ms)
			wait_ms = seat->retry_at_ms - now_ms;
		verdict_reason(verdict, "%s restarts in %.1f s%s", name,
			       (double)wait_ms / 1e3, last);
		break;
	case SEAT_starting:
		verdict_reason(verdict, "%s %s%s", name,
			       seat->last_reason == EXIT_none ? "starts" : "restarts",
			       last);
		break;
	case SEAT_serving:
	case SEAT_replacing: verdict_reason(verdict, "%s is gone", name); break;
	case SEAT_empty:
	default: verdict_reason(verdict, "%s is missing%s", name, last); break;
	}
}

static void reason_of(const struct snapshot *snapshot, const struct snapshot_seat *seat,
		      const struct judge_limits *limits, const char *name,
		      struct verdict *verdict)
{
	const struct snapshot_slot *slot = judge_serving(snapshot, seat);
	const char *hang = slot ? judge_hang(slot, limits) : NULL;

	if (hang)
		verdict_reason(verdict, "%s hung (%s) %.1f s in %s", name, hang,
			       (double)slot->beat_age_ns / 1e9, phase_name(slot->phase));
	else if (slot && slot->state == CHILD_aborting)
		verdict_reason(verdict, "%s is being aborted", name);
	else if (!slot || slot->state == CHILD_starting)
		reason_of_empty(snapshot, seat, name, verdict);
	else if (seat->role == ROLE_WORKER && slot->counters[COUNTER_accept_paused])
		verdict_reason(verdict, "%s accepts nobody: out of descriptors or full",
			       name);
}

/* A gateway that starts fills its seats, one that drains empties them. */
static bool as_it_should(const struct snapshot *snapshot,
			 const struct snapshot_seat *seat)
{
	if (snapshot->state == GATEWAY_draining)
		return !judge_serving(snapshot, seat);
	return snapshot->state == GATEWAY_starting && seat->last_reason == EXIT_none &&
	       (seat->state == SEAT_empty || seat->state == SEAT_starting);
}

void seats_reasons(const struct snapshot *snapshot, const struct judge_limits *limits,
		   struct verdict *verdict)
{
	char name[SEAT_NAME_SIZE] = "sequencer";

	for (unsigned i = snapshot->n_seats; i-- > 0;) {
		const struct snapshot_seat *seat = &snapshot->seats[i];

		if (seat->role == ROLE_SEQUENCER && !as_it_should(snapshot, seat))
			reason_of(snapshot, seat, limits, name, verdict);
	}
	for (unsigned i = 0; i < snapshot->n_seats; i++) {
		const struct snapshot_seat *seat = &snapshot->seats[i];

		if (seat->role != ROLE_WORKER || as_it_should(snapshot, seat))
			continue;
		snprintf(name, sizeof name, "worker %u", i);
		reason_of(snapshot, seat, limits, name, verdict);
	}
}
