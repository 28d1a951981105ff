/*
 * child - one process's life in its slot, from its start until it is reaped.
 *
 *   free -> starting -> up -> stopping -> free     asked to leave
 *                         \-> aborting -> free     hung, never ready, or dying
 *
 * Every change is published in the slot's words before the verb returns. A child
 * knows nothing of seats but the number of its own; what follows from its end is
 * the supervisor's business. Times are milliseconds of the supervisor's clock.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/segment.h"

#define CHILD_EVENTS(X) X(spawned) X(ready) X(stop) X(abort) X(dumps) X(overdue) X(ended)
enum child_event {
#define X(s) CHILD_ON_##s,
	CHILD_EVENTS(X)
#undef X
	CHILD_EVENT_COUNT
};

enum {
	CHILD_ABORT_GRACE_MS = 10000, /* between ABRT and KILL, for handlers and a core */
	CHILD_DUMP_MAX_MS = 60000,    /* for a core that is being written */
};

#define CHILD_MAGIC 0x6b1d0c4eu

struct child {
	unsigned magic;
	unsigned slot;
	struct segment_child *words;        /* lent for life */
	int (*kill)(pid_t pid, int signal); /* kill(2); tests have their own */
	enum child_state state;

	/* Of the process in the slot; 0 when free. */
	enum role role;
	unsigned seat;
	pid_t pid;
	uint64_t generation;
	uint64_t settings; /* version of the settings it was started with */
	uint64_t spawned_ms;
	uint64_t ready_ms;    /* 0: not yet */
	uint64_t deadline_ms; /* when it is killed; 0: never */
	enum exit_reason why; /* why we end it; EXIT_none if we do not */
	bool overdue;         /* its deadline passed: killed */
	enum hang_kind hang;

	/* Its beat as seen, and its processor time since shortly after. */
	uint64_t beat, beat_seen_ms, watched_from_ms, cpu_before_ms;
};

/* How a process ended. */
struct child_end {
	enum exit_reason reason;
	int signal, code;
};

void child_init(struct child *child, unsigned slot, struct segment_child *words);

/* The same for one whose own numbers are there, from another program. */
void child_adopt(struct child *child, unsigned slot, struct segment_child *words);

/* What is told before the fork, so that the process finds it: slot free, state still. */
void child_announce(struct child *child, enum role role, unsigned seat,
		    uint64_t generation);

/* It runs; killed when not ready by deadline_ms. */
void child_spawned(struct child *child, pid_t pid, uint64_t now_ms, uint64_t deadline_ms);

void child_ready(struct child *child, uint64_t now_ms);

/* TERM; killed at deadline_ms. Again: only an earlier deadline counts. */
void child_stop(struct child *child, uint64_t deadline_ms);

/* It hangs: ABRT, and CONT because a stopped process takes no ABRT, in the end KILL. */
void child_abort(struct child *child, uint64_t now_ms);

/* It died by itself and its core is being written: it serves no more. */
void child_dumps(struct child *child, uint64_t now_ms);

/* Kills it if its deadline is over. */
void child_tick(struct child *child, uint64_t now_ms);

/* How it ended, from the status of waitpid. */
struct child_end child_end_of(const struct child *child, int status);

/* Reaped: the slot is free. */
void child_ended(struct child *child);

void child_set_hang(struct child *child, enum hang_kind hang);

/* The machine stood still for late_ms: nobody is to blame for it. */
void child_rearm(struct child *child, uint64_t now_ms, uint64_t late_ms);

/* The table itself, for its test: false where the pair must not happen. */
bool child_step(enum child_state state, enum child_event event,
		enum child_state *ret_next);

#endif
