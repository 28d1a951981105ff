/*
 * trial - another program is asked whether it would take over, before it does.
 *
 * It runs beside us, with our arguments, settings and state, and opens what it would
 * take; it must answer "parley-gateway VERSION takes over" and exit with 0 in time. What
 * it says instead is the reason for which it does not. It can write a few kilobytes and
 * no more, and ends with us.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/why.h"
#include "gateway/supervisor/supervisor.h"

/* In its environment; and for the program that takes over: "take:DESCRIPTOR". */
#define TRIAL_VARIABLE "PARLEY_HANDOVER"

enum {
	TRIAL_FDS_MAX = 4,
	TRIAL_VERSION_SIZE = 24,
};

struct trial {
	pid_t pid; /* 0: none is under way */
	int answer_fd;
	uint64_t deadline_ms;
	bool overdue;
};

/* All zero before. `fds` stay open in it, fds[0] being the state; -errno with the reason.
 */
int trial_start(struct trial *trial, const char *program,
		const struct supervisor_source *source, const int *fds, unsigned n_fds,
		uint64_t deadline_ms, struct why *why);

/* Ends it if its time is over. */
void trial_tick(struct trial *trial, uint64_t now_ms);

/* It was reaped. 0, and which version takes over; or -EPROTO and why it does not. */
int trial_ended(struct trial *trial, int status, char ret_version[TRIAL_VERSION_SIZE],
		struct why *why);

#endif
