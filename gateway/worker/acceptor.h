/*
 * acceptor - takes new connections from the listening sockets that are this worker's to
 * serve.
 *
 * Every worker has every socket. It accepts from its own seat's, and from that of a
 * seat whose worker is dead, hung or leaving, until a replacement serves it.
 *
 * The kernel spreads connections over the seats by chance, and those of one socket that
 * all share to whoever comes first. So who has clearly more links than another, as the
 * segment tells, wakes the one with the fewest to take what waits, and takes it itself a
 * moment later in any case: a worker that hangs keeps nobody waiting.
 *
 * Out of descriptors, accepting pauses until the next look instead of spinning.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <uv.h>

#include "common/segment_writer.h"
#include "gateway/inherit.h"

struct acceptor;

/* Takes one accepted, non-blocking socket. */
typedef void acceptor_taker(void *app, int fd, const uint8_t address[16]);

/* The listening sockets and the segment are lent for the acceptor's life. */
int acceptor_new(uv_loop_t *loop, const struct inherited *inherited,
		 struct segment *segment, acceptor_taker *taker, void *app,
		 struct acceptor **ret_acceptor);

/* Decides anew which sockets to accept from; at every beat and after every wake. */
void acceptor_look(struct acceptor *acceptor);

/* Accepts nothing from now on. */
void acceptor_stop(struct acceptor *acceptor);

/* Stops; the memory goes when the loop has run the closes. */
void acceptor_free(struct acceptor *acceptor);

#endif
