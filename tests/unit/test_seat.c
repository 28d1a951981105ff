/* test_seat - a place to be filled: every event in every state, and what counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/supervisor/seat.h"

struct bench {
	struct seat seat;
	struct segment_seat words;
	struct child old, new; /* in slots 3 and 5 */
	struct segment_child old_words, new_words;
};

static const struct child_end killed = { .reason = EXIT_killed, .signal = 9 };
static const struct child_end asked = { .reason = EXIT_asked };

static void make_child(struct child *child, unsigned slot, struct segment_child *words)
{
	child_init(child, slot, words);
	child_announce(child, ROLE_WORKER, 2, slot);
	child_spawned(child, 100 + (pid_t)slot, 0, 1000);
}

static struct seat *empty(struct bench *b)
{
	memset(b, 0, sizeof *b);
	seat_init(&b->seat, 2, ROLE_WORKER, &b->words);
	make_child(&b->old, 3, &b->old_words);
	make_child(&b->new, 5, &b->new_words);
	return &b->seat;
}

static void become_ready(struct seat *seat, struct child *child, uint64_t now_ms)
{
	child_ready(child, now_ms);
	seat_ready(seat, child, now_ms);
}

static struct seat *serving(struct bench *b)
{
	struct seat *seat = empty(b);

	seat_started(seat, &b->old, false, 1000);
	become_ready(seat, &b->old, 1100);
	return seat;
}

static uint64_t ends(struct seat *seat, const struct child *child, uint64_t lived_ms,
		     uint64_t now_ms)
{
	return seat_ended(seat, child, &killed, lived_ms, 0, true, now_ms);
}

static void the_table_is_this_one(void **state)
{
	/* Columns: started ready coming died doomed handed failed settled closed. */
	static const char *const next[SEAT_STATE_COUNT] = {
		[SEAT_empty] = "t......e.",   [SEAT_starting] = ".s.bc..te",
		[SEAT_serving] = "..rbc..se", [SEAT_replacing] = ".rrbctsse",
		[SEAT_backoff] = "t......b.", [SEAT_crash_loop] = "cs.cc..ce",
	};
	static const char letters[] = "etsrbc";

	(void)state;
	for (unsigned s = 0; s < SEAT_STATE_COUNT; s++) {
		for (unsigned e = 0; e < SEAT_EVENT_COUNT; e++) {
			enum seat_state to = SEAT_STATE_COUNT;
			bool may = seat_step(s, e, &to);

			assert_int_equal(may, next[s][e] != '.');
			if (may)
				assert_int_equal(letters[to], next[s][e]);
		}
	}
}

static void an_empty_seat_is_due_and_published_as_served_once_ready(void **state)
{
	struct bench b;
	struct seat *seat = empty(&b);

	(void)state;
	assert_true(seat_is_due(seat, 0));
	seat_started(seat, &b.old, false, 1000);
	assert_false(seat_is_due(seat, 5000));
	assert_int_equal(word_get(&b.words.state), SEAT_starting);
	assert_int_equal(word_get(&b.words.slot), 0);
	become_ready(seat, &b.old, 1100);
	assert_int_equal(word_get(&b.words.state), SEAT_serving);
	assert_int_equal(word_get(&b.words.slot), 4);
	assert_int_equal(word_get(&b.words.since_ms), 1100);
	assert_int_equal(word_get(&b.words.restarts), 0);
}

static void a_death_is_counted_and_the_restart_too(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	assert_int_equal(ends(seat, &b.old, 9000, 10000), 0);
	assert_int_equal(word_get(&b.words.state), SEAT_backoff);
	assert_int_equal(word_get(&b.words.slot), 0);
	assert_int_equal(word_get(&b.words.deaths[EXIT_killed]), 1);
	assert_int_equal(word_get(&b.words.last_reason), EXIT_killed);
	assert_int_equal(word_get(&b.words.last_signal), 9);
	assert_true(seat->bereaved);
	assert_true(seat_is_due(seat, 10000));
	seat_started(seat, &b.new, true, 10000);
	assert_int_equal(word_get(&b.words.restarts), 1);
	/* The second short life has to wait. */
	assert_int_equal(ends(seat, &b.new, 0, 10100), 100);
	assert_false(seat_is_due(seat, 10199));
	assert_int_equal(word_get(&b.words.retry_at_ms), 10200);
	assert_true(seat_is_due(seat, 10200));
}

static void one_that_left_as_asked_is_no_death(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	assert_int_equal(seat_ended(seat, &b.old, &asked, 10, 0, true, 2000), 0);
	assert_false(seat->bereaved);
	assert_true(seat_is_due(seat, 2000));
	for (unsigned i = 0; i < EXIT_REASON_COUNT; i++)
		assert_int_equal(word_get(&b.words.deaths[i]), 0);
}

static void a_crash_loop_stays_one_until_somebody_is_ready(void **state)
{
	struct bench b;
	struct seat *seat = empty(&b);
	uint64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_not_equal(seat->state, SEAT_crash_loop);
		seat_started(seat, &b.old, i > 0, now_ms);
		now_ms += 10 + ends(seat, &b.old, 0, now_ms);
	}
	assert_int_equal(word_get(&b.words.state), SEAT_crash_loop);
	assert_true(now_ms > 30000);
	assert_false(seat_is_due(seat, now_ms - 100));
	assert_true(seat_is_due(seat, now_ms));
	seat_started(seat, &b.new, true, now_ms);
	assert_int_equal(word_get(&b.words.state), SEAT_crash_loop);
	become_ready(seat, &b.new, now_ms + 5);
	assert_int_equal(word_get(&b.words.state), SEAT_serving);
}

static void a_replacement_takes_over_when_it_is_ready(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	assert_true(seat_may_replace(seat, 2000));
	seat_started(seat, &b.new, true, 2000);
	assert_false(seat_may_replace(seat, 2000));
	assert_int_equal(word_get(&b.words.state), SEAT_replacing);
	assert_int_equal(word_get(&b.words.slot), 4);
	become_ready(seat, &b.new, 2100);
	assert_int_equal(word_get(&b.words.state), SEAT_replacing);
	assert_int_equal(word_get(&b.words.slot), 6);
	assert_ptr_equal(seat->process, &b.new);
	/* The former one's end costs the seat nothing but its count. */
	assert_int_equal(ends(seat, &b.old, 0, 2200), 0);
	assert_int_equal(word_get(&b.words.state), SEAT_replacing);
	seat_settled(seat, 2200);
	assert_int_equal(word_get(&b.words.state), SEAT_serving);
	assert_int_equal(word_get(&b.words.deaths[EXIT_killed]), 1);
	assert_int_equal(word_get(&b.words.restarts), 1);
}

static void a_replacement_that_fails_leaves_the_old_one_and_waits(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	for (int i = 0; i < 2; i++) {
		seat_started(seat, &b.new, false, 2000);
		(void)ends(seat, &b.new, 0, 2100);
		assert_int_equal(word_get(&b.words.state), SEAT_serving);
		assert_int_equal(word_get(&b.words.slot), 4);
	}
	assert_false(seat_may_replace(seat, 2199));
	assert_true(seat_may_replace(seat, 2200));
}

static void when_the_old_one_dies_first_the_replacement_is_the_process(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	seat_started(seat, &b.new, true, 2000);
	child_abort(&b.old, 2000);
	seat_publish(seat);
	assert_int_equal(word_get(&b.words.slot), 0);
	(void)ends(seat, &b.old, 900, 2050);
	/* Nobody former is left, but somebody is still to come: not settled before. */
	seat_settled(seat, 2050);
	assert_int_equal(word_get(&b.words.state), SEAT_starting);
	assert_false(seat_is_due(seat, 99999));
	become_ready(seat, &b.new, 2100);
	assert_int_equal(word_get(&b.words.state), SEAT_serving);
	assert_int_equal(word_get(&b.words.slot), 6);
}

static void an_older_one_that_leaves_does_not_end_a_replacement(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	seat_started(seat, &b.new, true, 2000);
	seat_settled(seat, 2010);
	assert_int_equal(word_get(&b.words.state), SEAT_replacing);
	become_ready(seat, &b.new, 2100);
	assert_int_equal(word_get(&b.words.slot), 6);
}

static void a_leaving_gateway_fills_no_seat(void **state)
{
	struct bench b;
	struct seat *seat = serving(&b);

	(void)state;
	assert_int_equal(seat_ended(seat, &b.old, &killed, 0, 0, false, 3000), 0);
	assert_int_equal(word_get(&b.words.state), SEAT_empty);
	assert_int_equal(word_get(&b.words.slot), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_this_one),
		cmocka_unit_test(an_empty_seat_is_due_and_published_as_served_once_ready),
		cmocka_unit_test(a_death_is_counted_and_the_restart_too),
		cmocka_unit_test(one_that_left_as_asked_is_no_death),
		cmocka_unit_test(a_crash_loop_stays_one_until_somebody_is_ready),
		cmocka_unit_test(a_replacement_takes_over_when_it_is_ready),
		cmocka_unit_test(a_replacement_that_fails_leaves_the_old_one_and_waits),
		cmocka_unit_test(
			when_the_old_one_dies_first_the_replacement_is_the_process),
		cmocka_unit_test(an_older_one_that_leaves_does_not_end_a_replacement),
		cmocka_unit_test(a_leaving_gateway_fills_no_seat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
