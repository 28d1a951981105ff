/*
 * hang - whether a process hangs, and how: a pure function of the signs.
 *
 * The first sign is always a beat that does not come. The second says what is
 * behind it, and only three kinds of it justify ending the process:
 *
 *   stopped   someone stopped or traces it
 *   loop      it uses processor time, yet its loop does not turn
 *   blocked   it sleeps, though its beat's timer has long run out; also in `polling`,
 *             because a loop that waits for events wakes up for its beat
 *   starved   it wants to run and may not, or we ourselves run late: never acted on
 */
#ifndef HANG_H
#define HANG_H

#include <stdbool.h>

#include "common/segment.h"

struct hang_signs {
	uint64_t age_ms;     /* since its beat was last seen to change */
	char proc_state;     /* of struct proc_stat; 0: could not be read */
	uint64_t cpu_ms;     /* used in the last watched_ms */
	uint64_t watched_ms; /* the part of age_ms over which cpu_ms was measured */
	uint64_t late_ms;    /* how late the supervisor's own last tick was */
};

/* HANG_none below report_ms, and for a process that is already dead. */
enum hang_kind hang_judge(const struct hang_signs *signs, uint64_t report_ms);

/* Whether this kind may cost the process its life. */
bool hang_is_proven(enum hang_kind kind);

#endif
