/*
 * judge_store - what is said of the store; for judge.c only.
 */
#ifndef JUDGE_STORE_H
#define JUDGE_STORE_H

#include "healthd/judge.h"

/* `absence`: why nobody can be asked, in words; NULL where a gateway lives. */
void judge_store(const struct snapshot *snapshot, const struct judge_history *history,
		 const struct judge_limits *limits, const char *absence,
		 struct verdict_store *ret_store);

#endif
