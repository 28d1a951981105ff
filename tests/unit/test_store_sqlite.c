/* test_store_sqlite - what can happen to a file: other hands, full disks, other times. */
#include "tests/unit/store_bench.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void path_of(const struct store_bench *b, const char *suffix, char path[128])
{
	(void)snprintf(path, 128, "%s/parley.db%s", b->dir, suffix);
}

/* What another program does to the file. */
static void other_program(const struct store_bench *b, const char *sql)
{
	char path[128];
	sqlite3 *db;

	path_of(b, "", path);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	CHECK(sqlite3_close(db) == SQLITE_OK);
}

static struct page_builder read_all(struct opened *o, struct text room, int expected)
{
	struct store_query query = { .room = room, .limit = 1000, .bytes_max = 1000000 };
	struct page_builder p;

	assert_int_equal(bench_read(o, &query, &p), expected);
	return p;
}

static uint64_t head_of(struct opened *o, struct text room)
{
	struct page_builder p = read_all(o, room, 0);
	uint64_t head = p.page.head;

	page_release(&p);
	return head;
}

static void expect_away(struct store_bench *b, enum store_role role, const char *why)
{
	struct opened *o = bench_begin(b, role);
	struct store_query query = { .room = text_of("room") };
	struct answered a = { 0 };

	bench_await(b, o->known);
	assert_false(o->up);
	if (!strstr(o->why.text, why))
		fail_msg("\"%s\" is not of \"%s\"", o->why.text, why);
	assert_int_equal(store_read(o->store, &query, bench_on_page, &a), -ENOTCONN);
	if (role == STORE_WRITER)
		assert_int_equal(store_probe(o->store, bench_on_status, &a), -ENOTCONN);
	bench_close(o);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
}

/* ---- the file ---- */

static void the_file_and_its_log_are_for_their_owner(void **state)
{
	struct store_bench *b = *state;
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	mode_t mask = umask(0);
	struct opened *o = bench_open(b, STORE_WRITER);
	char path[128];
	struct stat st;

	assert_int_equal(bench_send(o, text_of("room"), "ann", "1", "1"), 1);
	for (unsigned i = 0; i < 3; i++) {
		path_of(b, suffixes[i], path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	bench_close(o);
	(void)umask(mask);
}

static void a_reader_waits_for_the_writer_to_make_the_file(void **state)
{
	struct store_bench *b = *state;
	struct opened *r = bench_begin(b, STORE_READER), *w;

	bench_await(b, r->known);
	assert_false(r->up);
	w = bench_open(b, STORE_WRITER);
	bench_await(b, r->up);
	assert_int_equal(bench_send(w, text_of("room"), "ann", "1", "1"), 1);
	assert_int_equal(head_of(r, text_of("room")), 1);
	bench_close(r);
	bench_close(w);
}

static void a_directory_that_is_not_there_is_named(void **state)
{
	struct store_bench *b = *state;

	(void)snprintf(b->url, sizeof b->url, "sqlite:%s/none/parley.db", b->dir);
	expect_away(b, STORE_WRITER, "its directory: No such file or directory");
	(void)snprintf(b->url, sizeof b->url, "sqlite:%s", b->dir);
	expect_away(b, STORE_WRITER, "not a file");
}

static void a_directory_that_cannot_be_written_is_told(void **state)
{
	struct store_bench *b = *state;

	if (geteuid() == 0 && seteuid(65534) < 0)
		skip();
	/* As nobody in a directory of somebody else; or in our own, read-only. */
	if (geteuid() != 65534)
		assert_int_equal(chmod(b->dir, 0500), 0);
	expect_away(b, STORE_WRITER, geteuid() == 65534 ? "ermission" : "cannot be made");
	if (geteuid() == 65534)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(b->dir, 0700), 0);
}

static void a_newer_schema_is_refused(void **state)
{
	struct store_bench *b = *state;

	bench_close(bench_open(b, STORE_WRITER));
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	other_program(b, "PRAGMA user_version = 77");
	expect_away(b, STORE_WRITER, "version 77");
	expect_away(b, STORE_READER, "newer parley");
}

static void anothers_database_is_left_alone(void **state)
{
	struct store_bench *b = *state;

	other_program(b, "CREATE TABLE rooms (mine)");
	expect_away(b, STORE_WRITER, "not of parley");
	other_program(b, "INSERT INTO rooms (mine) VALUES (1)");
}

static void what_is_no_database_is_left_alone(void **state)
{
	struct store_bench *b = *state;
	char path[128];
	FILE *file;

	path_of(b, "", path);
	file = fopen(path, "w");
	CHECK(file);
	for (unsigned i = 0; i < 1000; i++)
		CHECK(fputs("Dear diary, ", file) >= 0);
	CHECK(fclose(file) == 0);
	expect_away(b, STORE_WRITER, "not a database");
	expect_away(b, STORE_READER, "not a database");
}

/* A deleted file is a new store, for the writer and for who reads; nobody goes on with
 * the one that has no name. */
static void a_deleted_file_is_noticed(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *r = bench_open(b, STORE_READER);
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[128];

	bench_fill(w, text_of("room"), 10);
	assert_int_equal(head_of(r, text_of("room")), 10);
	for (unsigned i = 0; i < 3; i++) {
		path_of(b, suffixes[i], path);
		assert_int_equal(unlink(path), 0);
	}
	bench_await(b, w->n_downs == 1 && w->up);
	bench_await(b, r->n_downs > 0 && r->up);
	assert_int_equal(head_of(r, text_of("room")), 0);
	assert_int_equal(bench_send(w, text_of("room"), "ann", "1", "1"), 1);
	assert_int_equal(head_of(r, text_of("room")), 1);
	bench_close(r);
	bench_close(w);
}

/* ---- who is in the way ---- */

static void anothers_lock_makes_a_batch_late_and_no_worse(void **state)
{
	struct store_bench *b = *state;
	struct text room = text_of("room");
	struct opened *w, *r;
	char path[128];
	sqlite3 *db;

	b->options.deadline_ms = 300;
	w = bench_open(b, STORE_WRITER);
	r = bench_open(b, STORE_READER);
	assert_int_equal(bench_send(w, room, "ann", "1", "1"), 1);
	path_of(b, "", path);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	assert_int_equal(bench_send(w, room, "ann", "2", "1"), -ETIMEDOUT);
	assert_int_equal(head_of(r, room), 1);
	CHECK(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
	CHECK(sqlite3_close(db) == SQLITE_OK);
	bench_await(b, w->up);
	assert_int_equal(bench_send(w, room, "ann", "2", "1"), 2);
	bench_close(r);
	bench_close(w);
}

static void closing_does_not_wait_for_anothers_lock(void **state)
{
	struct store_bench *b = *state;
	struct store_send send = send_of(text_of("room"), "ann", "1", "1");
	struct opened *w = bench_open(b, STORE_WRITER);
	struct answered a = { 0 };
	char path[128];
	uint64_t start;
	sqlite3 *db;

	path_of(b, "", path);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	assert_int_equal(store_commit(w->store, &send, 1, bench_on_status, &a), 0);
	start = clock_mono_ns();
	bench_close(w);
	assert_true(a.yes);
	assert_int_equal(a.status, -ENOTCONN);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(clock_mono_ns() - start < BENCH_PATIENCE_MS / 2 * MS_NS);
	CHECK(sqlite3_close(db) == SQLITE_OK);
}

/* ---- no place ---- */

/* Fills until nothing goes any more; the number that went. */
static unsigned fill_up(struct opened *w, struct text room, unsigned from)
{
	static char body[4096];
	char id[16];
	int64_t r = 0;

	memset(body, '1', sizeof body - 1);
	for (unsigned i = from; i < 10000; i++) {
		(void)snprintf(id, sizeof id, "%u", i);
		r = bench_send(w, room, "ann", id, body);
		if (r < 0) {
			assert_int_equal(r, -ENOSPC);
			return i - 1;
		}
		assert_int_equal(r, i);
	}
	fail_msg("never full");
	return 0;
}

/* What was answered is there, what was refused is not, and the next number is the next.
 */
static void expect_recovery(struct store_bench *b, struct opened *w, unsigned n)
{
	struct opened *r = bench_open(b, STORE_READER);
	char id[16];

	bench_await(b, w->up);
	assert_int_equal(head_of(r, text_of("room")), n);
	(void)snprintf(id, sizeof id, "%u", n + 1);
	assert_int_equal(bench_send(w, text_of("room"), "ann", id, "1"), n + 1);
	assert_int_equal(bench_probe(w), 0);
	bench_close(r);
	bench_close(w);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
	struct store_bench *b = *state;
	struct opened *w;
	char other[128];
	FILE *ballast;
	unsigned n;

	if (mount("parley-test", b->dir, "tmpfs", 0, "size=1m") < 0)
		skip();
	path_of(b, ".ballast", other);
	ballast = fopen(other, "w");
	CHECK(ballast && ftruncate(fileno(ballast), 0) == 0);
	CHECK(posix_fallocate(fileno(ballast), 0, 300000) == 0);
	w = bench_open(b, STORE_WRITER);
	n = fill_up(w, text_of("room"), 1);
	assert_int_equal(bench_probe(w), -ENOSPC);
	assert_int_equal(fill_up(w, text_of("room"), n + 1), n);
	CHECK(fclose(ballast) == 0 && unlink(other) == 0);
	expect_recovery(b, w, n);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(umount(b->dir), 0);
}

static void the_largest_size_of_a_file_refuses_and_recovers(void **state)
{
	struct store_bench *b = *state;
	struct rlimit before, limit;
	struct opened *w;
	unsigned n;

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	limit = before;
	limit.rlim_cur = 300000;
	w = bench_open(b, STORE_WRITER);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	n = fill_up(w, text_of("room"), 1);
	assert_int_equal(fill_up(w, text_of("room"), n + 1), n);
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	expect_recovery(b, w, n);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_file_and_its_log_are_for_their_owner),
		TEST(a_reader_waits_for_the_writer_to_make_the_file),
		TEST(a_directory_that_is_not_there_is_named),
		TEST(a_directory_that_cannot_be_written_is_told),
		TEST(a_newer_schema_is_refused),
		TEST(anothers_database_is_left_alone),
		TEST(what_is_no_database_is_left_alone),
		TEST(a_deleted_file_is_noticed),
		TEST(anothers_lock_makes_a_batch_late_and_no_worse),
		TEST(closing_does_not_wait_for_anothers_lock),
		TEST(a_full_disk_refuses_and_recovers),
		TEST(the_largest_size_of_a_file_refuses_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
