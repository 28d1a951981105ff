/*
 * pending - sends that were handed over and have no sequence yet, in that order.
 *
 * Each keeps its message, so that it can be handed over again. One whose session is
 * gone stays until it is answered, and answers nobody. A *post* has no session.
 */
#ifndef PENDING_H
#define PENDING_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "gateway/chat/chat.h"
#include "gateway/message.h"
#include "gateway/wire/codec.h"

struct session;

struct pending {
	uint64_t ticket;
	struct session *session; /* NULL: gone, or a post's */
	chat_post_done *posted;  /* of a post; NULL: none, or nobody waits */
	void *posted_app;
	struct pending *prev, *next; /* of the same session */
	struct message message;      /* its texts lie behind */
	uint32_t bytes;              /* what it counts for */
	bool held;                   /* not handed over yet: its join waits */
	struct ref ref;
	UT_hash_handle hh;
};

/* All of a worker. Zeroed but for the limits is ready. */
struct pendings {
	struct pending *by_ticket; /* in the order they were added */
	uint64_t last_ticket, bytes;
	uint64_t max, bytes_max; /* limits */
};

/* Adds one with the next ticket, of a session or (NULL) a post; copies the message, and
 * the ref, if there is one. -ENOBUFS: beyond a limit.
 * -ENOMEM. */
int pending_add(struct pendings *pendings, struct session *session,
		const struct message *message, const struct ref *ref,
		struct pending **ret_pending);

/* NULL: none has this ticket. */
struct pending *pending_find(const struct pendings *pendings, uint64_t ticket);

/* Takes it from all lists and frees it. */
void pending_remove(struct pendings *pendings, struct pending *pending);

/* The session is gone, and what is held with it. */
void pending_forget_session(struct pendings *pendings, struct session *session);

static inline unsigned pending_count(const struct pendings *pendings)
{
	return HASH_COUNT(pendings->by_ticket);
}

#endif
