/*
 * hang - whether a process that has not beaten hangs, and how: a pure decision.
 *
 * Silence alone proves nothing on a starved machine; a second sign must agree before
 * anything is done: the process is stopped, or burns its processor, or sits in a
 * call while it says that it is at work.
 */
#ifndef HANG_H
#define HANG_H

#include <stdint.h>

#include "common/segment.h"

struct hang_signs {
	uint64_t silent_ms;  /* since the last beat */
	char state;          /* as proc.h has it */
	uint64_t watched_ms; /* over which cpu_ms was used */
	uint64_t cpu_ms;
	uint64_t phase; /* enum phase, as the process published it */
};

/* HANG_none before report_ms; HANG_starved where no second sign agrees. */
enum hang_kind hang_judge(const struct hang_signs *signs, uint64_t report_ms);

/* Whether this kind, this long, is to be acted on. */
static inline int hang_proven(enum hang_kind kind, uint64_t silent_ms, uint64_t act_ms)
{
	return silent_ms >= act_ms && kind != HANG_none && kind != HANG_starved;
}

#endif
