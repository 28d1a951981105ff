/*
 * handover - the supervisor's state on its way through an exec, as JSON in a sealed
 * memfd.
 *
 * What the segment holds is not in it, nor what is read again: settings, the service
 * manager's variables. Descriptors keep their numbers. Times are of CLOCK_MONOTONIC and
 * so go on. Reading believes nothing: every number has bounds, and seats and children
 * must agree with each other.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "common/why.h"
#include "gateway/supervisor/parts.h"

enum {
	HANDOVER_FORMAT = 1,        /* of another one nothing is taken over */
	HANDOVER_MAX = 1024 * 1024, /* bytes */
};

/* *ret_fd is a new memfd, close-on-exec. -errno with the reason. */
int handover_write(const struct supervisor *supervisor, int *ret_fd, struct why *why);

/*
 * Fills what was written, but for the words that seats and children have in the segment,
 * into a supervisor that is all zero or new; touches no descriptor. Where this build
 * hands its children more files with keys than the other one did, those are -1.
 * -EPROTO with the reason: then nothing in it may be used.
 */
int handover_read(int fd, struct supervisor *supervisor, struct why *why);

/* The same from memory. */
int handover_parse(const char *text, size_t len, struct supervisor *supervisor,
		   struct why *why);

/* Calls `act` for each descriptor that is handed over; stops when it returns less than 0,
 * and returns that. */
int handover_fds(const struct supervisor *supervisor, int (*act)(int fd));

/* Such an act: no other program that is started gets it. */
int handover_close_on_exec(int fd);

#endif
