#include "gateway/store/sqlite_db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/store/sqlite_log.h"

enum {
	DB_MAGIC = 0x73716c64, /* "sqld" */
	STATEMENTS_MAX = 32,
};

struct db {
	unsigned magic;
	sqlite3 *handle;
	struct db_options options;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} kept[STATEMENTS_MAX];
	unsigned n_kept;
	unsigned n_log_pages;
	uint64_t busy_since_ns;
	int error; /* of the last call that failed, as ours */
	bool lost;
	struct why why; /* that error in words */
};

/* ---- errors ---- */

static int last_errno(struct db *db, int which)
{
	sqlite3_file *file = NULL;
	int error = 0;

	if (sqlite3_file_control(db->handle, NULL, which, &file) == SQLITE_OK && file &&
	    file->pMethods)
		(void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
	return error;
}

/* SQLite calls only ENOSPC "full". What could not be flushed is not among these: it may
 * have been written. */
static bool is_no_space(struct db *db, int code)
{
	static const int files[] = { SQLITE_FCNTL_FILE_POINTER,
				     SQLITE_FCNTL_JOURNAL_POINTER };

	if (code == SQLITE_IOERR_SHMSIZE)
		return true;
	if (code != SQLITE_IOERR_WRITE && code != SQLITE_IOERR_TRUNCATE)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		int error = last_errno(db, files[i]);

		if (error == ENOSPC || error == EDQUOT || error == EFBIG)
			return true;
	}
	return false;
}

static int translated(struct db *db, int code, bool *ret_lost)
{
	*ret_lost = false;
	switch (code & 0xff) {
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT: return -ETIMEDOUT;
	case SQLITE_NOMEM:
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG: return -EIO;
	case SQLITE_CANTOPEN: *ret_lost = true; return -ENOTCONN;
	case SQLITE_IOERR:
		if (is_no_space(db, code))
			return -ENOSPC;
		break;
	default: break;
	}
	*ret_lost = true;
	return -EIO;
}

/* SQLite's result as 0 or ours; what failed is kept in words. */
static int outcome(struct db *db, int code)
{
	bool lost;

	if (code == SQLITE_OK)
		return 0;
	db->error = translated(db, code, &lost);
	why_write(&db->why, "SQLite: %s (%d)", sqlite3_errmsg(db->handle),
		  sqlite3_extended_errcode(db->handle));
	db->lost = db->lost || lost;
	return db->error;
}

bool db_is_lost(const struct db *db, struct why *why)
{
	if (db->lost)
		why_write(why, "%s", db->why.text);
	return db->lost;
}

const char *db_error(const struct db *db)
{
	return db->why.text;
}

/* ---- opening ---- */

/* Another connection has the lock. Waits a little; 0 gives up. */
static int on_busy(void *app, int n_before)
{
	struct db *db = app;
	uint64_t now_ns = clock_mono_ns();

	if (n_before == 0)
		db->busy_since_ns = now_ns;
	if (now_ns - db->busy_since_ns > db->options.busy_ms * MS_NS ||
	    db->options.gives_up(db->options.app))
		return 0;
	clock_nap_ms(n_before < 5 ? 1 : 5);
	return 1;
}

static int on_committed(void *app, sqlite3 *handle, const char *name, int n_pages)
{
	struct db *db = app;

	db->n_log_pages = (unsigned)n_pages;
	return SQLITE_OK;
}

int db_open(const struct db_options *options, struct db **ret_db, struct why *why)
{
	int flags = (options->writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct db *db = calloc(1, sizeof *db);
	int r;

	if (!db)
		return why_set(why, -ENOMEM, "no memory");
	db->magic = DB_MAGIC;
	db->options = *options;
	r = outcome(db, sqlite3_open_v2(options->path, &db->handle, flags,
					options->writable ? log_layer() : NULL));
	if (r < 0) {
		why_write(why, "%s: %s", options->path, db->why.text);
		db_close(db);
		return r;
	}
	(void)sqlite3_busy_handler(db->handle, on_busy, db);  /* cannot fail */
	(void)sqlite3_wal_hook(db->handle, on_committed, db); /* instead of its own */
	*ret_db = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	CHECK_OBJ(db, DB_MAGIC);
	for (unsigned i = 0; i < db->n_kept; i++)
		(void)sqlite3_finalize(db->kept[i].statement); /* repeats old errors */
	CHECK(sqlite3_close(db->handle) == SQLITE_OK);
	db->magic = 0;
	free(db);
}

/* ---- statements ---- */

struct sqlite3_stmt *db_statement(struct db *db, const char *sql)
{
	sqlite3_stmt *made;

	CHECK_OBJ(db, DB_MAGIC);
	for (unsigned i = 0; i < db->n_kept; i++)
		if (db->kept[i].sql == sql)
			return db->kept[i].statement;
	CHECK(db->n_kept < STATEMENTS_MAX);
	if (outcome(db, sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
					   &made, NULL)) < 0)
		return NULL;
	db->kept[db->n_kept].sql = sql;
	db->kept[db->n_kept++].statement = made;
	return made;
}

void db_bind_number(struct sqlite3_stmt *statement, int i, int64_t number)
{
	if (statement)
		CHECK(sqlite3_bind_int64(statement, i, number) == SQLITE_OK);
}

void db_bind_text(struct sqlite3_stmt *statement, int i, struct text text)
{
	if (statement)
		CHECK(sqlite3_bind_text(statement, i, text.len ? text.at : "",
					(int)text.len, SQLITE_STATIC) == SQLITE_OK);
}

int db_step(struct db *db, struct sqlite3_stmt *statement)
{
	int code, r;

	if (!statement)
		return db->error;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	r = code == SQLITE_DONE ? 0 : outcome(db, code);
	db_done(statement);
	return r;
}

void db_done(struct sqlite3_stmt *statement)
{
	(void)sqlite3_reset(statement); /* repeats the error of the step */
}

int db_execute(struct db *db, struct sqlite3_stmt *statement)
{
	int r;

	do
		r = db_step(db, statement);
	while (r > 0);
	return r;
}

int64_t db_number(struct sqlite3_stmt *statement, int column)
{
	return sqlite3_column_int64(statement, column);
}

struct text db_text(struct sqlite3_stmt *statement, int column)
{
	struct text text = { (const char *)sqlite3_column_text(statement, column), 0 };

	text.len = (uint32_t)sqlite3_column_bytes(statement, column);
	return text;
}

int db_run(struct db *db, const char *sql)
{
	CHECK_OBJ(db, DB_MAGIC);
	return outcome(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int db_run_number(struct db *db, const char *sql, int64_t *ret_number)
{
	sqlite3_stmt *once;
	int r = outcome(db, sqlite3_prepare_v2(db->handle, sql, -1, &once, NULL));

	if (r < 0)
		return r;
	r = sqlite3_step(once);
	if (r == SQLITE_ROW) {
		*ret_number = sqlite3_column_int64(once, 0);
		r = 0;
	} else {
		r = r == SQLITE_DONE ? -EIO : outcome(db, r);
	}
	(void)sqlite3_finalize(once); /* repeats the error of the step */
	return r;
}

unsigned db_n_changed(const struct db *db)
{
	return (unsigned)sqlite3_changes(db->handle);
}

int64_t db_last_row(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

void db_roll_back(struct db *db)
{
	struct why why = db->why; /* what matters is why it is rolled back */

	if (!sqlite3_get_autocommit(db->handle) && db_run(db, "ROLLBACK") < 0)
		db->lost = true;
	db->why = why;
}

/* ---- the log ---- */

unsigned db_n_log_pages(const struct db *db)
{
	return db->n_log_pages;
}

int db_checkpoint(struct db *db, bool wait)
{
	int mode = wait ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
	int n_pages = 0;
	int r = outcome(
		db, sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &n_pages, NULL));

	db->n_log_pages = 0;
	return r;
}
