#include "gateway/store/postgres.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <uv.h>

#include "common/check.h"
#include "gateway/store/postgres_commit.h"
#include "gateway/store/postgres_link.h"
#include "gateway/store/postgres_read.h"
#include "gateway/store/postgres_session.h"
#include "gateway/store/postgres_trim.h"

enum {
	TRIM_BUSY_MS = 100 /* between steps while there are batches */
};

struct postgres {
	struct store store; /* first, see backend.h */
	uv_loop_t *loop;
	struct store_events events;
	struct pglink *link;
	struct pgsession session;
	struct pgcommit commit;
	struct pgreads reads;
	struct pgtrim trim;
	uv_timer_t trim_timer;
	bool is_up, is_told; /* what changed() said last, if it was called */
	struct pgcall probe;
	store_probe_done *probe_done; /* NULL: none is under way */
	void *probe_app;
};

static struct postgres *postgres_of(struct store *store)
{
	return (struct postgres *)store;
}

/* ---- trimming ---- */

static void on_trim(uv_timer_t *timer)
{
	struct postgres *p = timer->data;
	uint64_t again_ms = pgtrim_step(&p->trim, uv_now(p->loop));

	if (again_ms < TRIM_BUSY_MS && pgcommit_busy(&p->commit))
		again_ms = TRIM_BUSY_MS;
	CHECK(uv_timer_start(timer, on_trim, again_ms, 0) == 0);
}

/* ---- up and down ---- */

static void tell(struct postgres *p, bool up, const char *why)
{
	bool is_news = !p->is_told || p->is_up != up;

	p->is_up = up;
	p->is_told = true;
	if (is_news && p->events.changed)
		p->events.changed(p->events.app, up, why);
}

static void on_session(void *app)
{
	struct postgres *p = app;

	p->trim.round_ms = 0; /* the time without a database is no round's */
	if (p->trim.retain_ms || p->trim.retain_count || p->trim.short_room)
		CHECK(uv_timer_start(&p->trim_timer, on_trim, 0, 0) == 0);
	tell(p, true, "");
}

static void on_connected(void *app)
{
	struct postgres *p = app;

	/* It may be another database than before. */
	pgrooms_forget(&p->commit.rooms);
	pgsession_begin(&p->session);
}

static void on_lost(void *app, const char *why)
{
	struct postgres *p = app;

	CHECK(uv_timer_stop(&p->trim_timer) == 0);
	tell(p, false, why);
	pgreads_lost(&p->reads);
}

/* ---- the verbs ---- */

static int postgres_commit(struct store *store, struct store_send *sends, unsigned n,
			   store_commit_done *done, void *app)
{
	struct postgres *p = postgres_of(store);

	if (!p->is_up)
		return -ENOTCONN;
	return pgcommit_begin(&p->commit, sends, n, uv_now(p->loop), done, app);
}

static int postgres_read(struct store *store, const struct store_query *query,
			 store_read_done *done, void *app)
{
	struct postgres *p = postgres_of(store);

	if (!p->is_up)
		return -ENOTCONN;
	return pgreads_begin(&p->reads, query, uv_now(p->loop), done, app);
}

static void on_probed(struct pgcall *call, int status)
{
	struct postgres *p = (struct postgres *)((char *)call -
						 offsetof(struct postgres, probe));
	store_probe_done *done = p->probe_done;

	p->probe_done = NULL;
	done(p->probe_app, status);
}

static int postgres_probe(struct store *store, store_probe_done *done, void *app)
{
	struct postgres *p = postgres_of(store);

	if (!p->is_up)
		return -ENOTCONN;
	if (p->probe_done || pgcommit_busy(&p->commit))
		return -EBUSY;
	p->probe.done = on_probed;
	p->probe_done = done;
	p->probe_app = app;
	pglink_execute(p->link, "probe", NULL, 0);
	pglink_end(p->link, &p->probe, 0);
	return 0;
}

/* ---- life ---- */

static int postgres_open(struct uv_loop_s *loop, const struct store_options *options,
			 const struct store_events *events, struct store **ret_store,
			 struct why *why)
{
	struct postgres *p = calloc(1, sizeof *p);
	struct pglink_events link_events = { p, on_connected, on_lost };
	int r;

	if (!p)
		return why_set(why, -ENOMEM, "no memory for the store");
	r = pglink_open(loop, options->url, options->deadline_ms, &link_events, &p->link,
			why);
	if (r < 0) {
		free(p);
		return r;
	}
	p->loop = loop;
	p->events = *events;
	p->session = (struct pgsession){ .link = p->link,
					 .writer = options->role == STORE_WRITER,
					 .deadline_ms = options->deadline_ms,
					 .ready = on_session,
					 .app = p };
	p->commit.link = p->reads.link = p->trim.link = p->link;
	p->commit.deadline_ms = p->reads.deadline_ms = options->deadline_ms;
	if (options->role == STORE_WRITER) {
		p->trim.retain_ms = options->retain_ms;
		p->trim.retain_count = options->retain_count;
		p->trim.short_room = options->short_room;
		p->trim.short_count = options->short_count;
	}
	CHECK(uv_timer_init(loop, &p->trim_timer) == 0);
	p->trim_timer.data = p;
	*ret_store = &p->store;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct postgres *p = handle->data;

	pgcommit_release(&p->commit);
	pgtrim_release(&p->trim);
	free(p);
}

static void postgres_close(struct store *store)
{
	struct postgres *p = postgres_of(store);

	p->is_up = false;
	pglink_close(p->link);
	pgreads_lost(&p->reads);
	uv_close((uv_handle_t *)&p->trim_timer, on_closed);
}

const struct store_backend postgres_backend = {
	.driver = "postgresql",
	.open = postgres_open,
	.close = postgres_close,
	.commit = postgres_commit,
	.read = postgres_read,
	.probe = postgres_probe,
};
