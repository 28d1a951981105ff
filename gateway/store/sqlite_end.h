/*
 * sqlite_end - a lane with a connection to the store's file: the writer's or a reader's.
 *
 * What the thread does by itself: opens the file, notices that it is another one, trims
 * and copies the log back between batches.
 */
#ifndef STORE_SQLITE_END_H
#define STORE_SQLITE_END_H

#include <stdatomic.h>

#include "gateway/store/lane.h"
#include "gateway/store/sqlite_schema.h"
#include "gateway/store/sqlite_write.h"

struct sqlite_end {
	/* Set by the owner before end_open(), and not changed after it. */
	const char *path;
	bool writable;
	uint64_t deadline_ms, retain_ms, retain_count;
	const char *short_room; /* see struct store_options */
	uint64_t short_count;
	void *app;
	void (*changed)(void *app, bool up, const char *why); /* as of a lane */
	void (*closed)(void *app);                            /* lane is NULL again */

	struct lane *lane; /* the loop's; NULL: not open */
	atomic_bool closing;

	/* The thread's. */
	struct db *db;
	struct file_identity identity;
	struct write_trim trim;
	uint64_t trim_ns; /* of this look through the rooms so far */
};

int end_open(struct uv_loop_s *loop, struct sqlite_end *end);
/* One that is not open is accepted. */
void end_close(struct sqlite_end *end);
/* As lane_give(); the job's work gets the end. */
int end_give(struct sqlite_end *end, struct lane_job *job);

#endif
