/*
 * seat - a place to be filled: who serves it, who is to, and when to try again.
 *
 *   empty -> starting -> serving <-> replacing     a process per life, see child.h
 *               \___ backoff, crash_loop ___/      after deaths, see backoff.h
 *
 * `process` serves or is to serve; `coming` is started beside it and takes over when
 * it is ready. Former processes that still leave know the number of their seat; the
 * seat only hears when the last of them is gone. A seat starts nothing itself.
 * Every change is published in the seat's words before the verb returns.
 */
#ifndef SEAT_H
#define SEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment.h"
#include "gateway/supervisor/backoff.h"
#include "gateway/supervisor/child.h"

/*
 * coming: its replacement was started. died, doomed: its only process is gone (doomed:
 * for the fifth time in a minute). handed: it is gone, a replacement is on its way.
 * failed: the replacement is gone. settled: the last former process is gone.
 */
#define SEAT_EVENTS(X) \
	X(started)     \
	X(ready) X(coming) X(died) X(doomed) X(handed) X(failed) X(settled) X(closed)
enum seat_event {
#define X(s) SEAT_ON_##s,
	SEAT_EVENTS(X)
#undef X
	SEAT_EVENT_COUNT
};

#define SEAT_MAGIC 0x5ea75ea7u

struct seat {
	unsigned magic;
	unsigned index;
	enum role role;
	struct segment_seat *words; /* lent for life */
	enum seat_state state;
	struct child *process, *coming; /* lent until seat_ended */
	struct backoff backoff;
	uint64_t restarts, deaths[EXIT_REASON_COUNT];
	struct child_end last;
	uint64_t since_ms, retry_at_ms;
	bool bereaved; /* its last process died, rather than left as asked */
};

void seat_init(struct seat *seat, unsigned index, enum role role,
	       struct segment_seat *words);

/* The same for one whose own numbers are there, from another program. */
void seat_adopt(struct seat *seat, unsigned index, enum role role,
		struct segment_seat *words);

/* Whether a process should be started for it now. */
bool seat_is_due(const struct seat *seat, uint64_t now_ms);

/* Whether a replacement may be started beside its process now. */
bool seat_may_replace(const struct seat *seat, uint64_t now_ms);

/* A process was started: to serve it, or beside the one that does. `restart`: it counts
 * as one, other than the first start and reloads. */
void seat_started(struct seat *seat, struct child *child, bool restart, uint64_t now_ms);

/* None could be started; tried again after delay_ms. */
void seat_put_off(struct seat *seat, uint64_t now_ms, uint64_t delay_ms);

/* A process of it is ready; if it was coming, it has taken over now. */
void seat_ready(struct seat *seat, const struct child *child, uint64_t now_ms);

/* A process of it is gone, after `lived_ms` of serving. Returns how long its successor
 * has to wait, ms. `wanted` false: there will be none. */
uint64_t seat_ended(struct seat *seat, const struct child *child,
		    const struct child_end *end, uint64_t lived_ms, uint32_t random,
		    bool wanted, uint64_t now_ms);

/* No former process of it is left. */
void seat_settled(struct seat *seat, uint64_t now_ms);

/* Says again who serves it; after each change of its process's own state. */
void seat_publish(struct seat *seat);

void seat_rearm(struct seat *seat, uint64_t late_ms);

/* The table itself, for its test: false where the pair must not happen. */
bool seat_step(enum seat_state state, enum seat_event event, enum seat_state *ret_next);

#endif
