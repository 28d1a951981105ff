/*
 * judge_seats - what each seat adds to a verdict; for judge.c only.
 */
#ifndef JUDGE_SEATS_H
#define JUDGE_SEATS_H

#include "healthd/judge.h"

/* The workers and the sequencer, counted by what they do. */
struct seats_found {
	unsigned n_wanted,
		n_serving;     /* worker seats; those with one that is up and turns */
	unsigned n_accepting;  /* of those, who takes new clients */
	unsigned n_crash_loop; /* worker seats given up */
	unsigned n_alive;      /* workers of any state but aborting */
	unsigned n_turning;    /* of those, who serves somebody: up or leaving */
	unsigned n_hung;       /* of those, who hangs */
	uint64_t least_age_ns; /* youngest beat of n_alive */
	bool sequencer_crash_loop;
	uint64_t restarts;
};
void seats_find(const struct snapshot *snapshot, const struct judge_limits *limits,
		struct seats_found *ret_found);

/* One more reason, or one more left off. */
void verdict_reason(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A reason for each seat that is not as it should be. */
void seats_reasons(const struct snapshot *snapshot, const struct judge_limits *limits,
		   struct verdict *verdict);

#endif
