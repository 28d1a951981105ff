/* SQLite's log is written in few pieces, and nobody ever sees less than was committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/store/sqlite_log.h"

static char path[64];
static sqlite3 *writer, *reader;
static unsigned n_writes, fails_at; /* which write fails; 0: none */
static int fails_with;

/* What SQLite's own layer calls to write. */
static ssize_t counted_write(int fd, const void *data, size_t len, off_t at)
{
	if (++n_writes != fails_at)
		return pwrite(fd, data, len, at);
	errno = fails_with;
	return -1;
}

static void run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return number;
}

static sqlite3 *opened(const char *layer)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path, &db,
					 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
					 layer),
			 SQLITE_OK);
	return db;
}

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/parley-log-%d.db", (int)getpid());
	assert_non_null(log_layer());
	writer = opened(log_layer());
	run(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA wal_autocheckpoint = 0;"
		    "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)");
	reader = opened(NULL);
	n_writes = fails_at = 0;
	return 0;
}

static int teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[80];

	(void)state;
	assert_int_equal(number(reader, "SELECT integrity_check = 'ok' FROM"
					" pragma_integrity_check"),
			 1);
	assert_int_equal(sqlite3_close(writer), SQLITE_OK);
	assert_int_equal(sqlite3_close(reader), SQLITE_OK);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)unlink(name); /* some are gone */
	}
	return 0;
}

/* So many rows, each on a page of its own. */
static void begin_rows(unsigned n)
{
	char sql[200];

	snprintf(sql, sizeof sql,
		 "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		 " WHERE i < %u) INSERT INTO t (body) SELECT printf('%%.3000c', 'x')"
		 " FROM n",
		 n);
	run(writer, sql);
}

static void a_commit_of_many_pages_is_few_writes(void **state)
{
	(void)state;
	begin_rows(25);
	n_writes = 0;
	run(writer, "COMMIT");
	assert_in_range(n_writes, 1, 3); /* with the log's own head */
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 25);
	begin_rows(100);
	n_writes = 0;
	run(writer, "COMMIT");
	assert_in_range(n_writes, 4, 6);
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 125);
}

/* A transaction larger than the cache is in the log before it is committed, and read
 * from there. */
static void what_is_not_committed_yet_can_be_read_back(void **state)
{
	(void)state;
	run(writer, "PRAGMA cache_size = 10");
	begin_rows(500);
	assert_int_equal(number(writer, "SELECT count(*) FROM t WHERE length(body) ="
					" 3000"),
			 500);
	run(writer, "UPDATE t SET body = 'short' WHERE id % 7 = 0");
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 0);
	run(writer, "COMMIT");
	assert_int_equal(number(reader, "SELECT count(*) FROM t WHERE body = 'short'"),
			 71);
	begin_rows(500);
	run(writer, "ROLLBACK");
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 500);
	run(writer, "DELETE FROM t WHERE id > 100");
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 100);
}

static void the_log_is_copied_and_begins_anew(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		begin_rows(10);
		run(writer, "COMMIT");
		assert_int_equal(number(reader, "SELECT count(*) FROM t"), 10 * i);
		if (i % 5 == 0)
			run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
		else if (i % 3 == 0)
			run(writer, "PRAGMA wal_checkpoint(RESTART)");
	}
}

/* Whichever write fails, it is the commit that does, and nothing of it is there. */
static void a_write_that_fails_is_of_the_commit(void **state)
{
	static const int codes[] = { ENOSPC, EIO };
	int r = SQLITE_ERROR;

	(void)state;
	run(writer, "INSERT INTO t (body) VALUES ('first')");
	for (unsigned i = 0; i < 2; i++) {
		fails_with = codes[i];
		for (unsigned at = 1; at <= 3; at++) {
			begin_rows(70);
			n_writes = 0;
			fails_at = at;
			r = sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL);
			fails_at = 0;
			assert_int_equal(r & 0xff,
					 codes[i] == ENOSPC ? SQLITE_FULL : SQLITE_IOERR);
			(void)sqlite3_exec(writer, "ROLLBACK", NULL, NULL, NULL);
			assert_int_equal(number(reader, "SELECT count(*) FROM t"), 1);
			assert_int_equal(number(writer, "SELECT count(*) FROM t"), 1);
		}
	}
	begin_rows(70);
	run(writer, "COMMIT");
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 71);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_commit_of_many_pages_is_few_writes),
		TEST(what_is_not_committed_yet_can_be_read_back),
		TEST(the_log_is_copied_and_begins_anew),
		TEST(a_write_that_fails_is_of_the_commit),
	};
	sqlite3_vfs *own = sqlite3_vfs_find(NULL);

	/* One of the two is what is called; the other is not there. */
	(void)own->xSetSystemCall(own, "pwrite", (sqlite3_syscall_ptr)counted_write);
	(void)own->xSetSystemCall(own, "pwrite64", (sqlite3_syscall_ptr)counted_write);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
