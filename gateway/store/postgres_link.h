/*
 * postgres_link - a connection to PostgreSQL on the loop that comes back by itself.
 *
 * Nothing here blocks. Every call has a deadline of our own, because a stopped server is
 * silent: when one passes, the connection is dropped, as what it still says would belong
 * to nobody. A dropped connection is tried again after 100 ms, doubling to 2 s, less a
 * random part of up to a quarter, until pglink_ready() says that it is good.
 *
 * A call is one transaction: statements sent in a row and closed by pglink_end(). Calls
 * are answered in their order; any number may be under way.
 *
 * Callbacks come from the loop, never from within a verb, except from pglink_close().
 * Any of them may call pglink_close().
 */
#ifndef POSTGRES_LINK_H
#define POSTGRES_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"
#include "gateway/store/postgres_pq.h"

struct uv_loop_s;
struct pglink;

/* Embedded in what it answers to; lent from its first statement until `done`. */
struct pgcall {
	/* Statement `nth` (from 0) succeeded; it is not committed yet. `rows` are lent.
	 * NULL: they are of no interest. */
	void (*rows)(struct pgcall *call, unsigned nth, const struct pgrows *rows);
	/* The end: 0 is committed; -ENOTCONN and -ETIMEDOUT have an unknown end; with any
	 * other errno (postgres_words.h) nothing was done. */
	void (*done)(struct pgcall *call, int status);
	/* The link's own. */
	uint64_t due_ms;
	struct pgcall *prev, *next;
	unsigned nth;
	int status;
};

struct pglink_events {
	void *app;
	/* A new connection: nothing is prepared or set on it. */
	void (*connected)(void *app);
	/* An attempt failed or the connection broke; what was under way is answered next.
	 * `why` in words, without secrets; lent. */
	void (*lost)(void *app, const char *why);
};

/* Checks the URL and begins to connect. -EINVAL, -ENOMEM. */
int pglink_open(struct uv_loop_s *loop, const char *url, uint64_t deadline_ms,
		const struct pglink_events *events, struct pglink **ret_link,
		struct why *why);

/* Answers what is under way with -ENOTCONN, from within; says nothing more after that.
 * The memory goes when the loop has run the closes. NULL is accepted. */
void pglink_close(struct pglink *link);

/* The connection does what it is for: back-off begins anew. */
void pglink_ready(struct pglink *link);

/* Drops the connection, from the loop. `why` is copied. */
void pglink_fail(struct pglink *link, const char *why);

/* What the server said of its last error; until the next callback. */
const char *pglink_said(const struct pglink *link);

/* ---- calls; only between connected() and lost() ---- */

/* One more statement of the call: by its text, by its text to be known by `name`, by
 * that name. The values are copied. */
void pglink_query(struct pglink *link, const char *sql);
void pglink_prepare(struct pglink *link, const char *name, const char *sql);
void pglink_execute(struct pglink *link, const char *name, const struct pgvalue *values,
		    int n);

/* The call is whole. If it is not answered by `due_ms` of the loop's time the connection
 * is dropped; 0 is a deadline from now. */
void pglink_end(struct pglink *link, struct pgcall *call, uint64_t due_ms);

#endif
