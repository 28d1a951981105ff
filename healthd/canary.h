/*
 * canary - tries the gateway as a client would, again and again, through each worker.
 *
 * A round is made of visits: each connects, and which worker it comes to is for the
 * kernel to say. So it connects until every worker that serves was reached, or until it
 * has been unlucky for long; a worker that was missed is left for the next round. In a
 * visit the canary joins its own room, sends, and waits until it is told `sent` and the
 * message comes back: through worker, store and bus. Each message is a new one, since
 * that a known one is known proves no commit; the gateway keeps the last of its room.
 *
 * Whether TLS is spoken there is found out by trying, plain HTTP first.
 *
 * A round that failed is followed by the next after a quarter of the interval. What was
 * found is forgotten with the process that it was about, and while there is no gateway
 * that runs nothing is tried, nor held against it. Nor is that nobody ever answered where
 * it connects: the gateway may listen elsewhere.
 */
#ifndef CANARY_H
#define CANARY_H

#include <uv.h>

#include "common/segment_reader.h"
#include "common/why.h"
#include "healthd/findings.h"

struct canary;

struct canary_limits {
	uint64_t interval_ms; /* 0: never */
	uint64_t timeout_ms;  /* of a visit */
	unsigned failures;    /* in a row, until it is `degraded` */
	/* Lent for its life: where to connect (see settings_address; port 0: that of the
	 * segment), the room, the file with the token or "". */
	const char *connect, *room, *token_file;
};

/* -ENOMEM; -EINVAL: no address. Does nothing by itself. */
int canary_new(uv_loop_t *loop, const struct canary_limits *limits,
	       struct canary **ret_canary, struct why *why);

/* Begins a round when it is time. Call often; now_ns is the monotonic clock. */
void canary_look(struct canary *canary, const struct snapshot *snapshot, uint64_t now_ns);

/* As of now; lent for the canary's life. */
const struct canary_found *canary_found(const struct canary *canary);

/* Begins nothing more. canary_free once the loop has run out of handles. NULL is
 * accepted by both. */
void canary_close(struct canary *canary);
void canary_free(struct canary *canary);

#endif
