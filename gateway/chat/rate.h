/*
 * rate - how much a client and a user may say: so much per second, and some at once.
 *
 * A user's links in this worker share the user's buckets. Buckets are kept only until
 * they are full.
 */
#ifndef RATE_H
#define RATE_H

#include <uthash.h>

#include "gateway/bucket.h"
#include "gateway/message.h"

struct chat;
struct session;

/* What is kept of a session that says something. */
struct pace {
	struct bucket messages, bytes, typing;
	struct session *session;
	struct pace *prev, *next;
};

/* The same of a user. */
struct speaker {
	struct bucket messages, bytes;
	struct speaker *next; /* of those that are forgotten */
	UT_hash_handle hh;
	uint8_t name_len;
	char name[];
};

/* Whether the session may say a message of `len` bytes: 0, or how long to wait, ms. */
uint64_t rate_message(struct session *session, size_t len);
bool rate_may_type(struct session *session);

/* Forgets sessions and users whose buckets are full. */
void rate_tick(struct chat *chat);

/* The session says nothing more. */
void rate_forget(struct session *session);
void rate_stop(struct chat *chat);

#endif
