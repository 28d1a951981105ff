/*
 * dialect - how members of a room are spoken to: in parley.v1, or as the servers that
 * Parley is measured against want it (tests/bench/peers).
 *
 * Only what a fan-out needs: come in, publish, hear. A server that numbers nothing gets
 * the number of a message within its body.
 */
#ifndef DIALECT_H
#define DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/tools/load.h"

struct dialect_ears {
	void (*joined)(struct load_link *link, uint64_t head);
	void (*delivered)(struct load_link *link, uint64_t seq);
	void (*acknowledged)(struct load_link *link);
	void (*failed)(struct load_link *link, const char *text, size_t len);
};

struct dialect {
	const char *name;
	const char *protocol; /* the subprotocol that is asked for; NULL: none */
	bool acknowledges;    /* what is published */
	bool numbers;         /* the server does: one order for all who publish */
	bool plain;           /* on TCP, without a handshake or frames */
	/* Where the member of this number connects to. */
	void (*target)(char *out, size_t size, unsigned number, const char *room);
	/* What is said first, once the link is open. */
	void (*greet)(struct load_link *link, const char *room,
		      const struct dialect_ears *ears);
	/* Queues the message of this number, from 0. */
	void (*publish)(struct load_link *link, const char *room, unsigned i,
			const char *body);
	/* A WebSocket message of the server's. */
	void (*hear)(struct load_link *link, const char *data, size_t len,
		     const char *room, const struct dialect_ears *ears);
};

/* By name; NULL. */
const struct dialect *dialect_find(const char *name);

/* Queues a message made as by printf. */
void dialect_say(struct load_link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts the link's unfinished bytes before the new ones. */
struct dialect_stream {
	const char *at;
	size_t len;
};
struct dialect_stream dialect_stream(struct load_link *link, const char *data,
				     size_t len);
/* Keeps what was not used of them. */
void dialect_keep(struct load_link *link, struct dialect_stream stream, size_t used);

extern const struct dialect dialect_nats, dialect_mqtt, dialect_socketio;

#endif
