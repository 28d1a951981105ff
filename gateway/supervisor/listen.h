/*
 * listen - the gateway's listening sockets: one SO_REUSEPORT socket per worker seat,
 * or the one that was handed in from outside (LISTEN_FDS, sd_listen_fds(3)).
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"

enum {
	LISTEN_MAX = 64
};

struct listeners {
	int fds[LISTEN_MAX]; /* close-on-exec, non-blocking */
	unsigned n;
	bool shared; /* one for all */
	uint16_t port;
};

/*
 * Opens n sockets on "host:port"; port 0 takes a free one for all of them. With
 * LISTEN_FDS for this process that one socket is taken instead, and the variables are
 * removed. `beyond_loopback`: whether an address others can reach is allowed; a socket
 * handed in is held to it too. -EPERM when it is not, -EADDRINUSE and the like.
 */
int listeners_open(struct listeners *ret_listeners, const char *address, unsigned n,
		   bool beyond_loopback, struct why *why);
void listeners_close(struct listeners *listeners);

#endif
