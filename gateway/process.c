#include "gateway/process.h"

#include <signal.h>

#include "common/log.h"
#include "gateway/inherit.h"

enum {
	SLOW_LOOP_MS = 200
}; /* a beat that much late is worth a record */

uint64_t process_ms(const struct process *process)
{
	return uv_now(process->loop) - process->started_ms;
}

static void on_beat(uv_timer_t *timer)
{
	struct process *p = timer->data;
	uint64_t now_ms = uv_now(p->loop);
	uint64_t late_ms = now_ms > p->next_beat_ms ? now_ms - p->next_beat_ms : 0;

	p->next_beat_ms = now_ms + SEGMENT_BEAT_MS;
	word_add(&p->slot->beat, 1);
	counter_set(p->slot, COUNTER_loop_lag_us, late_ms * 1000);
	counter_set(p->slot, COUNTER_log_dropped, log_dropped());
	if (late_ms > SLOW_LOOP_MS)
		segment_record(p->slot, EVENT_slow_loop, process_ms(p), late_ms, 0);
	if (p->events.beat)
		p->events.beat(p->events.app);
}

static void on_term(uv_signal_t *signal, int number)
{
	struct process *p = signal->data;

	(void)number;
	uv_signal_stop(signal);
	p->events.term(p->events.app);
}

/* Readable means its end: the supervisor never writes to it. */
static void on_lifeline(uv_poll_t *poll, int status, int events)
{
	struct process *p = poll->data;

	(void)status;
	(void)events;
	uv_poll_stop(poll);
	p->events.orphan(p->events.app);
}

int process_start(struct process *p, uv_loop_t *loop, struct segment_slot *slot,
		  const struct process_events *events, struct why *why)
{
	int r;

	p->loop = loop;
	p->slot = slot;
	p->events = *events;
	p->started_ms = uv_now(loop);
	p->next_beat_ms = p->started_ms + SEGMENT_BEAT_MS;
	r = uv_timer_init(loop, &p->beat);
	if (r == 0)
		r = uv_signal_init(loop, &p->term);
	if (r == 0)
		r = uv_poll_init(loop, &p->lifeline, INHERIT_LIFELINE);
	if (r < 0)
		return why_set(why, r, "cannot start on the loop: %s", uv_strerror(r));
	p->beat.data = p->term.data = p->lifeline.data = p;
	r = uv_timer_start(&p->beat, on_beat, SEGMENT_BEAT_MS, SEGMENT_BEAT_MS);
	if (r == 0)
		r = uv_signal_start(&p->term, on_term, SIGTERM);
	if (r == 0)
		r = uv_poll_start(&p->lifeline, UV_READABLE | UV_DISCONNECT, on_lifeline);
	if (r < 0)
		return why_set(why, r, "cannot start on the loop: %s", uv_strerror(r));
	segment_record(slot, EVENT_started, 0, 0, 0);
	return 0;
}

void process_stop(struct process *p)
{
	uv_close((uv_handle_t *)&p->beat, NULL);
	uv_close((uv_handle_t *)&p->term, NULL);
	uv_close((uv_handle_t *)&p->lifeline, NULL);
}
