/* The clocks: one never goes back, the other is shown as RFC 3339 in UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/clock.h"

static void the_monotonic_clock_never_goes_back(void **state)
{
	uint64_t last = clock_mono_ns();

	assert_true(last > 0);
	for (int i = 0; i < 100000; i++) {
		uint64_t now = clock_mono_ns();

		assert_true(now >= last);
		last = now;
	}
}

static void the_wall_clock_is_in_this_century(void **state)
{
	assert_true(clock_wall_ms() > 1700000000000);
	assert_true(clock_wall_ms() < 4102444800000);
}

static void a_time_is_shown_as_rfc_3339_with_milliseconds(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1787724299000, "2026-08-26T06:04:59.000Z" },
		{ 951782400007, "2000-02-29T00:00:00.007Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		clock_wall_text(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void a_time_beyond_four_digits_of_year_is_shown_as_the_nearest(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	clock_wall_text(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	clock_wall_text(INT64_MIN, text);
	assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
		cmocka_unit_test(the_wall_clock_is_in_this_century),
		cmocka_unit_test(a_time_is_shown_as_rfc_3339_with_milliseconds),
		cmocka_unit_test(
			a_time_beyond_four_digits_of_year_is_shown_as_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
