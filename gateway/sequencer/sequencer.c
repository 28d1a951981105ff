#include "gateway/sequencer/sequencer.h"

#include "common/check.h"
#include "common/log.h"
#include "gateway/sequencer/inside.h"

enum {
	ORPHAN_LEAVE_MS = 2500, /* without a supervisor: after the workers have drained */
	FLUSH_MS = 800,         /* less than the supervisor grants one that is hurried */
};

/* ---- the loop ---- */

void sequencer_wrote(struct sequencer *s, int r)
{
	/* Ours are no longer than what they answer, so they fit. */
	CHECK(r == 0);
	counter_add(s->slot, COUNTER_bus_written, 1);
	s->wrote = true;
}

static void wake_workers(struct sequencer *s)
{
	for (unsigned i = 0; s->wrote && i < s->n_readers; i++)
		if (bus_wake(s->bus, i))
			counter_add(s->slot, COUNTER_bus_wakeups, 1);
	s->wrote = false;
}

static bool on_turn(void *app)
{
	struct sequencer *s = app;

	process_phase(&s->process, PHASE_sequencing);
	wake_workers(s); /* first of all: what was committed since the last turn */
	intake_turn(s);
	committer_turn(&s->committer);
	wake_workers(s);
	counter_set(s->slot, COUNTER_bus_head, bus_written(s->bus));
	if (s->leaving && committer_is_done(&s->committer))
		uv_stop(&s->loop);
	return false;
}

static void on_beat(void *app)
{
	struct sequencer *s = app;

	committer_tick(&s->committer);
}

/* ---- life ---- */

static void on_late(uv_timer_t *timer)
{
	struct sequencer *s = timer->data;

	uv_stop(&s->loop);
}

/* What was taken is committed first, for whoever still waits for the answer. */
static void on_term(void *app)
{
	struct sequencer *s = app;

	s->leaving = true;
	CHECK(uv_timer_start(&s->leave, on_late, FLUSH_MS, 0) == 0);
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
	intake_start(s);
	return 0;
}

static int start(struct sequencer *s, struct why *why)
{
	struct process_events events = {
		.app = s,
		.turn = on_turn,
		.look = on_beat,
		.term = on_term,
		.orphan = on_orphan,
	};
	struct process_bus bus = { .readers = s->readers,
				   .wake_fd = inherited_wake(s->inherited->slot) };
	int r = open_memory(s, why);

	if (r < 0)
		return r;
	bus.bus = s->bus;
	bus.n_readers = s->n_readers;
	r = process_start(&s->process, &s->loop, s->slot, &bus, &events, why);
	if (r < 0)
		return r;
	CHECK(uv_timer_init(&s->loop, &s->leave) == 0);
	s->leave.data = s;
	s->looping = true;
	r = keeping_start(s, why);
	if (r < 0)
		return r;
	/* Who hears this submits again what has no answer. */
	sequencer_wrote(s, record_write_hello(s->bus, intake_first_epoch(s)));
	return 0;
}

static void stop(struct sequencer *s)
{
	process_stop(&s->process);
	keeping_stop(s);
	if (s->looping)
		uv_close((uv_handle_t *)&s->leave, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&s->loop) == 0);
	keeping_release(s);
	bus_close(s->bus);
	if (s->segment)
		segment_close(s->segment, false);
}

int sequencer_run(const struct inherited *inherited, const struct settings *settings)
{
	struct sequencer s = { .inherited = inherited, .settings = settings };
	struct why why;
	int r;

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
