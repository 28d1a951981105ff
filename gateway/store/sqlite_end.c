#include "gateway/store/sqlite_end.h"

#include <errno.h>

#include "common/clock.h"

enum {
	TRIM_PAUSE_MS = 1000,       /* after each look through all rooms, at least */
	TRIM_ROOM_PAUSE_MS = 60000, /* where there is one room only */
	TRIM_SHARE = 20,            /* and so many times as long as the look took */
};

/* ---- in the thread ---- */

static bool gives_up(void *app)
{
	struct sqlite_end *end = app;

	return atomic_load(&end->closing);
}

static int connect_end(void *app, struct why *why)
{
	struct sqlite_end *end = app;
	struct db_options options = {
		.path = end->path,
		.writable = end->writable,
		.busy_ms = end->deadline_ms,
		.gives_up = gives_up,
		.app = end,
	};

	return schema_open(&options, &end->identity, &end->db, why);
}

static void disconnect_end(void *app)
{
	struct sqlite_end *end = app;

	db_close(end->db);
	end->db = NULL;
}

static bool is_lost(void *app, struct why *why)
{
	const struct sqlite_end *end = app;

	return db_is_lost(end->db, why) ||
	       !schema_is_there(end->path, &end->identity, why);
}

static void after_job(void *app)
{
	const struct sqlite_end *end = app;

	if (end->writable)
		write_log_back(end->db);
}

/* Trims a little and says when to come again: at once while there is more, and after a
 * look through all rooms so that looking takes a twentieth of the time at most. */
static uint64_t on_idle(void *app)
{
	struct sqlite_end *end = app;
	uint64_t start_ns = clock_mono_ns(), pause_ms;

	if (!end->writable)
		return UINT32_MAX;
	if (end->short_room && !end->trim.room_id &&
	    write_trim_room(end->db, end->short_room, end->short_count) > 0)
		return 0;
	if (!end->retain_ms && !end->retain_count)
		return end->short_room ? TRIM_ROOM_PAUSE_MS : UINT32_MAX;
	if (write_trim(end->db, &end->trim, end->retain_ms, end->retain_count,
		       clock_wall_ms()) > 0) {
		end->trim_ns += clock_mono_ns() - start_ns;
		return 0;
	}
	pause_ms = end->trim_ns / MS_NS * TRIM_SHARE;
	end->trim_ns = 0;
	return pause_ms > TRIM_PAUSE_MS ? pause_ms : TRIM_PAUSE_MS;
}

/* ---- on the loop ---- */

static void on_changed(void *app, bool up, const char *why)
{
	struct sqlite_end *end = app;

	end->changed(end->app, up, why);
}

static void on_closed(void *app)
{
	struct sqlite_end *end = app;

	end->lane = NULL;
	end->closed(end->app);
}

int end_open(struct uv_loop_s *loop, struct sqlite_end *end)
{
	static const struct lane_ops ops = {
		.connect = connect_end,
		.disconnect = disconnect_end,
		.is_lost = is_lost,
		.after = after_job,
		.idle = on_idle,
		.changed = on_changed,
		.closed = on_closed,
	};

	return lane_open(loop, &ops, end, end->deadline_ms, &end->lane);
}

void end_close(struct sqlite_end *end)
{
	if (!end->lane)
		return;
	atomic_store(&end->closing, true);
	lane_close(end->lane);
}

int end_give(struct sqlite_end *end, struct lane_job *job)
{
	return end->lane ? lane_give(end->lane, job) : -ENOTCONN;
}
