/*
 * What the store does with the database that it is given: the schema in it, who may come
 * in, and what the server refuses.
 */
#include "tests/unit/postgres_server.h"

static struct opened *open_at(struct store_bench *b, const char *url,
			      enum store_role role)
{
	b->options.url = url;
	return bench_begin(b, role);
}

/* ---- the schema ---- */

static void many_begin_at_once_on_an_empty_database(void **state)
{
	struct store_bench *b = *state;
	const char *url = server_database("empty", "");
	struct text room = bench_room(b, "first");
	struct opened *stores[8];
	char id[16];

	for (unsigned i = 0; i < 8; i++)
		stores[i] = open_at(b, url, i % 2 ? STORE_WRITER : STORE_READER);
	for (unsigned i = 0; i < 8; i++)
		bench_await(b, stores[i]->up);
	for (unsigned i = 1; i < 8; i += 2) {
		assert_int_equal(stores[i]->n_downs, 0);
		(void)snprintf(id, sizeof id, "%u", i);
		assert_int_equal(bench_send(stores[i], room, "ann", id, "{}"), i / 2 + 1);
	}
	for (unsigned i = 0; i < 8; i++)
		bench_close(stores[i]);
}

static void a_newer_schema_is_refused_in_words(void **state)
{
	struct store_bench *b = *state;
	const char *url = server_database("newer", "");
	struct opened *o = open_at(b, url, STORE_WRITER);

	bench_await(b, o->up);
	bench_close(o);
	server_sql("newer", "update parley.version set version = 99");
	for (enum store_role role = STORE_READER; role <= STORE_WRITER; role++) {
		o = open_at(b, url, role);
		bench_await(b, o->known);
		assert_false(o->up);
		assert_non_null(strstr(o->why.text, "schema version 99"));
		bench_close(o);
	}
	/* Nothing was done to it. */
	server_sql("newer",
		   "update parley.version set version = version / (version / 99)");
}

static void another_encoding_is_refused_in_words(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_at(b,
				   server_database("latin", "encoding 'LATIN1'"
							    " template template0"),
				   STORE_WRITER);

	bench_await(b, o->known);
	assert_false(o->up);
	assert_non_null(strstr(o->why.text, "LATIN1"));
	assert_non_null(strstr(o->why.text, "UTF8"));
	bench_close(o);
}

static void commits_are_flushed_whatever_the_server_is_set_to(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_at(b, server_database("lazy", ""), STORE_WRITER);

	bench_await(b, o->up);
	bench_close(o);
	server_sql("lazy", "alter database lazy set synchronous_commit = off");
	server_sql("lazy",
		   "create function parley.seen() returns trigger language plpgsql as "
		   "\\$\\$ begin if current_setting('synchronous_commit') <> 'on' then "
		   "raise 'commits are not flushed'; end if; return new; end \\$\\$");
	server_sql("lazy", "create trigger seen before insert on parley.messages"
			   " for each row execute function parley.seen()");
	o = open_at(b, b->options.url, STORE_WRITER);
	bench_await(b, o->up);
	assert_int_equal(bench_send(o, bench_room(b, "lazy"), "ann", "1", "{}"), 1);
	bench_close(o);
}

/* ---- who may come in ---- */

static void a_wrong_password_is_told_without_it(void **state)
{
	struct store_bench *b = *state;
	struct opened *o;
	char url[256], pool[160];
	FILE *hba;

	server_sql("postgres", "create role guarded login password 'the-right-0ne'");
	(void)server_database("guarded", "owner guarded");
	(void)snprintf(pool, sizeof pool, "%s/data/pg_hba.conf", server.dir);
	hba = fopen(pool, "w");
	assert_non_null(hba);
	(void)fprintf(hba, "local all guarded scram-sha-256\nlocal all all trust\n");
	assert_int_equal(fclose(hba), 0);
	server_sql("postgres", "select pg_reload_conf()");

	(void)snprintf(url, sizeof url,
		       "postgresql://guarded:a-wr0ng-one@/guarded?host=%s", server.dir);
	o = open_at(b, url, STORE_WRITER);
	bench_await(b, o->known);
	assert_false(o->up);
	assert_non_null(strstr(o->why.text, "password authentication failed"));
	assert_null(strstr(o->why.text, "wr0ng"));
	bench_close(o);

	(void)snprintf(url, sizeof url,
		       "postgresql://guarded:the-right-0ne@/guarded?host=%s", server.dir);
	o = open_at(b, url, STORE_WRITER);
	bench_await(b, o->up);
	bench_close(o);
}

static void a_url_that_is_none_is_refused_without_quoting_it(void **state)
{
	static const char *const urls[] = {
		"postgresql://ann:sec%zzret@localhost/chat",
		"postgres://ann:secret@[::1/chat",
		"postgresql://ann:x@localhost/chat?secret=1",
		"postgresql://ann:x@localhost/chat?sslmode=disable&secret",
	};
	struct store_bench *b = *state;
	struct store_events events = { NULL, NULL };

	for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct store *store = NULL;
		struct why why = { "" };

		b->options.url = urls[i];
		assert_int_equal(store_open(&b->loop, &b->options, &events, &store, &why),
				 -EINVAL);
		assert_true(strlen(why.text) > 0);
		assert_null(strstr(why.text, "sec"));
	}
}

/* ---- where it is ---- */

static void a_host_that_is_not_there_is_told(void **state)
{
	/* No name server is asked for a label of more than 63 characters. */
	static const char *const urls[][2] = {
		{ "postgresql://ann@localhost:1/chat", "Connection refused" },
		{ "postgresql://ann@/chat?host=/nowhere", "No such file" },
		{ "postgresql://"
		  "ann@a234567890a234567890a234567890a234567890a234567890a23456"
		  "7890a234567890.invalid/chat",
		  "has no address" },
	};
	struct store_bench *b = *state;

	for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct opened *o = open_at(b, urls[i][0], STORE_READER);

		bench_await(b, o->known);
		assert_false(o->up);
		assert_non_null(strstr(o->why.text, urls[i][1]));
		bench_close(o);
	}
}

static void the_next_host_is_taken_when_one_is_not_there(void **state)
{
	struct store_bench *b = *state;
	struct opened *o;
	char url[256];

	(void)snprintf(url, sizeof url,
		       "postgresql://postgres@/postgres?host=localhost,%s&port=1,5432",
		       server.dir);
	o = open_at(b, url, STORE_WRITER);
	bench_await(b, o->up);
	assert_int_equal(o->n_downs, 0);
	bench_close(o);
	/* Closed while a thread looks a name up. */
	o = open_at(b, url, STORE_WRITER);
	bench_turn(b);
	bench_close(o);
}

/* ---- what the server refuses ---- */

/* A trigger that fails with an SQLSTATE, so many times (a sequence does not roll back).
 */
static struct opened *open_failing(struct store_bench *b, const char *name,
				   const char *sqlstate, unsigned times)
{
	struct opened *o = open_at(b, server_database(name, ""), STORE_WRITER);
	char sql[512];

	bench_await(b, o->up);
	server_sql(name, "create sequence parley.failures");
	(void)snprintf(
		sql, sizeof sql,
		"create function parley.fail() returns trigger language plpgsql as "
		"\\$\\$ begin if nextval('parley.failures') <= %u then "
		"raise exception sqlstate '%s'; end if; return new; end \\$\\$",
		times, sqlstate);
	server_sql(name, sql);
	server_sql(name, "create trigger fail before insert on parley.messages"
			 " for each row execute function parley.fail()");
	return o;
}

static void a_full_disk_refuses_and_commits_nothing(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_failing(b, "fulldisk", "53100", 2);
	struct text room = bench_room(b, "full");

	assert_int_equal(bench_send(o, room, "ann", "1", "{}"), -ENOSPC);
	assert_int_equal(bench_send(o, room, "ann", "1", "{}"), -ENOSPC);
	assert_int_equal(bench_send(o, room, "ann", "1", "{}"), 1);
	assert_int_equal(o->n_downs, 0);
	bench_close(o);
}

static void a_deadlock_is_tried_again(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_failing(b, "deadlock", "40P01", 3);
	struct text room = bench_room(b, "deadlock");

	assert_int_equal(bench_send(o, room, "ann", "1", "{}"), 1);
	assert_int_equal(bench_send(o, room, "ann", "2", "{}"), 2);
	bench_close(o);
}

static void what_always_fails_is_answered_once(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_failing(b, "failing", "40001", 1000000);

	assert_int_equal(bench_send(o, bench_room(b, "failing"), "ann", "1", "{}"), -EIO);
	server_sql("failing", "drop trigger fail on parley.messages");
	assert_int_equal(bench_send(o, bench_room(b, "failing"), "ann", "1", "{}"), 1);
	bench_close(o);
}

static void a_room_that_somebody_took_away_is_made_again(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_at(b, server_database("taken", ""), STORE_WRITER);
	struct text room = bench_room(b, "taken");

	bench_await(b, o->up);
	assert_int_equal(bench_send(o, room, "ann", "1", "{}"), 1);
	server_sql("taken", "truncate parley.rooms, parley.messages");
	assert_int_equal(bench_send(o, room, "ann", "2", "{}"), 1);
	bench_close(o);
}

static void an_administrator_ends_the_connection_and_it_comes_back(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = open_at(b, server_database("ended", ""), STORE_WRITER);

	bench_await(b, o->up);
	server_sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity"
			       " where datname = 'ended'");
	bench_await(b, o->n_downs == 1);
	assert_non_null(strstr(o->why.text, "administrator"));
	bench_await(b, o->n_ups == 2);
	assert_int_equal(bench_send(o, bench_room(b, "ended"), "ann", "1", "{}"), 1);
	bench_close(o);
}

/* ---- what is kept ---- */

static bool first_is(struct opened *o, struct text room, uint64_t first)
{
	struct store_query query = { .room = room, .limit = 5000, .bytes_max = 1 << 20 };
	struct page_builder p;
	bool is;

	assert_int_equal(bench_read(o, &query, &p), 0);
	is = p.page.first == first;
	if (is) {
		assert_int_equal(p.page.n, p.page.head + 1 - first);
		assert_true(p.page.n == 0 || p.page.messages[0].seq == first);
	}
	page_release(&p);
	return is;
}

static void more_than_is_kept_goes_away_in_steps(void **state)
{
	struct store_bench *b = *state;
	struct text room = bench_room(b, "kept");
	struct opened *o = open_at(b, server_database("kept", ""), STORE_WRITER);

	bench_await(b, o->up);
	bench_fill(o, room, 3000); /* more than one step's */
	assert_true(first_is(o, room, 1));
	bench_close(o);
	b->options.retain_count = 100;
	o = open_at(b, b->options.url, STORE_WRITER);
	bench_await(b, o->up);
	bench_await(b, first_is(o, room, 2901));
	bench_close(o);
	b->options.retain_ms = 1;
	b->options.retain_count = 0;
	o = open_at(b, b->options.url, STORE_WRITER);
	bench_await(b, o->up);
	bench_await(b, first_is(o, room, 3001));
	assert_int_equal(bench_send(o, room, "ann", "next", "{}"), 3001);
	bench_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(many_begin_at_once_on_an_empty_database),
		SERVER_TEST(a_newer_schema_is_refused_in_words),
		SERVER_TEST(another_encoding_is_refused_in_words),
		SERVER_TEST(commits_are_flushed_whatever_the_server_is_set_to),
		SERVER_TEST(a_wrong_password_is_told_without_it),
		SERVER_TEST(a_url_that_is_none_is_refused_without_quoting_it),
		SERVER_TEST(a_host_that_is_not_there_is_told),
		SERVER_TEST(the_next_host_is_taken_when_one_is_not_there),
		SERVER_TEST(a_full_disk_refuses_and_commits_nothing),
		SERVER_TEST(a_deadlock_is_tried_again),
		SERVER_TEST(what_always_fails_is_answered_once),
		SERVER_TEST(a_room_that_somebody_took_away_is_made_again),
		SERVER_TEST(an_administrator_ends_the_connection_and_it_comes_back),
		SERVER_TEST(more_than_is_kept_goes_away_in_steps),
	};

	if (!server_is_installed())
		return 0;
	return cmocka_run_group_tests(tests, server_set_up, server_tear_down);
}
