#include "gateway/store/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/store/lane_inside.h"

static void answer(struct lane_job *job, int status)
{
	if (job->is_answered)
		return;
	job->is_answered = true;
	job->answer(job, status);
}

/* Whatever is settled; closing the lane from an answer is allowed. */
static void answer_settled(struct lane *lane, bool closing)
{
	struct lane_job *job;

	while ((job = lane->settled)) {
		DL_DELETE(lane->settled, job);
		answer(job, closing ? -ENOTCONN : job->status);
		job->dispose(job);
	}
}

/* Late jobs of the queue are settled; the current one is only answered. */
static struct lane_job *take_late(struct lane *lane)
{
	uint64_t now = lane_now_ms();
	struct lane_job *job;

	while ((job = lane->queue) && now >= job->due_ms) {
		DL_DELETE(lane->queue, job);
		job->status = -ETIMEDOUT;
		DL_APPEND(lane->settled, job);
	}
	lane->late = lane->current && now >= lane->current->due_ms;
	return lane->late ? lane->current : NULL;
}

static bool is_up(const struct lane *lane)
{
	return lane->told.up && !lane->late;
}

/* `before`: what was told last. */
static void tell(struct lane *lane, const struct lane_state *before, bool was_up)
{
	bool up = is_up(lane), lost = lane->told.n_lost != before->n_lost;
	bool down = was_up ? !up || lost : !before->known && lane->told.known && !up;
	struct why late;

	why_write(&late, "no answer for %llu ms", (unsigned long long)lane->deadline_ms);
	if (down && !lane_is_closing(lane))
		lane->ops->changed(lane->app, false,
				   lane->late ? late.text : lane->told.why.text);
	if (up && (!was_up || lost) && !lane_is_closing(lane))
		lane->ops->changed(lane->app, true, "");
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct lane *lane = handle->data;

	CHECK_OBJ(lane, LANE_MAGIC);
	if (--lane->n_handles > 0)
		return;
	uv_mutex_destroy(&lane->lock);
	uv_cond_destroy(&lane->work);
	if (lane->started)
		lane->ops->closed(lane->app);
	lane->magic = 0;
	free(lane);
}

static void finish(struct lane *lane)
{
	if (lane->started)
		CHECK(uv_thread_join(&lane->thread) == 0);
	uv_close((uv_handle_t *)&lane->wake, on_handle_closed);
	uv_close((uv_handle_t *)&lane->timer, on_handle_closed);
}

static void on_timer(uv_timer_t *timer);

/* For the job that is late first; the others are later, each has the same time. */
static void arm_timer(struct lane *lane)
{
	uint64_t now = lane_now_ms(), due = UINT64_MAX;

	uv_mutex_lock(&lane->lock);
	if (lane->current && !lane->current->is_answered)
		due = lane->current->due_ms;
	else if (lane->queue)
		due = lane->queue->due_ms;
	uv_mutex_unlock(&lane->lock);
	if (due != UINT64_MAX)
		(void)uv_timer_start(&lane->timer, on_timer, due > now ? due - now : 0,
				     0);
	else
		(void)uv_timer_stop(&lane->timer);
}

/* Takes what the thread has for the loop and passes it on. */
static void settle(struct lane *lane)
{
	struct lane_state before = lane->told;
	bool was_up = is_up(lane), ended;
	struct lane_job *late;

	uv_mutex_lock(&lane->lock);
	DL_CONCAT(lane->settled, lane->finished);
	lane->finished = NULL;
	late = take_late(lane);
	lane->told = lane->state;
	ended = lane->ended;
	uv_mutex_unlock(&lane->lock);
	if (late)
		answer(late, -ETIMEDOUT);
	answer_settled(lane, lane_is_closing(lane));
	tell(lane, &before, was_up);
	if (ended)
		finish(lane);
	else
		arm_timer(lane);
}

static void on_timer(uv_timer_t *timer)
{
	struct lane *lane = timer->data;

	CHECK_OBJ(lane, LANE_MAGIC);
	settle(lane);
}

static void on_wake(uv_async_t *wake)
{
	struct lane *lane = wake->data;

	CHECK_OBJ(lane, LANE_MAGIC);
	settle(lane);
}

/* ---- the verbs ---- */

int lane_open(struct uv_loop_s *loop, const struct lane_ops *ops, void *app,
	      uint64_t deadline_ms, struct lane **ret_lane)
{
	struct lane *lane = calloc(1, sizeof *lane);
	int r;

	if (!lane)
		return -ENOMEM;
	r = uv_async_init(loop, &lane->wake, on_wake);
	if (r < 0) {
		free(lane);
		return r;
	}
	lane->magic = LANE_MAGIC;
	lane->ops = ops;
	lane->app = app;
	lane->deadline_ms = deadline_ms;
	lane->wake.data = lane->timer.data = lane;
	lane->n_handles = 2;
	CHECK(uv_timer_init(loop, &lane->timer) == 0);
	CHECK(uv_mutex_init(&lane->lock) == 0);
	CHECK(uv_cond_init(&lane->work) == 0);
	r = uv_thread_create(&lane->thread, lane_thread, lane);
	lane->started = r == 0;
	if (r < 0)
		finish(lane);
	else
		*ret_lane = lane;
	return r;
}

void lane_close(struct lane *lane)
{
	struct lane_job *current;

	CHECK_OBJ(lane, LANE_MAGIC);
	CHECK(!lane_is_closing(lane));
	atomic_store(&lane->closing, true);
	uv_mutex_lock(&lane->lock);
	DL_CONCAT(lane->settled, lane->finished);
	DL_CONCAT(lane->settled, lane->queue);
	lane->finished = lane->queue = NULL;
	current = lane->current;
	uv_cond_signal(&lane->work);
	uv_mutex_unlock(&lane->lock);
	(void)uv_timer_stop(&lane->timer);
	if (current)
		answer(current, -ENOTCONN);
	answer_settled(lane, true);
}

int lane_give(struct lane *lane, struct lane_job *job)
{
	CHECK_OBJ(lane, LANE_MAGIC);
	CHECK(!lane_is_closing(lane));
	if (lane->told.known && !is_up(lane))
		return -ENOTCONN;
	job->due_ms = lane_now_ms() + lane->deadline_ms;
	job->is_answered = false;
	uv_mutex_lock(&lane->lock);
	DL_APPEND(lane->queue, job);
	uv_cond_signal(&lane->work);
	uv_mutex_unlock(&lane->lock);
	if (!uv_is_active((uv_handle_t *)&lane->timer))
		arm_timer(lane);
	return 0;
}
