/*
 * listen - the sockets on which clients arrive, opened once and kept for life.
 *
 * One SO_REUSEPORT socket per worker seat, so that the kernel spreads clients evenly;
 * or the one socket that the service manager handed in (LISTEN_FDS), shared by all.
 * All of them are non-blocking and close-on-exec.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment.h"
#include "common/why.h"

struct listeners {
	unsigned n;
	bool shared;   /* handed in */
	uint16_t port; /* where clients connect; 0 for a socket that has none */
	int fds[SEGMENT_SEATS_MAX];
};

/*
 * Opens n of them on the "host:port" of `text`; with port 0 the first takes any free one
 * and the others follow. -EADDRINUSE: somebody else listens there, a process of the same
 * user with SO_REUSEPORT included, which the kernel alone would let us share with.
 */
int listeners_open(const char *text, unsigned n, struct listeners *ret_listeners,
		   struct why *why);

/*
 * The socket that was handed in, from first_fd (3, but for tests) on, and forgets the
 * variables. 1: there is one; 0: there is none for this process; -EINVAL: not one
 * listening stream socket, or one that others can reach without `beyond_loopback`.
 */
int listeners_take(int first_fd, bool beyond_loopback, struct listeners *ret_listeners,
		   struct why *why);

void listeners_close(struct listeners *listeners);

#endif
