#include "gateway/process.h"

#include <signal.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "gateway/inherit.h"

enum {
	SEGMENT_BEAT_US = SEGMENT_BEAT_MS * 1000,
	SLOW_LOOP_US = 200000, /* a beat that much late is worth a record */
};

uint64_t process_ms(const struct process *process)
{
	return uv_now(process->loop) - process->started_ms;
}

static void look(struct process *p)
{
	if (p->events.look)
		p->events.look(p->events.app);
}

static void on_beat(uv_timer_t *timer)
{
	struct process *p = timer->data;
	uint64_t now_us = uv_hrtime() / 1000;
	uint64_t late_us = now_us > p->next_beat_us ? now_us - p->next_beat_us : 0;

	p->next_beat_us = now_us + SEGMENT_BEAT_US;
	word_add(&p->slot->beat, 1);
	counter_set(p->slot, COUNTER_loop_lag_us, late_us);
	histogram_observe(p->slot, HISTOGRAM_loop_lag, late_us);
	counter_set(p->slot, COUNTER_log_dropped, log_dropped());
	if (late_us > SLOW_LOOP_US)
		segment_record(p->slot, EVENT_slow_loop, process_ms(p), late_us / 1000,
			       0);
	look(p);
}

static void on_term(uv_signal_t *signal, int number)
{
	struct process *p = signal->data;

	(void)number;
	(void)uv_signal_stop(signal); /* of a started handle: cannot fail */
	p->events.term(p->events.app);
}

/* Readable means its end: the supervisor never writes to it. */
static void on_lifeline(uv_poll_t *poll, int status, int events)
{
	struct process *p = poll->data;

	(void)status;
	(void)events;
	(void)uv_poll_stop(poll); /* likewise */
	p->events.orphan(p->events.app);
}

/* News on the bus, or a seat without a worker. */
static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct process *p = poll->data;
	uint64_t count;

	(void)status;
	(void)events;
	/* Only resets it; the turn reads the bus in any case. */
	if (read(p->bus.wake_fd, &count, sizeof count) == sizeof count)
		look(p);
}

static void on_busy(uv_idle_t *handle)
{
	(void)handle; /* only keeps the loop from blocking */
}

static void on_prepare(uv_prepare_t *handle)
{
	struct process *p = handle->data;
	bool more = p->events.turn(p->events.app);

	counter_add(p->slot, COUNTER_loop_turns, 1);
	/* Neither call fails on an idle handle of a loop that runs. */
	if (!more && bus_sleep(p->bus.bus, p->bus.readers, p->bus.n_readers))
		(void)uv_idle_stop(&p->busy);
	else
		(void)uv_idle_start(&p->busy, on_busy);
	process_phase(p, PHASE_polling);
}

static void on_check(uv_check_t *handle)
{
	struct process *p = handle->data;

	bus_awake(p->bus.bus);
	process_phase(p, PHASE_reading);
}

/* Handles that only need the loop: these calls do not fail. */
static void start_turns(struct process *p)
{
	CHECK(uv_timer_init(p->loop, &p->beat) == 0);
	CHECK(uv_prepare_init(p->loop, &p->prepare) == 0);
	CHECK(uv_check_init(p->loop, &p->check) == 0);
	CHECK(uv_idle_init(p->loop, &p->busy) == 0);
	p->beat.data = p->prepare.data = p->check.data = p;
	CHECK(uv_timer_start(&p->beat, on_beat, SEGMENT_BEAT_MS, SEGMENT_BEAT_MS) == 0);
	CHECK(uv_prepare_start(&p->prepare, on_prepare) == 0);
	CHECK(uv_check_start(&p->check, on_check) == 0);
}

static int start_watches(struct process *p)
{
	int r = uv_signal_init(p->loop, &p->term);

	if (r == 0)
		r = uv_poll_init(p->loop, &p->lifeline, INHERIT_LIFELINE);
	if (r == 0)
		r = uv_poll_init(p->loop, &p->wake, p->bus.wake_fd);
	if (r < 0)
		return r;
	p->term.data = p->lifeline.data = p->wake.data = p;
	r = uv_signal_start(&p->term, on_term, SIGTERM);
	if (r == 0)
		r = uv_poll_start(&p->lifeline, UV_READABLE | UV_DISCONNECT, on_lifeline);
	if (r == 0)
		r = uv_poll_start(&p->wake, UV_READABLE, on_wake);
	return r;
}

int process_start(struct process *p, uv_loop_t *loop, struct segment_slot *slot,
		  const struct process_bus *bus, const struct process_events *events,
		  struct why *why)
{
	int r;

	*p = (struct process){
		.loop = loop, .slot = slot, .bus = *bus, .events = *events
	};
	uv_update_time(loop);
	p->started_ms = uv_now(loop);
	p->next_beat_us = uv_hrtime() / 1000 + SEGMENT_BEAT_US;
	r = start_watches(p);
	if (r < 0)
		return why_set(why, r, "cannot start on the loop: %s", uv_strerror(r));
	start_turns(p);
	segment_record(slot, EVENT_started, 0, 0, 0);
	return 0;
}

void process_stop(struct process *p)
{
	uv_handle_t *handles[] = {
		(uv_handle_t *)&p->beat,     (uv_handle_t *)&p->term,
		(uv_handle_t *)&p->lifeline, (uv_handle_t *)&p->wake,
		(uv_handle_t *)&p->prepare,  (uv_handle_t *)&p->check,
		(uv_handle_t *)&p->busy,
	};

	/* Of one that could not be started some handles never were. */
	for (unsigned i = 0; i < sizeof handles / sizeof handles[0]; i++)
		if (handles[i]->loop && !uv_is_closing(handles[i]))
			uv_close(handles[i], NULL);
}
