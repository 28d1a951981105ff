/*
 * process - what every child process does besides its work: beat, turn, sleep, signals.
 *
 * Embedded in its owner. The beat counts up every SEGMENT_BEAT_MS on the owner's
 * loop, so it stands still when the loop does. At the end of each turn of the loop
 * the owner is asked to do its turn, and the process then sleeps only if the bus has
 * no news for it. TERM asks the owner to leave in order; the end of the lifeline
 * says that the supervisor is gone.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <uv.h>

#include "common/segment_writer.h"
#include "common/why.h"
#include "gateway/bus/bus.h"

struct process_events {
	void *app;
	/* The end of a turn: read the bus, write what is due. True: there is more to do,
	 * as soon as timers and sockets had their turn. */
	bool (*turn)(void *app);
	void (*look)(void *app);   /* after each beat and wake; may be NULL */
	void (*term)(void *app);   /* TERM: leave in order; at most once */
	void (*orphan)(void *app); /* the supervisor is gone; at most once */
};

/* The process's end of the bus; lent for the process's life. */
struct process_bus {
	struct bus *bus;
	const struct bus_reader *readers;
	unsigned n_readers;
	int wake_fd; /* the eventfd that others write to wake us */
};

struct process {
	uv_loop_t *loop;
	struct segment_slot *slot;
	struct process_events events;
	struct process_bus bus;
	uv_timer_t beat;
	uv_signal_t term;
	uv_poll_t lifeline, wake;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t busy; /* runs while there is more to do: the loop must not block */
	uint64_t started_ms, next_beat_us;
};

/* Starts on `loop`; -errno with the reason. */
int process_start(struct process *process, uv_loop_t *loop, struct segment_slot *slot,
		  const struct process_bus *bus, const struct process_events *events,
		  struct why *why);

/* Closes its handles, those of a failed start or of none at all, too (then it must be
 * zeroed); they are gone when the loop has run on. */
void process_stop(struct process *process);

/* Milliseconds since process_start, for the flight recorder. */
uint64_t process_ms(const struct process *process);

static inline void process_phase(struct process *process, enum phase phase)
{
	word_set(&process->slot->phase, phase);
}

#endif
