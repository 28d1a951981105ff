#include "gateway/store/postgres_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <uv.h>

#include "common/check.h"
#include "gateway/store/postgres_lookup.h"
#include "gateway/store/postgres_watch.h"

enum {
	AGAIN_MIN_MS = 100,
	AGAIN_MAX_MS = 2000,
};

enum state {
	STATE_away,       /* until the timer */
	STATE_connecting, /* until the timer at most */
	STATE_open,
	STATE_closed,
};

struct pglink {
	uv_loop_t *loop;
	uv_timer_t timer; /* whatever is due next */
	uint64_t timer_due_ms;
	enum state state;
	char *url;
	uint64_t deadline_ms;
	struct pglink_events events;
	struct pglookup *lookup; /* before there is a connection */
	struct pq *pq;
	struct pgwatch *watch;
	struct pgcall *calls; /* under way, oldest first */
	unsigned n_failed;    /* in a row */
	bool broken;          /* to be dropped from the loop, because of: */
	char why[256];
};

static void on_timer(uv_timer_t *timer);
static void on_ready(void *app);

/* ---- watching ---- */

static int watch_for(struct pglink *link, int events)
{
	return pgwatch_for(&link->watch, link->loop, pq_fd(link->pq), events, on_ready,
			   link);
}

static void set_timer(struct pglink *link, uint64_t due_ms)
{
	uint64_t now_ms = uv_now(link->loop);

	link->timer_due_ms = due_ms;
	CHECK(uv_timer_start(&link->timer, on_timer,
			     due_ms > now_ms ? due_ms - now_ms : 0, 0) == 0);
}

/* ---- breaking ---- */

static void answer(struct pglink *link, struct pgcall *call, int status)
{
	DL_DELETE(link->calls, call);
	call->done(call, status);
}

static void disconnect(struct pglink *link)
{
	pglookup_forget(link->lookup);
	link->lookup = NULL;
	pgwatch_end(&link->watch); /* before its descriptor is closed */
	pq_free(link->pq);
	link->pq = NULL;
	link->broken = false;
}

static uint64_t back_off(struct pglink *link)
{
	uint64_t wait_ms = AGAIN_MIN_MS;

	for (unsigned i = 0; i < link->n_failed && wait_ms < AGAIN_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > AGAIN_MAX_MS)
		wait_ms = AGAIN_MAX_MS;
	link->n_failed++;
	return wait_ms - uv_hrtime() % (wait_ms / 4);
}

/* `why` is not the connection's, which goes. */
static void drop(struct pglink *link, const char *why)
{
	uint64_t now_ms = uv_now(link->loop);

	disconnect(link);
	link->state = STATE_away;
	set_timer(link, now_ms + back_off(link));
	link->events.lost(link->events.app, why);
	/* What is overdue has timed out; the rest has lost its connection. */
	while (link->calls)
		answer(link, link->calls,
		       link->calls->due_ms <= now_ms ? -ETIMEDOUT : -ENOTCONN);
}

static void drop_dead(struct pglink *link)
{
	char why[sizeof link->why];

	snprintf(why, sizeof why, "%s", link->broken ? link->why : pq_why(link->pq));
	drop(link, why);
}

void pglink_fail(struct pglink *link, const char *why)
{
	if (link->broken || link->state != STATE_open)
		return;
	link->broken = true;
	snprintf(link->why, sizeof link->why, "%s", why);
	set_timer(link, uv_now(link->loop));
}

const char *pglink_said(const struct pglink *link)
{
	return link->pq ? pq_said(link->pq) : "";
}

/* ---- connecting ---- */

static void watch_connecting(struct pglink *link, int events)
{
	if (watch_for(link, events) < 0)
		drop(link, "the connection cannot be watched");
}

static void step(struct pglink *link)
{
	/* libpq goes from one descriptor to the next on its way, and the next may have
	 * the number of the last: each step is watched anew. */
	pgwatch_end(&link->watch);
	switch (pq_step(link->pq)) {
	case PQ_WANTS_reading: watch_connecting(link, UV_READABLE); break;
	case PQ_WANTS_writing: watch_connecting(link, UV_WRITABLE); break;
	case PQ_WANTS_burial: drop_dead(link); break;
	case PQ_WANTS_nothing:
		link->state = STATE_open;
		CHECK(uv_timer_stop(&link->timer) == 0);
		if (watch_for(link, UV_READABLE) < 0)
			drop(link, "the connection cannot be watched");
		else
			link->events.connected(link->events.app);
		break;
	}
}

static void connect_to(struct pglink *link, const struct pq_places *places)
{
	link->pq = pq_new(link->url, places, link->deadline_ms);
	if (!link->pq)
		drop(link, "no memory for a connection");
	else if (pq_fd(link->pq) < 0)
		drop_dead(link);
	else
		watch_connecting(link, UV_WRITABLE);
}

static void on_looked_up(void *app, const struct pq_places *places, const char *why)
{
	struct pglink *link = app;

	link->lookup = NULL;
	if (places)
		connect_to(link, places);
	else
		drop(link, why);
}

static void connect_now(struct pglink *link)
{
	int r = pglookup_begin(link->loop, link->url, on_looked_up, link, &link->lookup);

	link->state = STATE_connecting;
	/* Twice, so that one host of several that is off leaves time for the next. */
	set_timer(link, uv_now(link->loop) + 2 * link->deadline_ms);
	if (r < 0)
		drop(link, "no memory for a connection");
	else if (r == 0)
		connect_to(link, NULL);
}

/* ---- talking ---- */

static void flush(struct pglink *link)
{
	int left = pq_flush(link->pq);

	/* It goes on reading while it waits to write, or both sides would wait. */
	if (left < 0)
		pglink_fail(link, pq_why(link->pq));
	else if (watch_for(link, UV_READABLE | (left > 0 ? UV_WRITABLE : 0)) < 0)
		pglink_fail(link, "the connection cannot be watched");
}

/* False when there is no more. Callbacks come last: the link may be closed then, and
 * with it the call. */
static bool hear_one(struct pglink *link)
{
	struct pgcall *call = link->calls;
	const struct pgrows *rows;
	int error;

	switch (pq_hear(link->pq, &rows, &error)) {
	case PQ_HEARD_nothing: return false;
	case PQ_HEARD_next: call->nth++; break;
	case PQ_HEARD_over: pglink_fail(link, pq_why(link->pq)); break;
	case PQ_HEARD_error:
		if (call->status == 0)
			call->status = error;
		break;
	case PQ_HEARD_rows:
		if (call->rows)
			call->rows(call, call->nth, rows);
		pq_heard(rows);
		break;
	case PQ_HEARD_end: answer(link, call, call->status); break;
	}
	return true;
}

static void hear(struct pglink *link)
{
	bool alive = pq_receive(link->pq);

	while (link->state == STATE_open && !link->broken && link->calls &&
	       hear_one(link))
		;
	if (link->state == STATE_open && (link->broken || !alive))
		drop_dead(link);
}

static void on_ready(void *app)
{
	struct pglink *link = app;

	if (link->state == STATE_connecting) {
		step(link);
		return;
	}
	hear(link);
	if (link->state == STATE_open)
		flush(link);
}

/* ---- deadlines ---- */

static void look_at_deadlines(struct pglink *link)
{
	uint64_t first_ms = UINT64_MAX;
	struct pgcall *call;

	DL_FOREACH(link->calls, call)
	if (call->due_ms < first_ms)
		first_ms = call->due_ms;
	if (first_ms <= uv_now(link->loop))
		drop(link, "the server did not answer in time");
	else if (link->calls)
		set_timer(link, first_ms);
}

static void on_timer(uv_timer_t *timer)
{
	struct pglink *link = timer->data;

	if (link->state == STATE_away) {
		connect_now(link);
	} else if (link->state == STATE_connecting) {
		drop(link, link->lookup ? "the host's address is not found in time"
					: "the server did not answer in time");
	} else if (link->broken) {
		drop_dead(link);
	} else {
		/* It may have been us who were stopped: then the answer is there. */
		hear(link);
		if (link->state == STATE_open)
			look_at_deadlines(link);
	}
}

/* ---- calls ---- */

static void sent(struct pglink *link, int r)
{
	if (r < 0)
		pglink_fail(link, pq_why(link->pq));
}

void pglink_query(struct pglink *link, const char *sql)
{
	CHECK(link->state == STATE_open);
	sent(link, pq_send(link->pq, NULL, sql, NULL, 0));
}

void pglink_prepare(struct pglink *link, const char *name, const char *sql)
{
	CHECK(link->state == STATE_open);
	sent(link, pq_prepare(link->pq, name, sql));
}

void pglink_execute(struct pglink *link, const char *name, const struct pgvalue *values,
		    int n)
{
	CHECK(link->state == STATE_open);
	sent(link, pq_send(link->pq, name, NULL, values, n));
}

void pglink_end(struct pglink *link, struct pgcall *call, uint64_t due_ms)
{
	CHECK(link->state == STATE_open);
	call->due_ms = due_ms ? due_ms : uv_now(link->loop) + link->deadline_ms;
	call->nth = 0;
	call->status = 0;
	DL_APPEND(link->calls, call);
	sent(link, pq_sync(link->pq));
	flush(link);
	if (!link->broken && (!uv_is_active((uv_handle_t *)&link->timer) ||
			      link->timer_due_ms > call->due_ms))
		set_timer(link, call->due_ms);
}

/* ---- life ---- */

int pglink_open(struct uv_loop_s *loop, const char *url, uint64_t deadline_ms,
		const struct pglink_events *events, struct pglink **ret_link,
		struct why *why)
{
	struct pglink *link;

	/* Without libpq's words: they quote what they do not like, the password too. */
	if (!pq_url_is_good(url))
		return why_set(why, -EINVAL, "not a connection URI as libpq reads them");
	link = calloc(1, sizeof *link);
	if (link)
		link->url = strdup(url);
	if (!link || !link->url) {
		free(link);
		return why_set(why, -ENOMEM, "no memory for the store");
	}
	link->loop = loop;
	link->deadline_ms = deadline_ms;
	link->events = *events;
	CHECK(uv_timer_init(loop, &link->timer) == 0);
	link->timer.data = link;
	set_timer(link, uv_now(loop)); /* begins from the loop */
	*ret_link = link;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct pglink *link = handle->data;

	free(link->url);
	free(link);
}

void pglink_close(struct pglink *link)
{
	if (!link)
		return;
	CHECK(link->state != STATE_closed);
	link->state = STATE_closed;
	disconnect(link);
	while (link->calls)
		answer(link, link->calls, -ENOTCONN);
	uv_close((uv_handle_t *)&link->timer, on_closed);
}

void pglink_ready(struct pglink *link)
{
	link->n_failed = 0;
}
