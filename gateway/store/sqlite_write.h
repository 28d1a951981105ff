/*
 * sqlite_write - what the one writer does in an SQLite store: batches, probes, trimming.
 *
 * Each is one transaction that is committed or rolled back when the call returns; each
 * blocks. Errors of sqlite_db.h; -ENOTCONN when the end of a commit is unknown.
 */
#ifndef STORE_SQLITE_WRITE_H
#define STORE_SQLITE_WRITE_H

#include "gateway/store/sqlite_db.h"
#include "gateway/store/store.h"

/* Commits the batch and fills seq, at_ms and repeat of each. */
int write_batch(struct db *db, struct store_send *sends, unsigned n, int64_t now_ms);

int write_probe(struct db *db, int64_t now_ms);

/* Copies the log into the file once it is long; not in a transaction. What fails there
 * fails again in a batch, or did not matter. */
void write_log_back(struct db *db);

/* Where the trimming stands; all zero to begin with. */
struct write_trim {
	int64_t room_id; /* that was looked at last */
};

enum {
	TRIM_ROWS_MAX = 256, /* of one step */
};

/* Takes away what is older than `retain_ms` or more than `retain_count` in a room (0: no
 * bound), a few rows of one room. 1: call again; 0: through all rooms; or an error. */
int write_trim(struct db *db, struct write_trim *trim, uint64_t retain_ms,
	       uint64_t retain_count, int64_t now_ms);

/* The same for the one room of this name, by count only. */
int write_trim_room(struct db *db, const char *name, uint64_t retain_count);

#endif
