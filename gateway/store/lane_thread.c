#include <errno.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/store/lane_inside.h"

enum {
	LOOK_MS = 1000, /* at a connection without work */
	RETRY_MIN_MS = 20,
	RETRY_MAX_MS = 2000,
};

static void wake_loop(struct lane *lane)
{
	CHECK(uv_async_send(&lane->wake) == 0);
}

static void say(struct lane *lane, bool up, const struct why *why)
{
	uv_mutex_lock(&lane->lock);
	if (lane->state.up)
		lane->state.n_lost++;
	lane->state.known = true;
	lane->state.up = up;
	if (!up)
		lane->state.why = *why;
	uv_mutex_unlock(&lane->lock);
	wake_loop(lane);
}

static void wait_to_retry(struct lane *lane)
{
	unsigned shift = lane->n_failures < 7 ? lane->n_failures : 7;
	uint64_t wait_ms = (uint64_t)RETRY_MIN_MS << shift;

	lane->retry_at_ms = lane_now_ms() +
			    (wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
	lane->n_failures++;
}

static void try_to_connect(struct lane *lane)
{
	struct why why = { "" };

	lane->connected = lane->ops->connect(lane->app, &why) >= 0;
	if (!lane->connected)
		wait_to_retry(lane);
	lane->idle_at_ms = 0;
	say(lane, lane->connected, &why);
}

/* Drops a connection that is of no use; at once for another, unless that is lost again
 * and again. True if there is one still. */
static bool look(struct lane *lane)
{
	struct why why = { "" };

	if (!lane->connected || !lane->ops->is_lost(lane->app, &why))
		return lane->connected;
	lane->ops->disconnect(lane->app);
	lane->connected = false;
	if (lane->n_failures > 0)
		wait_to_retry(lane);
	else
		lane->n_failures = 1;
	say(lane, false, &why);
	return false;
}

static int work(struct lane *lane, struct lane_job *job)
{
	int status;

	if (!look(lane) && lane_now_ms() >= lane->retry_at_ms)
		try_to_connect(lane);
	if (!lane->connected)
		return -ENOTCONN;
	status = job->work(job, lane->app);
	if (look(lane) && status >= 0)
		lane->n_failures = 0;
	return status;
}

/* One job, with the lock before and after. */
static void do_first(struct lane *lane)
{
	struct lane_job *job = lane->queue;

	DL_DELETE(lane->queue, job);
	lane->current = job;
	uv_mutex_unlock(&lane->lock);
	job->status = work(lane, job);
	uv_mutex_lock(&lane->lock);
	lane->current = NULL;
	DL_APPEND(lane->finished, job);
	wake_loop(lane);
	uv_mutex_unlock(&lane->lock);
	if (lane->connected)
		lane->ops->after(lane->app);
	uv_mutex_lock(&lane->lock);
}

/* Without a job: what is due now, else milliseconds until something is. */
static uint64_t do_own(struct lane *lane)
{
	uint64_t now = lane_now_ms();

	if (!look(lane)) {
		if (now < lane->retry_at_ms)
			return lane->retry_at_ms - now;
		try_to_connect(lane);
		return 0;
	}
	if (now >= lane->idle_at_ms)
		lane->idle_at_ms = now + lane->ops->idle(lane->app);
	return lane->idle_at_ms - now < LOOK_MS ? lane->idle_at_ms - now : LOOK_MS;
}

void lane_thread(void *arg)
{
	struct lane *lane = arg;

	CHECK_OBJ(lane, LANE_MAGIC);
	uv_mutex_lock(&lane->lock);
	while (!lane_is_closing(lane)) {
		uint64_t ms = 0;

		if (lane->queue) {
			do_first(lane);
		} else {
			uv_mutex_unlock(&lane->lock);
			ms = do_own(lane);
			uv_mutex_lock(&lane->lock);
		}
		if (ms > 0 && !lane->queue && !lane_is_closing(lane))
			(void)uv_cond_timedwait(&lane->work, &lane->lock, ms * MS_NS);
	}
	uv_mutex_unlock(&lane->lock);
	if (lane->connected)
		lane->ops->disconnect(lane->app);
	uv_mutex_lock(&lane->lock);
	lane->ended = true;
	wake_loop(lane);
	uv_mutex_unlock(&lane->lock);
}
