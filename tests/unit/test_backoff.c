/* test_backoff - when to start again what has died. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/supervisor/backoff.h"

static uint64_t died(struct backoff *b, uint64_t now_ms, uint64_t lived_ms, bool loop)
{
	uint64_t delay_ms = UINT64_MAX;

	assert_int_equal(backoff_died(b, now_ms, lived_ms, 0, &delay_ms), loop);
	return delay_ms;
}

static void the_first_death_is_restarted_at_once(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	assert_int_equal(died(&b, 10, 0, false), 0);
}

static void short_lives_wait_longer_and_longer_up_to_30_s(void **state)
{
	static const uint64_t delays[] = { 0,    100,  200,   400,   800,   1600,
					   3200, 6400, 12800, 25600, 30000, 30000 };
	struct backoff b = { 0 };

	(void)state;
	/* Far enough apart that they are no crash loop. */
	for (uint64_t i = 0; i < sizeof delays / sizeof *delays; i++)
		assert_int_equal(died(&b, i * 20000, 4999, false), delays[i]);
	for (uint64_t i = 12; i < 100; i++)
		assert_int_equal(died(&b, i * 20000, 0, false), 30000);
}

static void a_healthy_life_is_restarted_at_once_and_forgives(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 4; i++)
		(void)died(&b, i, 0, false);
	assert_int_equal(died(&b, 100000, 5000, false), 0);
	assert_int_equal(died(&b, 200000, 0, false), 100);
}

static void five_deaths_in_a_minute_are_a_crash_loop(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 4; i++)
		(void)died(&b, i * 14999, 10000, false);
	assert_int_equal(died(&b, 59999, 10000, true), 30000);
	/* And again, as long as they come that often. */
	assert_int_equal(died(&b, 60000, 0, true), 30000);
}

static void five_deaths_in_more_than_a_minute_are_none(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 50; i++)
		assert_int_equal(died(&b, i * 15000, 15000, false), 0);
}

static void jitter_takes_off_at_most_a_quarter(void **state)
{
	uint64_t least = UINT64_MAX, most = 0, delay_ms;

	(void)state;
	for (uint32_t random = 0; random < 1000; random++) {
		struct backoff b = { .n_short = 5 };

		assert_false(backoff_died(&b, 0, 0, random * 2654435761u, &delay_ms));
		least = delay_ms < least ? delay_ms : least;
		most = delay_ms > most ? delay_ms : most;
	}
	assert_in_range(least, 1200, 1250);
	assert_in_range(most, 1550, 1600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_death_is_restarted_at_once),
		cmocka_unit_test(short_lives_wait_longer_and_longer_up_to_30_s),
		cmocka_unit_test(a_healthy_life_is_restarted_at_once_and_forgives),
		cmocka_unit_test(five_deaths_in_a_minute_are_a_crash_loop),
		cmocka_unit_test(five_deaths_in_more_than_a_minute_are_none),
		cmocka_unit_test(jitter_takes_off_at_most_a_quarter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
