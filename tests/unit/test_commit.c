/* test_commit - every send is answered once, in order, by what the store says of it. */
#include "tests/unit/commit_bench.h"

/* ---- in order ---- */

static void nobody_is_answered_before_the_commit(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	submit(b, 2);
	assert_false(committer_is_done(&b->committer));
	committer_turn(&b->committer);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->n_told, 0);
	store_commits(b);
	assert_int_equal(b->n_told, 2);
	expect_sent(b, 0, 1, 1, false);
	expect_sent(b, 1, 2, 2, false);
	assert_true(committer_is_done(&b->committer));
	assert_int_equal(count(b, COUNTER_store_commits), 1);
	assert_int_equal(count(b, COUNTER_store_commit_sends), 2);
	assert_int_equal(count(b, COUNTER_messages), 2);
}

static void what_comes_during_a_commit_is_one_batch(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	committer_turn(&b->committer);
	for (uint64_t ticket = 2; ticket <= 1 + STORE_BATCH_MAX; ticket++) {
		submit(b, ticket);
		committer_turn(&b->committer);
	}
	assert_int_equal(b->n_begun, 1);
	assert_int_equal(count(b, COUNTER_store_queue), 1 + STORE_BATCH_MAX);
	store_commits(b);
	committer_turn(&b->committer);
	assert_int_equal(b->n, STORE_BATCH_MAX);
	store_commits(b);
	assert_int_equal(b->n_told, 1 + STORE_BATCH_MAX);
	for (unsigned i = 0; i < b->n_told; i++)
		expect_sent(b, i, i + 1, i + 1, false);
	assert_int_equal(count(b, COUNTER_store_queue), 0);
}

static void a_repeat_is_told_as_one(void **state)
{
	struct bench *b = *state;

	submit_as(b, 1, 7);
	submit_as(b, 2, 7);
	committer_turn(&b->committer);
	store_commits(b);
	expect_sent(b, 0, 1, 1, false);
	expect_sent(b, 1, 2, 1, true);
	assert_int_equal(count(b, COUNTER_store_repeats), 1);
	assert_int_equal(count(b, COUNTER_messages), 1);
}

static void beyond_the_bound_sends_are_refused_as_busy(void **state)
{
	struct bench *b = *state;

	for (uint64_t ticket = 1; ticket <= QUEUE_MAX + 1; ticket++)
		submit(b, ticket);
	assert_int_equal(b->n_told, 1);
	expect_refused(b, 0, QUEUE_MAX + 1, REFUSED_busy);
	assert_int_equal(count(b, COUNTER_store_refused), 1);
}

/* ---- a store that goes away ---- */

static void an_unknown_end_is_tried_again_and_comes_back_as_repeats(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	submit(b, 2);
	committer_turn(&b->committer);
	store_keeps(b); /* but the answer is lost */
	store_answers(b, -ENOTCONN);
	committer_changed(&b->committer, false);
	submit(b, 3);
	committer_turn(&b->committer);
	assert_int_equal(b->n_begun, 1); /* it is left alone while it is away */
	assert_int_equal(b->n_told, 0);
	assert_int_equal(count(b, COUNTER_store_state), 2);

	committer_changed(&b->committer, true);
	committer_turn(&b->committer);
	assert_int_equal(count(b, COUNTER_store_state),
			 2); /* until it has kept something */
	store_commits(b);
	assert_int_equal(b->n_told, 3);
	expect_sent(b, 0, 1, 1, true);
	expect_sent(b, 1, 2, 2, true);
	expect_sent(b, 2, 3, 3, false);
	assert_int_equal(b->n_looks, 0); /* all of them were told */
	assert_int_equal(count(b, COUNTER_store_state), 1);
}

static void without_an_answer_in_time_it_is_tried_again_by_itself(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	committer_turn(&b->committer);
	store_answers(b, -ETIMEDOUT);
	committer_turn(&b->committer);
	assert_null(b->done); /* not at once */
	b->refuses = -EBUSY;  /* the old one is not over yet */
	pass_ms(b, 500);
	assert_int_equal(count(b, COUNTER_store_errors), 1);
	b->refuses = 0;
	pass_ms(b, 200);
	store_commits(b);
	assert_int_equal(b->n_told, 1);
	expect_sent(b, 0, 1, 1, false);
}

static void who_waits_too_long_is_refused_and_the_rest_goes_on(void **state)
{
	struct bench *b = *state;

	committer_changed(&b->committer, false);
	submit(b, 1);
	pass_ms(b, HOLD_MS - 500);
	submit(b, 2);
	pass_ms(b, 600);
	assert_int_equal(b->n_told, 1);
	expect_refused(b, 0, 1, REFUSED_unavailable);
	committer_changed(&b->committer, true);
	committer_turn(&b->committer);
	store_commits(b);
	expect_sent(b, 1, 2, 1, false);
	assert_int_equal(b->n_looks, 0); /* nothing refused was ever tried */
}

/* It may have been committed, and nobody was told of it. */
static void refused_after_an_unknown_end_the_store_is_looked_at(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	committer_turn(&b->committer);
	store_keeps(b);
	store_answers(b, -ENOTCONN);
	committer_changed(&b->committer, false);
	pass_ms(b, HOLD_MS + 200);
	expect_refused(b, 0, 1, REFUSED_unavailable);
	assert_int_equal(b->n_looks, 0); /* there is nothing to be seen yet */
	committer_changed(&b->committer, true);
	pass_ms(b, 100);
	assert_true(b->probing);
	store_answers(b, 0);
	assert_int_equal(b->n_looks, 1);
	pass_ms(b, 1100);
	store_answers(b, 0);
	assert_int_equal(b->n_looks, 1); /* once */
}

static void a_commit_under_way_is_waited_for(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	committer_turn(&b->committer);
	pass_ms(b, 2 * HOLD_MS);
	assert_int_equal(b->n_told, 0);
	assert_int_equal(count(b, COUNTER_store_latency_us), 2000 * HOLD_MS);
	assert_int_equal(count(b, COUNTER_store_commit_sum_us), 0);
	store_commits(b);
	assert_int_equal(count(b, COUNTER_store_commit_sum_us), 2000 * HOLD_MS);
	expect_sent(b, 0, 1, 1, false);
}

static void until_the_store_is_known_it_is_left_alone(void **state)
{
	struct bench *b = *state;
	struct commit_io io = b->committer.io;
	struct commit_limits limits = { HOLD_MS, QUEUE_MAX, 65536, 4 * 65536 };

	committer_release(&b->committer);
	memset(&b->slot, 0, sizeof b->slot);
	committer_init(&b->committer, &io, &limits, &b->slot);
	submit(b, 1);
	pass_ms(b, 500);
	assert_null(b->done);
	assert_int_equal(count(b, COUNTER_store_state), 0);
	committer_changed(&b->committer, true);
	committer_turn(&b->committer);
	store_commits(b);
	expect_sent(b, 0, 1, 1, false);
}

/* ---- a store that fails ---- */

static void a_batch_that_failed_is_refused_and_the_next_is_tried(void **state)
{
	struct bench *b = *state;

	submit(b, 1);
	committer_turn(&b->committer);
	submit(b, 2);
	store_answers(b, -ENOSPC);
	assert_int_equal(b->n_told, 1);
	expect_refused(b, 0, 1, REFUSED_unavailable);
	assert_int_equal(b->n_failed, 1);
	assert_int_equal(b->last_failure, -ENOSPC);
	assert_int_equal(count(b, COUNTER_store_state), 2);
	committer_turn(&b->committer);
	store_commits(b);
	expect_sent(b, 1, 2, 1, false);
	assert_int_equal(count(b, COUNTER_store_state), 1);
	assert_int_equal(count(b, COUNTER_store_errors), 1);
}

static void a_store_that_cannot_even_begin_has_failed(void **state)
{
	struct bench *b = *state;

	b->refuses = -ENOMEM;
	submit(b, 1);
	committer_turn(&b->committer);
	expect_refused(b, 0, 1, REFUSED_unavailable);
	assert_int_equal(b->last_failure, -ENOMEM);
}

/* ---- health ---- */

static void an_idle_store_is_probed_each_second(void **state)
{
	struct bench *b = *state;
	unsigned n = 0;

	for (unsigned i = 0; i < 50; i++) {
		pass_ms(b, 100);
		if (!b->probing)
			continue;
		n++;
		b->now_us += 1500; /* what it took */
		store_answers(b, 0);
	}
	assert_in_range(n, 4, 6);
	assert_int_equal(count(b, COUNTER_store_latency_us), 1500);
	assert_in_range(count(b, COUNTER_store_last_ok_ms), 1, INT64_MAX);
	assert_int_equal(count(b, COUNTER_store_commits), 0);
	assert_int_equal(count(b, COUNTER_store_commit_sum_us), 0);
}

static void a_probe_that_fails_tells_that_the_store_is_down(void **state)
{
	struct bench *b = *state;

	pass_ms(b, 1100);
	assert_true(b->probing);
	submit(b, 1);
	committer_turn(&b->committer);
	assert_int_equal(b->n_begun, 0); /* one thing at a time */
	store_answers(b, -EIO);
	assert_int_equal(count(b, COUNTER_store_state), 2);
	assert_int_equal(b->n_failed, 1);
	committer_turn(&b->committer);
	store_commits(b);
	assert_int_equal(count(b, COUNTER_store_state), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_answered_before_the_commit),
		TEST(what_comes_during_a_commit_is_one_batch),
		TEST(a_repeat_is_told_as_one),
		TEST(beyond_the_bound_sends_are_refused_as_busy),
		TEST(an_unknown_end_is_tried_again_and_comes_back_as_repeats),
		TEST(without_an_answer_in_time_it_is_tried_again_by_itself),
		TEST(who_waits_too_long_is_refused_and_the_rest_goes_on),
		TEST(refused_after_an_unknown_end_the_store_is_looked_at),
		TEST(a_commit_under_way_is_waited_for),
		TEST(until_the_store_is_known_it_is_left_alone),
		TEST(a_batch_that_failed_is_refused_and_the_next_is_tried),
		TEST(a_store_that_cannot_even_begin_has_failed),
		TEST(an_idle_store_is_probed_each_second),
		TEST(a_probe_that_fails_tells_that_the_store_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
