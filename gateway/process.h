/*
 * process - what every child process does besides its work: beat, phase, signals.
 *
 * Embedded in its owner. The beat counts up every SEGMENT_BEAT_MS on the owner's
 * loop, so it stands still when the loop does. TERM asks the owner to leave in
 * order; the end of the lifeline says that the supervisor is gone.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <uv.h>

#include "common/segment_writer.h"
#include "common/why.h"

struct process_events {
	void *app;
	void (*beat)(void *app);   /* after each beat; may be NULL */
	void (*term)(void *app);   /* TERM: leave in order; at most once */
	void (*orphan)(void *app); /* the supervisor is gone; at most once */
};

struct process {
	uv_loop_t *loop;
	struct segment_slot *slot;
	struct process_events events;
	uv_timer_t beat;
	uv_signal_t term;
	uv_poll_t lifeline;
	uint64_t started_ms, next_beat_ms;
};

/* Starts on `loop` with the inherited lifeline; -errno with the reason. */
int process_start(struct process *process, uv_loop_t *loop, struct segment_slot *slot,
		  const struct process_events *events, struct why *why);

/* Closes its handles; they are gone when the loop has run once more. */
void process_stop(struct process *process);

/* Milliseconds since process_start, for the flight recorder. */
uint64_t process_ms(const struct process *process);

static inline void process_phase(struct process *process, enum phase phase)
{
	word_set(&process->slot->phase, phase);
}

#endif
