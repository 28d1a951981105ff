/* test_wheel - timers that fire once, not early, and in bounded work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/transport/wheel.h"

enum {
	GRAIN = 10,
	SLOTS = 16,
	ALL = 1000000
};

struct item {
	struct wheel_timer timer; /* first: a timer's address is its item's */
	unsigned n_fired;
	uint64_t fired_at;
};

struct bench {
	struct wheel wheel;
	uint64_t now;
	unsigned n_fired;
	struct wheel_timer *order[64];
	struct wheel_timer *cancels, *arms; /* what the next callback does */
	uint64_t arms_at;
};

static void on_due(void *app, struct wheel_timer *timer)
{
	struct bench *bench = app;
	struct item *item = (struct item *)timer;

	assert_false(wheel_armed(timer));
	item->n_fired++;
	item->fired_at = bench->now;
	bench->order[bench->n_fired++ % 64] = timer;
	if (bench->cancels)
		wheel_cancel(&bench->wheel, bench->cancels);
	if (bench->arms)
		wheel_arm(&bench->wheel, bench->arms, bench->arms_at);
	bench->cancels = bench->arms = NULL;
}

static bool advance(struct bench *bench, uint64_t now, size_t max)
{
	bench->now = now;
	return wheel_advance(&bench->wheel, now, max, on_due, bench);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	*state = bench;
	return bench ? wheel_init(&bench->wheel, SLOTS, GRAIN, 1000) : -1;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	wheel_release(&bench->wheel);
	free(bench);
	return 0;
}

static void fires_once_and_within_a_grain_of_its_deadline(void **state)
{
	struct bench *bench = *state;
	struct item items[200] = { { .n_fired = 0 } };

	/* From now to far beyond one turn of the wheel, 160 ms. */
	for (unsigned i = 0; i < 200; i++)
		wheel_arm(&bench->wheel, &items[i].timer, 1000 + i * 7);
	for (uint64_t now = 1000; now < 3000; now++)
		assert_false(advance(bench, now, ALL));
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(items[i].n_fired, 1);
		assert_in_range(items[i].fired_at, 1000 + i * 7, 1000 + i * 7 + GRAIN);
	}
	assert_int_equal(bench->wheel.n_armed, 0);
}

static void fires_in_the_order_of_deadlines(void **state)
{
	struct bench *bench = *state;
	struct item late = { .n_fired = 0 }, early = { .n_fired = 0 };

	wheel_arm(&bench->wheel, &late.timer, 1090);
	wheel_arm(&bench->wheel, &early.timer, 1030);
	assert_false(advance(bench, 1100, ALL));
	assert_int_equal(bench->n_fired, 2);
	assert_ptr_equal(bench->order[0], &early);
	assert_ptr_equal(bench->order[1], &late);
}

static void does_not_fire_what_was_cancelled_or_armed_anew(void **state)
{
	struct bench *bench = *state;
	struct item cancelled = { .n_fired = 0 }, moved = { .n_fired = 0 };

	wheel_arm(&bench->wheel, &cancelled.timer, 1050);
	wheel_arm(&bench->wheel, &moved.timer, 1050);
	wheel_cancel(&bench->wheel, &cancelled.timer);
	wheel_cancel(&bench->wheel, &cancelled.timer);
	wheel_arm(&bench->wheel, &moved.timer, 1200);
	assert_int_equal(bench->wheel.n_armed, 1);
	assert_false(advance(bench, 1199, ALL));
	assert_int_equal(bench->n_fired, 0);
	assert_false(advance(bench, 1200, ALL));
	assert_int_equal(cancelled.n_fired, 0);
	assert_int_equal(moved.n_fired, 1);
}

static void a_callback_may_cancel_what_is_due_in_the_same_slot(void **state)
{
	struct bench *bench = *state;
	struct item first = { .n_fired = 0 }, second = { .n_fired = 0 };

	wheel_arm(&bench->wheel, &first.timer, 1050);
	wheel_arm(&bench->wheel, &second.timer, 1050);
	bench->cancels = &second.timer;
	assert_false(advance(bench, 1050, ALL));
	assert_int_equal(first.n_fired, 1);
	assert_int_equal(second.n_fired, 0);
	assert_int_equal(bench->wheel.n_armed, 0);
}

static void what_a_callback_arms_waits_for_a_later_advance(void **state)
{
	struct bench *bench = *state;
	struct item item = { .n_fired = 0 };

	wheel_arm(&bench->wheel, &item.timer, 1050);
	bench->arms = &item.timer;
	bench->arms_at = 0;
	/* Also when this advance still has slots before it, after a pause. */
	assert_false(advance(bench, 5000, ALL));
	assert_int_equal(item.n_fired, 1);
	assert_true(wheel_armed(&item.timer));
	assert_false(advance(bench, 5000, ALL));
	assert_int_equal(item.n_fired, 1);
	assert_false(advance(bench, 5010, ALL));
	assert_int_equal(item.n_fired, 2);
}

static void a_long_pause_fires_all_that_is_due_and_nothing_else(void **state)
{
	struct bench *bench = *state;
	struct item items[SLOTS * 2] = { { .n_fired = 0 } }, later = { .n_fired = 0 };
	const uint64_t year_ms = 365ull * 24 * 3600 * 1000;

	for (unsigned i = 0; i < SLOTS * 2; i++)
		wheel_arm(&bench->wheel, &items[i].timer, 1000 + (i + 1) * GRAIN);
	wheel_arm(&bench->wheel, &later.timer, year_ms + GRAIN);
	assert_false(advance(bench, year_ms, ALL));
	for (unsigned i = 0; i < SLOTS * 2; i++)
		assert_int_equal(items[i].n_fired, 1);
	assert_int_equal(later.n_fired, 0);
	assert_false(advance(bench, year_ms + GRAIN, ALL));
	assert_int_equal(later.n_fired, 1);
}

static void work_is_bounded_and_goes_on_where_it_stopped(void **state)
{
	struct bench *bench = *state;
	struct item items[50] = { { .n_fired = 0 } }, far = { .n_fired = 0 };
	unsigned n_advances = 0;
	bool more = true;

	for (unsigned i = 0; i < 50; i++)
		wheel_arm(&bench->wheel, &items[i].timer, 1000 + i % 5 * GRAIN);
	wheel_arm(&bench->wheel, &far.timer, 1000 + SLOTS * GRAIN);
	for (; more; n_advances++) {
		unsigned before = bench->n_fired;

		more = advance(bench, 1100, 7);
		assert_in_range(bench->n_fired - before, 0, 7);
		/* Whoever is armed meanwhile does not get lost. */
		if (n_advances == 2)
			wheel_arm(&bench->wheel, &items[0].timer, 1000);
	}
	assert_in_range(n_advances, 8, 9);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(items[i].n_fired, 1);
	assert_false(advance(bench, 1110, ALL));
	assert_int_equal(items[0].n_fired, 2);
	assert_int_equal(far.n_fired, 0);
	assert_int_equal(bench->wheel.n_armed, 1);
}

static void a_clock_that_stands_or_goes_back_fires_nothing(void **state)
{
	struct bench *bench = *state;
	struct item item = { .n_fired = 0 };

	wheel_arm(&bench->wheel, &item.timer, 1020);
	assert_false(advance(bench, 1000, ALL));
	assert_false(advance(bench, 10, ALL));
	assert_int_equal(item.n_fired, 0);
	assert_false(advance(bench, 1020, ALL));
	assert_int_equal(item.n_fired, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(fires_once_and_within_a_grain_of_its_deadline),
		TEST(fires_in_the_order_of_deadlines),
		TEST(does_not_fire_what_was_cancelled_or_armed_anew),
		TEST(a_callback_may_cancel_what_is_due_in_the_same_slot),
		TEST(what_a_callback_arms_waits_for_a_later_advance),
		TEST(a_long_pause_fires_all_that_is_due_and_nothing_else),
		TEST(work_is_bounded_and_goes_on_where_it_stopped),
		TEST(a_clock_that_stands_or_goes_back_fires_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
