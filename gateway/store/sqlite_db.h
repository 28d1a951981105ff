/*
 * sqlite_db - one connection to an SQLite file, and SQLite's errors as ours.
 *
 * For one thread at a time. Statements are prepared once and kept, each under the
 * address of its text, which must live as long as the connection: a `static const char`
 * beside its use. A statement that could not be made is NULL, which binding and stepping
 * accept: the error comes from the step.
 *
 *   -ENOSPC     the disk, the quota or the largest size of a file
 *   -ETIMEDOUT  another connection has had a lock for longer than `busy_ms`
 *   -ENOTCONN   the file could not be opened
 *   -EIO        anything else: reading, writing, a damaged file
 */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"
#include "gateway/message.h"

struct db;
struct sqlite3_stmt;

struct db_options {
	const char *path; /* of a file that exists */
	bool writable;
	uint64_t busy_ms;            /* how long to wait for another's lock */
	bool (*gives_up)(void *app); /* asked while waiting */
	void *app;
};

/* The connection is new and unlocked; nothing was read yet. */
int db_open(const struct db_options *options, struct db **ret_db, struct why *why);
/* NULL is accepted. */
void db_close(struct db *db);

/* Statements without values, and whose rows are of no interest. */
int db_run(struct db *db, const char *sql);
/* The first column of the first row. */
int db_run_number(struct db *db, const char *sql, int64_t *ret_number);

struct sqlite3_stmt *db_statement(struct db *db, const char *sql);
void db_bind_number(struct sqlite3_stmt *statement, int i, int64_t number);
/* Lent until the statement is done. */
void db_bind_text(struct sqlite3_stmt *statement, int i, struct text text);

/* 1: a row; 0: that was all; or an error. But for a row the statement is done. */
int db_step(struct db *db, struct sqlite3_stmt *statement);
/* No more rows are wanted. */
void db_done(struct sqlite3_stmt *statement);
/* Steps to the end, without rows. */
int db_execute(struct db *db, struct sqlite3_stmt *statement);
int64_t db_number(struct sqlite3_stmt *statement, int column);
/* Lent until the next step. */
struct text db_text(struct sqlite3_stmt *statement, int column);

/* Of the last statement that wrote. */
unsigned db_n_changed(const struct db *db);
int64_t db_last_row(const struct db *db);

/* Ends the transaction, if there is one, without it. */
void db_roll_back(struct db *db);

/* Pages in the log at the last commit. Copies them into the file, so that the log can
 * begin anew; `wait` for readers that are in the way. */
unsigned db_n_log_pages(const struct db *db);
int db_checkpoint(struct db *db, bool wait);

/* True once the file cannot be trusted to be there and whole: open another one. `why`
 * says what happened. */
bool db_is_lost(const struct db *db, struct why *why);
/* The last error in words. */
const char *db_error(const struct db *db);

#endif
