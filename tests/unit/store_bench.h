/*
 * store_bench - a store on a loop of the test's own, with verbs that wait.
 *
 * Every test runs over every store that is there: SQLite in a directory of its own, and
 * PostgreSQL when TEST_POSTGRES is a URL. A database may be one for all tests, so
 * that rooms have names of their own: bench_room().
 */
#ifndef STORE_BENCH_H
#define STORE_BENCH_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>
#include <uv.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/store/page.h"
#include "gateway/store/store.h"

enum {
	BENCH_PATIENCE_MS = 60000, /* what never comes ends the test */
};

struct store_bench {
	uv_loop_t loop;
	char dir[64]; /* "": none */
	char url[256];
	unsigned n_rooms;
	char room[64];
	struct store_options options; /* for the next one opened */
	struct opened *all;           /* that are open; a test that fails leaves some */
};

/* One store that is open. */
struct opened {
	struct store_bench *bench;
	struct opened *prev, *next;
	struct store *store;
	bool known, up;
	unsigned n_ups, n_downs;
	struct why why;
};

static inline void bench_turn(struct store_bench *b)
{
	(void)uv_run(&b->loop, UV_RUN_ONCE);
}

/* Turns the loop until the condition holds. */
#define bench_await(b, condition)                                       \
	do {                                                            \
		uint64_t until = clock_mono_ns() / MS_NS;               \
		uv_timer_t beat;                                        \
		until += BENCH_PATIENCE_MS;                             \
		CHECK(uv_timer_init(&(b)->loop, &beat) == 0);           \
		CHECK(uv_timer_start(&beat, bench_on_beat, 5, 5) == 0); \
		while (!(condition) && clock_mono_ns() / MS_NS < until) \
			bench_turn(b);                                  \
		beat.data = &beat;                                      \
		uv_close((uv_handle_t *)&beat, bench_on_closed);        \
		while (beat.data)                                       \
			bench_turn(b);                                  \
		if (!(condition))                                       \
			fail_msg("never came: %s", #condition);         \
	} while (0)

static inline void bench_on_beat(uv_timer_t *beat)
{
	(void)beat;
}

static inline void bench_on_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

/* ---- opening ---- */

static inline void bench_on_changed(void *app, bool up, const char *why)
{
	struct opened *o = app;

	o->known = true;
	o->up = up;
	*(up ? &o->n_ups : &o->n_downs) += 1;
	if (!up)
		why_write(&o->why, "%s", why);
}

static inline struct opened *bench_begin(struct store_bench *b, enum store_role role)
{
	struct opened *o = calloc(1, sizeof *o);
	struct store_events events = { o, bench_on_changed };
	struct why why;

	CHECK(o);
	o->bench = b;
	b->options.role = role;
	assert_int_equal(store_open(&b->loop, &b->options, &events, &o->store, &why), 0);
	DL_APPEND(b->all, o);
	return o;
}

static inline struct opened *bench_open(struct store_bench *b, enum store_role role)
{
	struct opened *o = bench_begin(b, role);

	bench_await(b, o->up);
	return o;
}

static inline void bench_close(struct opened *o)
{
	DL_DELETE(o->bench->all, o);
	store_close(o->store);
	free(o);
}

static inline int bench_set_up(void **state)
{
	const char *url = *state; /* the test's initial state; NULL: SQLite */
	struct store_bench *b = calloc(1, sizeof *b);

	CHECK(b);
	CHECK(uv_loop_init(&b->loop) == 0);
	if (url) {
		(void)snprintf(b->url, sizeof b->url, "%s", url);
	} else {
		(void)strcpy(b->dir, "/tmp/parley-store.XXXXXX");
		CHECK(mkdtemp(b->dir));
		(void)snprintf(b->url, sizeof b->url, "sqlite:%s/parley.db", b->dir);
	}
	b->options.url = b->url;
	b->options.deadline_ms = BENCH_PATIENCE_MS;
	*state = b;
	return 0;
}

static inline int bench_tear_down(void **state)
{
	struct store_bench *b = *state;
	char command[128];

	while (b->all)
		bench_close(b->all);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&b->loop) == 0);
	if (b->dir[0]) {
		(void)snprintf(command, sizeof command, "rm -rf %s", b->dir);
		CHECK(system(command) == 0); /* NOLINT(cert-env33-c): our own name */
	}
	free(b);
	return 0;
}

/* A name that no room has yet; lent until the next one. */
static inline struct text bench_room(struct store_bench *b, const char *name)
{
	int len = snprintf(b->room, sizeof b->room, "%s.%d.%llx.%u", name, (int)getpid(),
			   (unsigned long long)clock_mono_ns(), b->n_rooms++);

	return (struct text){ b->room, (uint32_t)len };
}

/* ---- verbs that wait ---- */

static inline struct text text_of(const char *string)
{
	return (struct text){ string, (uint32_t)strlen(string) };
}

static inline struct store_send send_of(struct text room, const char *from,
					const char *id, const char *body)
{
	struct store_send send = { .message = { .room = room,
						.id = text_of(id),
						.from = text_of(from),
						.body = text_of(body) } };

	return send;
}

struct answered {
	bool yes;
	int status;
	struct page_builder page;
	struct store_query query;
};

static inline void bench_on_status(void *app, int status)
{
	struct answered *a = app;

	CHECK(!a->yes);
	a->yes = true;
	a->status = status;
}

static inline int bench_commit(struct opened *o, struct store_send *sends, unsigned n)
{
	struct answered a = { 0 };
	int r = store_commit(o->store, sends, n, bench_on_status, &a);

	if (r < 0)
		return r;
	assert_false(a.yes);
	bench_await(o->bench, a.yes);
	return a.status;
}

static inline int bench_probe(struct opened *o)
{
	struct answered a = { 0 };
	int r = store_probe(o->store, bench_on_status, &a);

	if (r < 0)
		return r;
	bench_await(o->bench, a.yes);
	return a.status;
}

/* Sends one message; its sequence, or a negative errno. */
static inline int64_t bench_send(struct opened *o, struct text room, const char *from,
				 const char *id, const char *body)
{
	struct store_send send = send_of(room, from, id, body);
	int r = bench_commit(o, &send, 1);

	return r < 0 ? r : (int64_t)send.message.seq;
}

/* Sends n messages "n.1" … by ann, as batches. */
static inline void bench_fill(struct opened *o, struct text room, unsigned n)
{
	static struct store_send sends[STORE_BATCH_MAX];
	static char ids[STORE_BATCH_MAX][16];
	unsigned k = 0;

	for (unsigned i = 1; i <= n; i++) {
		(void)snprintf(ids[k], sizeof ids[k], "n.%u", i);
		sends[k] = send_of(room, "ann", ids[k], "\"text\"");
		if (++k == STORE_BATCH_MAX || i == n) {
			assert_int_equal(bench_commit(o, sends, k), 0);
			assert_int_equal(sends[k - 1].message.seq, i);
			k = 0;
		}
	}
}

static inline void bench_on_page(void *app, int status, const struct store_page *page)
{
	struct answered *a = app;

	CHECK(!a->yes);
	a->yes = true;
	a->status = status;
	assert_true(status < 0 ? !page : page != NULL);
	if (!page)
		return;
	page_begin(&a->page, &a->query, page->head, page->first);
	for (uint32_t i = 0; i < page->n; i++)
		assert_int_equal(page_add(&a->page, &page->messages[i]), 0);
	a->query.newest = false; /* they are in order already */
	(void)page_end(&a->page);
	a->page.page.more = page->more;
}

/* A copy of the page; to be given to page_release() as `ret_page` says. */
static inline int bench_read(struct opened *o, const struct store_query *query,
			     struct page_builder *ret_page)
{
	struct answered a = { .query = *query };
	int r = store_read(o->store, query, bench_on_page, &a);

	*ret_page = (struct page_builder){ 0 };
	if (r < 0)
		return r;
	assert_false(a.yes);
	bench_await(o->bench, a.yes);
	*ret_page = a.page;
	ret_page->query = NULL;
	return a.status;
}

/* Of one test over all stores; `tests` has room for two of each. */
static inline size_t bench_add(struct CMUnitTest *tests, size_t n, const char *name,
			       const char *postgres_name, CMUnitTestFunction test)
{
	char *postgres = getenv("TEST_POSTGRES");

	tests[n++] = (struct CMUnitTest){ name, test, bench_set_up, bench_tear_down,
					  NULL };
	if (postgres && *postgres)
		tests[n++] = (struct CMUnitTest){ postgres_name, test, bench_set_up,
						  bench_tear_down, postgres };
	return n;
}

#define BENCH_ADD(tests, n, test) \
	((n) = bench_add(tests, n, #test "_in_sqlite", #test "_in_postgresql", test))

#endif
