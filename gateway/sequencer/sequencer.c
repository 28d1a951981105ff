#include "gateway/sequencer/sequencer.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "gateway/bus/records.h"
#include "gateway/process.h"
#include "gateway/sequencer/heads.h"

enum {
	TURN_MAX = 256, /* submissions of one worker before the next has its turn */
	ORPHAN_LEAVE_MS = 2500, /* without a supervisor: after the workers have drained */
};

struct sequencer {
	const struct inherited *inherited;
	uv_loop_t loop;
	struct process process;
	uv_timer_t leave;
	struct segment *segment;
	struct segment_slot *slot;
	struct bus *bus;
	struct heads *heads;
	struct bus_reader readers[SEGMENT_SLOTS_MAX]; /* one per worker's slot */
	uint64_t epochs[SEGMENT_SLOTS_MAX];           /* see records.h */
	bool lost[SEGMENT_SLOTS_MAX]; /* to be told its epoch at the end of the turn */
	unsigned n_readers;
	bool wrote, looping;
};

/* ---- numbering ---- */

static void wrote(struct sequencer *s, int r)
{
	/* Ours are no longer than what they answer, so they fit. */
	CHECK(r == 0);
	counter_add(s->slot, COUNTER_bus_written, 1);
	s->wrote = true;
}

/* Published first, then the head: what lies between is replayed by a successor. */
static void number(struct sequencer *s, uint32_t slot, const struct record_submit *submit)
{
	struct record_message out = {
		.slot = slot,
		.generation = submit->generation,
		.ticket = submit->ticket,
		.message = submit->message,
	};
	struct record_refused refused = { slot, submit->generation, submit->ticket,
					  REFUSED_unavailable };

	if (heads_reserve(s->heads, submit->message.room) < 0) {
		wrote(s, record_write_refused(s->bus, &refused));
		return;
	}
	out.message.seq = heads_get(s->heads, submit->message.room) + 1;
	out.message.at_ms = clock_wall_ms();
	wrote(s, record_write_message(s->bus, &out));
	heads_set(s->heads, out.message.room, out.message.seq);
	heads_set_applied(s->heads, bus_written(s->bus));
	counter_add(s->slot, COUNTER_messages, 1);
}

static void submitted(struct sequencer *s, uint32_t slot, const struct bus_record *record)
{
	struct record_submit submit;

	if (record_read_submit(record, &submit) < 0)
		LOG(warning, "bus nonsense slot=%u type=%u", slot, record->type);
	else if (submit.epoch != s->epochs[slot])
		s->lost[slot] = true;
	else
		number(s, slot, &submit);
}

/* Ends the slot's epoch: what it submitted meanwhile must not overtake what was lost. */
static void lapped(struct sequencer *s, uint32_t slot)
{
	counter_add(s->slot, COUNTER_bus_overruns, 1);
	segment_record(s->slot, EVENT_bus_overrun, process_ms(&s->process), slot, 0);
	LOG(warning, "bus overrun slot=%u", slot);
	s->epochs[slot]++;
	s->lost[slot] = true;
}

static bool read_one(struct sequencer *s, struct bus_reader *reader)
{
	struct bus_record record;
	int r = bus_read(s->bus, reader, &record);

	if (r > 0) {
		counter_add(s->slot, COUNTER_bus_read, 1);
		submitted(s, reader->end, &record);
	} else if (r < 0) {
		lapped(s, reader->end);
	}
	return r != 0;
}

static void tell_lost(struct sequencer *s)
{
	for (uint32_t slot = 0; slot < s->n_readers; slot++) {
		if (s->lost[slot])
			wrote(s, record_write_lost(s->bus, slot, s->epochs[slot]));
		s->lost[slot] = false;
	}
}

static void on_turn(void *app)
{
	struct sequencer *s = app;

	process_phase(&s->process, PHASE_sequencing);
	for (unsigned i = 0; i < s->n_readers; i++)
		for (int n = 0; n < TURN_MAX && read_one(s, &s->readers[i]); n++)
			;
	tell_lost(s);
	for (unsigned i = 0; s->wrote && i < s->n_readers; i++)
		if (bus_wake(s->bus, i))
			counter_add(s->slot, COUNTER_bus_wakeups, 1);
	s->wrote = false;
}

/* What a predecessor published but did not enter into the heads before it died. */
static void replay(struct sequencer *s)
{
	struct bus_reader reader = { s->inherited->slot, heads_applied(s->heads) };
	struct record_message said;
	struct bus_record record;
	int r;

	while ((r = bus_read(s->bus, &reader, &record)) > 0) {
		if (record_read_message(&record, &said) < 0)
			continue;
		/* A room with a number has a place: that came first. */
		heads_set(s->heads, said.message.room, said.message.seq);
	}
	if (r < 0)
		LOG(error, "room heads may be behind why=\"the ring was overwritten\"");
	heads_set_applied(s->heads, bus_written(s->bus));
}

/* ---- life ---- */

static void on_term(void *app)
{
	struct sequencer *s = app;

	uv_stop(&s->loop);
}

static void on_leave(uv_timer_t *timer)
{
	on_term(timer->data);
}

static void on_orphan(void *app)
{
	struct sequencer *s = app;

	CHECK(uv_timer_start(&s->leave, on_leave, ORPHAN_LEAVE_MS, 0) == 0);
}

/* Epochs of one sequencer's life are no other's. */
static uint64_t first_epoch(const struct inherited *inherited)
{
	return (inherited->generation + 1) << 32;
}

static int open_memory(struct sequencer *s, struct why *why)
{
	const struct inherited *inherited = s->inherited;
	int wake_fds[SEGMENT_SLOTS_MAX];
	int r = segment_attach(INHERIT_SEGMENT, inherited->slot, inherited->generation,
			       ROLE_SEQUENCER, inherited->seat, &s->segment, why);

	if (r < 0)
		return r;
	s->slot = segment_slot(s->segment, inherited->slot);
	for (unsigned i = 0; i < inherited->n_slots; i++)
		wake_fds[i] = inherited_wake(i);
	r = bus_open(INHERIT_BUS, inherited->slot, wake_fds, inherited->n_slots, &s->bus,
		     why);
	if (r < 0)
		return r;
	s->n_readers = inherited->n_slots - 1; /* all but our own, the last */
	for (unsigned i = 0; i < s->n_readers; i++) {
		bus_reader_from_now(&s->readers[i], s->bus, i);
		s->epochs[i] = first_epoch(inherited);
	}
	return heads_open(INHERIT_HEADS, true, &s->heads, why);
}

static int start(struct sequencer *s, struct why *why)
{
	struct process_events events = {
		.app = s,
		.turn = on_turn,
		.term = on_term,
		.orphan = on_orphan,
	};
	struct process_bus bus = { .readers = s->readers,
				   .wake_fd = inherited_wake(s->inherited->slot) };
	int r = open_memory(s, why);

	if (r < 0)
		return r;
	replay(s);
	bus.bus = s->bus;
	bus.n_readers = s->n_readers;
	r = process_start(&s->process, &s->loop, s->slot, &bus, &events, why);
	if (r < 0)
		return r;
	CHECK(uv_timer_init(&s->loop, &s->leave) == 0);
	s->leave.data = s;
	s->looping = true;
	/* Who hears this submits again what has no answer. */
	wrote(s, record_write_hello(s->bus, first_epoch(s->inherited)));
	return 0;
}

static void stop(struct sequencer *s)
{
	process_stop(&s->process);
	if (s->looping)
		uv_close((uv_handle_t *)&s->leave, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&s->loop) == 0);
	heads_close(s->heads);
	bus_close(s->bus);
	if (s->segment)
		segment_close(s->segment, false);
}

int sequencer_run(const struct inherited *inherited, const struct settings *settings)
{
	struct sequencer s = { .inherited = inherited };
	struct why why;
	int r;

	(void)settings; /* none of them is the sequencer's */
	CHECK(uv_loop_init(&s.loop) == 0);
	r = start(&s, &why);
	if (r < 0) {
		LOG(error, "sequencer cannot start why=\"%s\"", why.text);
	} else {
		word_set(&s.slot->ready, 1);
		segment_record(s.slot, EVENT_ready, process_ms(&s.process), 0, 0);
		inherited_ready();
		uv_run(&s.loop, UV_RUN_DEFAULT);
	}
	stop(&s);
	return r < 0 ? 1 : 0;
}
