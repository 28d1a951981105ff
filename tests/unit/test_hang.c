/* test_hang - what hangs and how: every sign against every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/supervisor/hang.h"

enum {
	REPORT_MS = 1000
};

static enum hang_kind judge(char state, uint64_t age_ms, uint64_t cpu_ms,
			    uint64_t late_ms)
{
	struct hang_signs signs = {
		.age_ms = age_ms,
		.proc_state = state,
		.cpu_ms = cpu_ms,
		.watched_ms = age_ms < 300 ? 0 : age_ms - 300,
		.late_ms = late_ms,
	};

	return hang_judge(&signs, REPORT_MS);
}

static void nothing_is_a_hang_before_its_time(void **state)
{
	static const char states[] = "RSDTtZXI?";

	(void)state;
	for (const char *s = states; *s; s++) {
		assert_int_equal(judge(*s, 0, 0, 0), HANG_none);
		assert_int_equal(judge(*s, REPORT_MS - 1, 700, 0), HANG_none);
	}
}

static void every_second_sign_gives_its_kind(void **state)
{
	static const struct {
		char proc_state;
		uint64_t cpu_ms; /* of 1000 watched */
		uint64_t late_ms;
		enum hang_kind kind;
	} rows[] = {
		{ 'T', 0, 0, HANG_stopped },      { 't', 0, 0, HANG_stopped },
		{ 'T', 1000, 0, HANG_stopped },   { 'T', 0, 400, HANG_stopped },
		{ 'R', 1000, 0, HANG_loop },      { 'R', 200, 0, HANG_loop },
		{ 'R', 199, 0, HANG_starved },    { 'R', 0, 0, HANG_starved },
		{ 'R', 1000, 200, HANG_starved }, { 'R', 1000, 199, HANG_loop },
		{ 'S', 0, 0, HANG_blocked },      { 'D', 0, 0, HANG_blocked },
		{ 'I', 0, 0, HANG_blocked },      { 'S', 900, 0, HANG_loop },
		{ 'S', 0, 200, HANG_starved },    { 'D', 900, 200, HANG_starved },
		{ 'Z', 1000, 0, HANG_none },      { 'X', 1000, 0, HANG_none },
		{ 0, 0, 0, HANG_starved },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
			judge(rows[i].proc_state, 1300, rows[i].cpu_ms, rows[i].late_ms),
			rows[i].kind);
}

static void without_a_measure_of_its_time_nobody_loops(void **state)
{
	struct hang_signs signs = { .age_ms = 1000, .proc_state = 'R', .cpu_ms = 5000 };

	(void)state;
	assert_int_equal(hang_judge(&signs, REPORT_MS), HANG_starved);
}

static void a_loop_on_a_starved_machine_is_told_by_the_time_it_used(void **state)
{
	(void)state;
	/* A twentieth of a processor, for twenty seconds: no turn needs so much. */
	assert_int_equal(judge('R', 20300, 1000, 0), HANG_loop);
	assert_int_equal(judge('R', 20300, 999, 0), HANG_starved);
	assert_int_equal(judge('R', 20300, 1000, 200), HANG_starved);
}

static void only_a_proven_kind_may_be_acted_on(void **state)
{
	(void)state;
	assert_false(hang_is_proven(HANG_none));
	assert_false(hang_is_proven(HANG_starved));
	assert_true(hang_is_proven(HANG_stopped));
	assert_true(hang_is_proven(HANG_loop));
	assert_true(hang_is_proven(HANG_blocked));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_a_hang_before_its_time),
		cmocka_unit_test(every_second_sign_gives_its_kind),
		cmocka_unit_test(without_a_measure_of_its_time_nobody_loops),
		cmocka_unit_test(a_loop_on_a_starved_machine_is_told_by_the_time_it_used),
		cmocka_unit_test(only_a_proven_kind_may_be_acted_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
