/* test_proc - /proc/PID/stat, whatever the process calls itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/proc.h"

/* Fields 4 to 22: utime 300, stime 700, start time 424242. */
#define REST "1 2 3 4 5 6 7 8 9 10 300 700 16 17 18 19 20 21 424242 23 24"

static int parse(const char *text, struct proc_stat *stat)
{
	return proc_parse(text, strlen(text), stat);
}

static void fields_are_read_behind_any_name(void **state)
{
	static const char *const texts[] = {
		"77 (plain) D " REST, "77 (a) R (b) D " REST,   "77 (a) R 1 2 3) D " REST,
		"77 ()) D " REST,     "77 (new\nline) D " REST, "77 (((() D " REST,
		"77 () D " REST "\n",
	};
	uint64_t tick_ms = 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	struct proc_stat stat;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(parse(texts[i], &stat), 0);
		assert_int_equal(stat.state, 'D');
		assert_int_equal(stat.cpu_ms, 1000 * tick_ms);
		assert_int_equal(stat.start_ticks, 424242);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"77",
		"77 (name)",
		"77 (name) R",
		"77 (name) R 1 2 3",
		"77 (name) Running " REST,
		"77 name R " REST,
		"77 (name) R 1 2 3 4 5 6 7 8 9 10 x 700 16 17 18 19 20 21 424242 23",
		"77 (name) R 1 2 3 4 5 6 7 8 9 10 300 -7 16 17 18 19 20 21 424242 23",
		"77 (name) R 1 2 3 4 5 6 7 8 9 10 300 700 16 17 18 19 20 21 ",
	};
	struct proc_stat stat = { .state = '?' };
	char longer[2000];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(parse(texts[i], &stat), -EPROTO);
	memset(longer, ')', sizeof longer);
	assert_int_equal(proc_parse(longer, sizeof longer, &stat), -EPROTO);
	assert_int_equal(proc_parse("77 (n\0e) R " REST, 40, &stat), -EPROTO);
	assert_int_equal(stat.state, '?');
}

static void the_kernel_answers_for_ourselves(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(prctl(PR_SET_NAME, "x) S 0 (y"), 0);
	assert_int_equal(proc_read(getpid(), &stat), 0);
	assert_int_equal(stat.state, 'R');
	assert_true(stat.start_ticks > 0);
	assert_false(proc_dumps_core(getpid()));
}

static void nobody_is_told_as_such(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(proc_read(0x7fffffff, &stat), -ENOENT);
	assert_false(proc_dumps_core(0x7fffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_behind_any_name),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(the_kernel_answers_for_ourselves),
		cmocka_unit_test(nobody_is_told_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
