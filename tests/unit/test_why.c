/* A reason is kept whole where it fits, cut where not, and never required. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/why.h"

static void the_error_comes_back_beside_the_reason(void **state)
{
	struct why why = { "" };

	assert_int_equal(why_set(&why, -EBUSY, "%s is taken by %d", "parley", 7), -EBUSY);
	assert_string_equal(why.text, "parley is taken by 7");
}

static void nobody_has_to_ask_for_the_reason(void **state)
{
	assert_int_equal(why_set(NULL, -EINVAL, "%s", "unheard"), -EINVAL);
}

static void errno_may_be_the_error(void **state)
{
	struct why why = { "" };

	errno = EBUSY;
	assert_int_equal(why_set(&why, -errno, "%s", strerror(errno)), -EBUSY);
	assert_string_equal(why.text, strerror(EBUSY));
}

static void a_long_reason_is_cut_and_terminated(void **state)
{
	struct why why;
	char text[2 * sizeof why.text];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memset(&why, 'z', sizeof why);
	why_set(&why, -EINVAL, "%s", text);
	assert_int_equal(strlen(why.text), sizeof why.text - 1);
	assert_memory_equal(why.text, text, sizeof why.text - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_error_comes_back_beside_the_reason),
		cmocka_unit_test(nobody_has_to_ask_for_the_reason),
		cmocka_unit_test(errno_may_be_the_error),
		cmocka_unit_test(a_long_reason_is_cut_and_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
