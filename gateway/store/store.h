/*
 * store - where messages are kept: one interface, two back ends (SQLite, PostgreSQL).
 *
 * The truth about every room: its sequence 1, 2, 3 … without holes, given in the commit,
 * and each (room, sender, id) once. One process of a gateway opens it to write, all
 * others to read. Nothing here blocks: work is done elsewhere, or when the descriptor
 * allows. Each call that returned 0 is answered once by its callback, from the loop and
 * never from within a call, with 0 or a negative errno:
 *
 *   -ENOTCONN   the store is away; nothing was tried, or what was has an unknown end
 *   -ETIMEDOUT  no answer within the deadline: unknown end
 *   -ENOSPC     no place left: nothing was committed
 *   -EIO        the store says that it failed; nothing was committed
 *
 * After an unknown end the same batch may be given again: what was committed comes back
 * as a repeat. A store that is away comes back by itself; it tries with back-off.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"
#include "gateway/message.h"

struct store;
struct uv_loop_s;

enum store_role {
	STORE_READER,
	STORE_WRITER, /* also makes and migrates the schema, and trims */
};

struct store_options {
	const char *url; /* sqlite:PATH, postgresql://… or postgres://…; lent */
	enum store_role role;
	uint64_t deadline_ms; /* of one call */
	/* Writer: what is older, and more per room, is trimmed in the background. 0:
	 * kept for ever. */
	uint64_t retain_ms, retain_count;
	/* Writer: a room of which only so many are kept, whatever holds for the others;
	 * lent for the store's life. NULL: none. */
	const char *short_room;
	uint64_t short_count;
};

struct store_events {
	void *app;
	/* The store can be reached, or no longer; `why` in words, without secrets, lent;
	 * "" when up. First called when that is first known; never from within a call. */
	void (*changed)(void *app, bool up, const char *why);
};

/* Checks the URL and begins to connect. -EINVAL: not a URL of a store; -errno. A store
 * that cannot be reached is no failure: changed() tells. */
int store_open(struct uv_loop_s *loop, const struct store_options *options,
	       const struct store_events *events, struct store **ret_store,
	       struct why *why);

/* Answers what is under way with -ENOTCONN, from within, then closes. The memory goes
 * when the loop has run the closes. NULL is accepted. */
void store_close(struct store *store);

/* "sqlite" or "postgresql". */
const char *store_driver(const struct store *store);

/* ---- writing ---- */

struct store_send {
	struct message message; /* in: room, id, from, body; out: seq, at_ms */
	bool repeat; /* out: it was there already; seq and at_ms are the first one's */
};

typedef void store_commit_done(void *app, int status);

enum {
	STORE_BATCH_MAX = 256
};

/*
 * Commits up to STORE_BATCH_MAX messages together: all of them or, with a negative
 * status, none (or unknown). Within a room they get their sequence in the order of the
 * batch; a batch may hold a message twice. `sends` is lent until the answer. One batch at
 * a time: -EBUSY.
 */
int store_commit(struct store *store, struct store_send *sends, unsigned n,
		 store_commit_done *done, void *app);

/* ---- reading ---- */

struct store_query {
	struct text room;       /* copied */
	uint64_t after, before; /* messages with after < seq < before; 0: no bound */
	uint32_t limit;         /* at most so many; 0: only head and first */
	bool newest;            /* of more than `limit` the newest, not the oldest */
	uint32_t bytes_max;     /* of bodies; the first of a page comes in any case */
};

struct store_page {
	uint64_t head;  /* newest sequence of the room; 0: nothing was ever said */
	uint64_t first; /* oldest that is still kept; head + 1: none is */
	const struct message *messages; /* ascending, without a hole */
	uint32_t n;
	bool more; /* the query has more than these */
};

/* `page` is of one moment, lent for the call; NULL with a negative status. */
typedef void store_read_done(void *app, int status, const struct store_page *page);

/* Any number at a time. -ENOTCONN: away now; -ENOMEM. */
int store_read(struct store *store, const struct store_query *query,
	       store_read_done *done, void *app);

/* ---- health ---- */

typedef void store_probe_done(void *app, int status);

/* A writer's smallest piece of real work: a write of its own that is committed. Not
 * while a batch is under way: -EBUSY. */
int store_probe(struct store *store, store_probe_done *done, void *app);

#endif
