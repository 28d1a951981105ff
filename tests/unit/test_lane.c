/* test_lane - what blocks is done in order, elsewhere, and nobody waits for ever. */
/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/store/lane.h"

enum {
	DEADLINE_MS = 500, /* long enough to begin a job on a busy machine */
	PATIENCE_MS = 60000,
};

struct fixture {
	uv_loop_t loop;
	uv_timer_t beat;
	struct lane *lane;
	uv_thread_t loop_thread;
	bool closing, closed;
	/* What the loop heard. */
	unsigned n_ups, n_downs, n_answers, n_disposed;
	bool up;
	struct why why;
	int order[16];
	/* What the connection does. */
	atomic_int connect_fails;
	atomic_bool lost;
	atomic_uint n_connects, n_disconnects, n_works;
	uv_sem_t go; /* for jobs that block */
};

struct job {
	struct lane_job job; /* first */
	struct fixture *f;
	int number;
	bool blocks, closes;
	int status; /* as answered */
};

/* ---- the thread's ---- */

static void expect_thread(const struct fixture *f, bool is_loop)
{
	uv_thread_t self = uv_thread_self();

	CHECK(!uv_thread_equal(&self, &f->loop_thread) == !is_loop);
}

static int on_connect(void *app, struct why *why)
{
	struct fixture *f = app;

	expect_thread(f, false);
	atomic_fetch_add(&f->n_connects, 1);
	if (atomic_load(&f->connect_fails) > 0) {
		atomic_fetch_sub(&f->connect_fails, 1);
		return why_set(why, -ECONNREFUSED, "not now");
	}
	return 0;
}

static void on_disconnect(void *app)
{
	struct fixture *f = app;

	expect_thread(f, false);
	atomic_fetch_add(&f->n_disconnects, 1);
}

static bool on_is_lost(void *app, struct why *why)
{
	struct fixture *f = app;

	why_write(why, "lost");
	return atomic_exchange(&f->lost, false);
}

static void on_after(void *app)
{
	expect_thread(app, false);
}

static uint64_t on_idle(void *app)
{
	expect_thread(app, false);
	return 1;
}

static int on_work(struct lane_job *lane_job, void *app)
{
	struct job *job = (struct job *)lane_job;

	expect_thread(app, false);
	if (job->blocks)
		uv_sem_wait(&job->f->go);
	atomic_fetch_add(&job->f->n_works, 1);
	return job->number;
}

/* ---- the loop's ---- */

static void on_answer(struct lane_job *lane_job, int status)
{
	struct job *job = (struct job *)lane_job;
	struct fixture *f = job->f;

	expect_thread(f, true);
	job->status = status;
	f->order[f->n_answers++] = job->number;
	if (job->closes) {
		f->closing = true;
		lane_close(f->lane);
	}
}

static void on_dispose(struct lane_job *lane_job)
{
	struct job *job = (struct job *)lane_job;

	job->f->n_disposed++;
}

static void on_changed(void *app, bool up, const char *why)
{
	struct fixture *f = app;

	*(up ? &f->n_ups : &f->n_downs) += 1;
	f->up = up;
	why_write(&f->why, "%s", why);
}

static void on_closed(void *app)
{
	struct fixture *f = app;

	f->closed = true;
}

static void on_beat(uv_timer_t *beat)
{
	(void)beat;
}

static const struct lane_ops ops = { on_connect, on_disconnect, on_is_lost, on_after,
				     on_idle,    on_changed,    on_closed };

/* ---- the bench ---- */

#define AWAIT(f, condition)                                             \
	do {                                                            \
		uint64_t until = clock_mono_ns() / MS_NS + PATIENCE_MS; \
		while (!(condition) && clock_mono_ns() / MS_NS < until) \
			(void)uv_run(&(f)->loop, UV_RUN_ONCE);          \
		if (!(condition))                                       \
			fail_msg("never came: %s", #condition);         \
	} while (0)

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	CHECK(f);
	CHECK(uv_loop_init(&f->loop) == 0);
	CHECK(uv_timer_init(&f->loop, &f->beat) == 0);
	CHECK(uv_timer_start(&f->beat, on_beat, 5, 5) == 0);
	CHECK(uv_sem_init(&f->go, 0) == 0);
	f->loop_thread = uv_thread_self();
	*state = f;
	return 0;
}

static void open_lane(struct fixture *f)
{
	assert_int_equal(lane_open(&f->loop, &ops, f, DEADLINE_MS, &f->lane), 0);
}

static void begin_to_close(struct fixture *f)
{
	f->closing = true;
	lane_close(f->lane);
}

static void close_lane(struct fixture *f)
{
	begin_to_close(f);
	AWAIT(f, f->closed);
	assert_int_equal(atomic_load(&f->n_disconnects) > 0, f->n_ups > 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	/* A test that failed leaves it open, and maybe a job that blocks. */
	uv_sem_post(&f->go);
	if (!f->closing)
		lane_close(f->lane);
	AWAIT(f, f->closed);
	uv_close((uv_handle_t *)&f->beat, NULL);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&f->loop) == 0);
	uv_sem_destroy(&f->go);
	free(f);
	return 0;
}

static int give(struct fixture *f, struct job *job, int number)
{
	job->job = (struct lane_job){ on_work, on_answer, on_dispose };
	job->f = f;
	job->number = number;
	job->status = -1;
	return lane_give(f->lane, &job->job);
}

/* ---- promises ---- */

static void jobs_are_done_in_order_and_answered_on_the_loop(void **state)
{
	struct fixture *f = *state;
	struct job jobs[10] = { 0 };

	open_lane(f);
	for (int i = 0; i < 10; i++)
		assert_int_equal(give(f, &jobs[i], i), 0);
	assert_int_equal(f->n_answers, 0);
	AWAIT(f, f->n_disposed == 10);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(f->order[i], i);
		assert_int_equal(jobs[i].status, i);
	}
	assert_int_equal(f->n_ups, 1);
	assert_int_equal(f->n_downs, 0);
	close_lane(f);
}

/* The thread hangs: its job and those behind it are answered in time, the lane is down
 * until the thread is back, and what it brings then is nobody's. */
static void a_late_job_is_answered_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	struct job jobs[3] = { { .blocks = true } }, other = { 0 };
	uint64_t start;

	open_lane(f);
	AWAIT(f, f->up);
	uv_update_time(&f->loop); /* it counts from there, in whole milliseconds */
	start = clock_mono_ns();
	for (int i = 0; i < 3; i++)
		assert_int_equal(give(f, &jobs[i], i), 0);
	AWAIT(f, f->n_answers == 3 && f->n_downs == 1);
	assert_true(clock_mono_ns() - start >= (DEADLINE_MS - 1) * MS_NS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(jobs[i].status, -ETIMEDOUT);
	assert_int_equal(f->n_disposed, 2); /* the thread still has the first */
	assert_non_null(strstr(f->why.text, "500 ms"));
	assert_int_equal(give(f, &other, 7), -ENOTCONN);
	uv_sem_post(&f->go);
	AWAIT(f, f->up);
	assert_int_equal(f->n_disposed, 3);
	assert_int_equal(f->n_answers, 3);
	assert_int_equal(atomic_load(&f->n_works), 1);
	assert_int_equal(give(f, &other, 7), 0);
	AWAIT(f, other.status == 7);
	AWAIT(f, f->n_disposed == 4);
	close_lane(f);
}

static void a_lost_connection_is_made_anew_and_told(void **state)
{
	struct fixture *f = *state;
	struct job job = { 0 };

	open_lane(f);
	AWAIT(f, f->up);
	atomic_store(&f->lost, true);
	AWAIT(f, f->n_ups == 2);
	assert_int_equal(f->n_downs, 1);
	assert_int_equal(atomic_load(&f->n_connects), 2);
	/* Lost again, at a job: it is done on the next connection or not begun. */
	atomic_store(&f->lost, true);
	assert_int_equal(give(f, &job, 3), 0);
	AWAIT(f, f->n_disposed == 1 && f->n_ups == 3);
	assert_true(job.status == 3 || job.status == -ENOTCONN);
	assert_int_equal(f->n_downs, 2);
	close_lane(f);
}

static void who_cannot_connect_is_down_and_tries_again(void **state)
{
	struct fixture *f = *state;
	struct job waiting = { 0 }, refused = { 0 };

	atomic_store(&f->connect_fails, 5);
	open_lane(f);
	assert_int_equal(give(f, &waiting, 1), 0); /* who knows */
	AWAIT(f, f->n_downs == 1 && f->n_disposed == 1);
	assert_int_equal(waiting.status, -ENOTCONN);
	assert_string_equal(f->why.text, "not now");
	if (!f->up)
		assert_int_equal(give(f, &refused, 2), -ENOTCONN);
	AWAIT(f, f->up);
	assert_int_equal(f->n_downs, 1);
	assert_int_equal(atomic_load(&f->n_connects), 6);
	close_lane(f);
}

static void closing_answers_all_and_waits_for_the_thread(void **state)
{
	struct fixture *f = *state;
	struct job jobs[4] = { { .blocks = true } };

	open_lane(f);
	AWAIT(f, f->up);
	for (int i = 0; i < 4; i++)
		assert_int_equal(give(f, &jobs[i], i), 0);
	begin_to_close(f);
	assert_int_equal(f->n_answers, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(jobs[i].status, -ENOTCONN);
	assert_false(f->closed);
	uv_sem_post(&f->go);
	AWAIT(f, f->closed);
	assert_int_equal(f->n_disposed, 4);
	assert_int_equal(f->n_downs, 0);
}

static void an_answer_may_close_the_lane(void **state)
{
	struct fixture *f = *state;
	struct job jobs[4] = { [1] = { .closes = true } };

	open_lane(f);
	for (int i = 0; i < 4; i++)
		assert_int_equal(give(f, &jobs[i], i), 0);
	AWAIT(f, f->closed);
	assert_int_equal(f->n_answers, 4);
	assert_int_equal(f->n_disposed, 4);
	assert_int_equal(jobs[0].status, 0);
	assert_int_equal(jobs[1].status, 1);
	assert_int_equal(jobs[3].status, -ENOTCONN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jobs_are_done_in_order_and_answered_on_the_loop),
		TEST(a_late_job_is_answered_at_its_deadline),
		TEST(a_lost_connection_is_made_anew_and_told),
		TEST(who_cannot_connect_is_down_and_tries_again),
		TEST(closing_answers_all_and_waits_for_the_thread),
		TEST(an_answer_may_close_the_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
