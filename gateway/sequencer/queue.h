/*
 * queue - sends that wait for their commit, in order, in batches as the store takes them.
 *
 * A batch keeps copies of what was submitted, in one piece of memory of its own, and is
 * used again when it is done: nothing is allocated per message. Bounded in messages and
 * in bytes of their texts.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

#include "gateway/bus/records.h"
#include "gateway/store/store.h"

/* Who is answered. */
struct send_owner {
	uint32_t slot;
	uint64_t generation, ticket;
	uint64_t since_ms; /* when it was put into the queue */
};

/* sends[i] is owners[i]'s. Oldest first. */
struct batch {
	struct batch *next;
	unsigned n;
	bool tried; /* the store was given it once, with an unknown end */
	struct store_send sends[STORE_BATCH_MAX];
	struct send_owner owners[STORE_BATCH_MAX];
	size_t used;  /* bytes of texts */
	char texts[]; /* queue's batch_bytes */
};

struct queue {
	struct batch *first, *last; /* none of them empty */
	struct batch *out;          /* taken; NULL: none */
	struct batch *spare;
	unsigned n;   /* sends in all of them, `out` included */
	size_t bytes; /* of their texts */
	unsigned n_max;
	size_t batch_bytes, bytes_max;
};

/* batch_bytes: of the texts of one batch; the longest message must fit. */
void queue_init(struct queue *queue, unsigned n_max, size_t batch_bytes,
		size_t bytes_max);

/* Frees all batches; none may be out. */
void queue_release(struct queue *queue);

/* Adds a copy. -ENOBUFS: no more may wait. -EMSGSIZE: longer than a batch. -ENOMEM. */
int queue_add(struct queue *queue, const struct send_owner *owner,
	      const struct message *message);

/* Lends the oldest batch until it is done or put back; NULL: nothing waits. One at a
 * time. */
struct batch *queue_take(struct queue *queue);

/* What is out is done, and its memory used again. */
void queue_done(struct queue *queue);

/* What is out has been tried, and is to be taken again before all others. */
void queue_put_back(struct queue *queue);

/*
 * Takes out all that are in the queue since before `since_ms`; `expired` is called for
 * each. True if one of them had been tried. Not while a batch is out.
 */
bool queue_expire(struct queue *queue, uint64_t since_ms,
		  void (*expired)(void *app, const struct send_owner *owner), void *app);

#endif
