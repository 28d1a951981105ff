/* A session's name says who gave it, and is believed only from another, dead process of
 * the same life of the gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/segment_chronicle.h"
#include "gateway/worker/returns.h"

static char segment_name[64];
static struct inherited former_in = { .slot = 0, .generation = 7 },
			now_in = { .slot = 1, .generation = 9 };
static struct worker former = { .inherited = &former_in }, now = { .inherited = &now_in };

static void make(void)
{
	struct segment_shape shape = { .n_workers = 1, .group = "" };
	struct segment *segment;

	assert_int_equal(segment_create(segment_name, &shape, &segment, NULL), 0);
	former.segment = now.segment = segment;
}

static int set_up(void **state)
{
	struct segment_death death = { .generation = 7, .links = 1 };

	(void)state;
	snprintf(segment_name, sizeof segment_name, "parley-unit-%ld", (long)getpid());
	make();
	segment_bury(now.segment, &death);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	segment_close(now.segment, true);
	return 0;
}

static void a_name_leads_back_to_the_dead_process_that_gave_it(void **state)
{
	char name[SESSION_NAME_MAX + 1], other[SESSION_NAME_MAX + 1];

	(void)state;
	assert_int_equal(returns_name(&former, name), 0);
	assert_int_equal(returns_name(&former, other), 0);
	assert_string_not_equal(name, other);
	assert_int_equal(strlen(name), SESSION_NAME_MAX);
	assert_int_equal(returns_from(&now, name), 7);
}

static void a_name_of_our_own_or_of_the_living_is_no_return(void **state)
{
	struct inherited in = { .slot = 2, .generation = 8 };
	struct worker living = { .inherited = &in, .segment = now.segment };
	char name[SESSION_NAME_MAX + 1];

	(void)state;
	assert_int_equal(returns_name(&now, name), 0);
	assert_int_equal(returns_from(&now, name), 0);
	assert_int_equal(returns_name(&living, name), 0);
	assert_int_equal(returns_from(&now, name), 0);
}

static void a_name_that_was_made_up_is_nobodys(void **state)
{
	static const char *const made_up[] = {
		"",
		"s",
		"0000000000000000",
		"00000000000000000000000700000000",
		"+000000000000000000000070000000x",
	};
	char name[SESSION_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof made_up / sizeof *made_up; i++)
		assert_int_equal(returns_from(&now, made_up[i]), 0);
	for (unsigned i = 0; i < SESSION_NAME_MAX; i++) {
		assert_int_equal(returns_name(&former, name), 0);
		name[i] = name[i] == '0' ? '1' : '0';
		assert_int_equal(returns_from(&now, name), 0);
		name[i] = 'g';
		assert_int_equal(returns_from(&now, name), 0);
	}
	assert_int_equal(returns_name(&former, name), 0);
	for (unsigned i = 0; i < SESSION_NAME_MAX; i++) {
		if (name[i] < 'a')
			continue;
		name[i] -= 'a' - 'A';
		assert_int_equal(returns_from(&now, name), 0);
		return;
	}
}

static void a_name_of_another_life_of_the_gateway_is_nobodys(void **state)
{
	struct segment_death death = { .generation = 7, .links = 1 };
	char name[SESSION_NAME_MAX + 1];

	(void)state;
	assert_int_equal(returns_name(&former, name), 0);
	segment_close(now.segment, true);
	make();
	segment_bury(now.segment, &death);
	assert_int_equal(returns_from(&now, name), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_name_leads_back_to_the_dead_process_that_gave_it),
		test(a_name_of_our_own_or_of_the_living_is_no_return),
		test(a_name_that_was_made_up_is_nobodys),
		test(a_name_of_another_life_of_the_gateway_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
