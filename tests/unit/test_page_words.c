/* Times and numbers as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "healthd/page_parts.h"

static void durations_and_numbers_are_words(void **state)
{
	char words[WORDS_SIZE];

	assert_string_equal(words_lasting(449, words), "0.4 s");
	assert_string_equal(words_lasting(9999, words), "9.9 s");
	assert_string_equal(words_lasting(59999, words), "59 s");
	assert_string_equal(words_lasting(252000, words), "4 min 12 s");
	assert_string_equal(words_lasting(11100000, words), "3 h 05 min");
	assert_string_equal(words_lasting(187200000, words), "2 d 4 h");
	assert_string_equal(words_count(0, words), "0");
	assert_string_equal(words_count(999, words), "999");
	assert_string_equal(words_count(1234567, words), "1,234,567");
	assert_string_equal(words_count(UINT64_MAX, words), "18,446,744,073,709,551,615");
	assert_string_equal(words_rate(NAN, words), "unknown");
	assert_string_equal(words_rate(0, words), "0");
	assert_string_equal(words_rate(0.254, words), "0.25");
	assert_string_equal(words_rate(7.25, words), "7.2");
	assert_string_equal(words_rate(12.34, words), "12.3");
	assert_string_equal(words_rate(72827.4, words), "72,827");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_and_numbers_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
