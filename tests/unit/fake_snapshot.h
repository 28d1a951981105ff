/*
 * fake_snapshot - a gateway as a look would see it, made by hand for unit tests.
 */
#ifndef FAKE_SNAPSHOT_H
#define FAKE_SNAPSHOT_H

#include <string.h>

#include "common/clock.h"
#include "common/segment_reader.h"
#include "healthd/judge.h"

enum {
	FAKE_SEQUENCER_SEAT = 2,
	FAKE_SEQUENCER_SLOT = 4
};

static const struct judge_limits fake_limits = {
	.hang_report_ms = 1000,
	.hang_act_ms = 3000,
	.start_grace_ms = 30000,
	.store_slow_ms = 500,
	.store_grace_ms = 2000,
};

/* The past of a gateway that is well and was ready. */
static const struct judge_history fake_past = {
	.seen = true,
	.counts = true,
	.was_ready = true,
	.good_looks = 10,
};

/* A process that is up and turns takes the slot and serves the seat. */
static inline struct snapshot_slot *fake_process(struct snapshot *s, unsigned slot,
						 unsigned seat)
{
	s->slots[slot] = (struct snapshot_slot){
		.alive = true,
		.counted = true,
		.state = CHILD_up,
		.role = s->seats[seat].role,
		.seat = seat,
		.pid = 1000 + slot,
		.generation = 1 + slot,
		.beat = 50,
		.phase = PHASE_polling,
		.ready = 1,
	};
	s->slots[slot].counters[COUNTER_listeners] = 1;
	s->seats[seat].state = SEAT_serving;
	s->seats[seat].slot = (int)slot;
	return &s->slots[slot];
}

/* An SQLite store that is well. */
static inline void fake_store(struct snapshot_slot *sequencer)
{
	sequencer->counters[COUNTER_store_state] = 1;
	sequencer->counters[COUNTER_store_driver] = 1;
	sequencer->counters[COUNTER_store_latency_us] = 420;
	sequencer->counters[COUNTER_store_last_ok_ms] = 1787724298000;
	sequencer->counters[COUNTER_store_queue] = 3;
}

/* Two workers and the sequencer, all well; 5 + 3 connected, 17 ever. */
static inline void fake_gateway(struct snapshot *s)
{
	memset(s, 0, sizeof *s);
	s->look = LOOK_ok;
	s->supervisor_known = s->supervisor_alive = true;
	s->instance[0] = 0x0123456789abcdef;
	s->instance[1] = 0xfedcba9876543210;
	memcpy(s->build, "1.2.3", sizeof "1.2.3");
	s->state = GATEWAY_running;
	s->pid = 999;
	s->uptime_ms = 1234567;
	s->port = 8080;
	s->ever_ready = 1;
	s->connections_max = 100;
	s->hang_report_ms = 1000;
	s->hang_act_ms = 3000;
	s->n_workers = 2;
	s->n_seats = 3;
	s->n_slots = 5;
	s->seats[FAKE_SEQUENCER_SEAT].role = ROLE_SEQUENCER;
	fake_process(s, 0, 0)->counters[COUNTER_links_active] = 5;
	fake_process(s, 1, 1)->counters[COUNTER_links_active] = 3;
	fake_store(fake_process(s, FAKE_SEQUENCER_SLOT, FAKE_SEQUENCER_SEAT));
	s->slots[0].counters[COUNTER_links_opened] = 6;
	s->slots[1].counters[COUNTER_links_opened] = 4;
	s->retired[COUNTER_links_opened] = 7;
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		s->has[i] = true;
}

/* The kernel says that nobody lives. */
static inline void fake_death(struct snapshot *s)
{
	s->supervisor_alive = false;
	for (unsigned i = 0; i < s->n_slots; i++)
		s->slots[i].alive = false;
}

/* A seat whose process has ended and that waits for the next. */
static inline void fake_empty(struct snapshot *s, unsigned seat, enum seat_state state,
			      enum exit_reason reason)
{
	s->slots[s->seats[seat].slot].alive = false;
	s->seats[seat].slot = -1;
	s->seats[seat].state = state;
	s->seats[seat].last_reason = reason;
	s->seats[seat].deaths[reason]++;
}

static inline void fake_hang(struct snapshot *s, unsigned slot, enum hang_kind hang,
			     uint64_t age_ms)
{
	s->slots[slot].hang = hang;
	s->slots[slot].beat_age_ns = age_ms * MS_NS;
}

/* A look that failed: nothing else is in it. */
static inline void fake_failed(struct snapshot *s, enum look look, const char *reason)
{
	memset(s, 0, sizeof *s);
	s->look = look;
	strncpy(s->reason, reason, sizeof s->reason - 1);
}

#endif
