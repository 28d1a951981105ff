/* Resumes are counted by their outcome: what came from where, and what was gone. */
#include "tests/unit/fake_links.h"

static void each_resume_is_counted_by_where_what_was_missed_is(void **state)
{
	static const struct {
		uint64_t since;
		enum counter outcome;
	} rows[] = {
		{ 60, COUNTER_resumes_nothing }, { 58, COUNTER_resumes_memory },
		{ 52, COUNTER_resumes_store },   { 50, COUNTER_resumes_store },
		{ 20, COUNTER_resumes_trimmed }, { 61, COUNTER_resumes_ahead },
	};

	chat_start(2);
	store_holds("a", 51, 57);
	join(&links[0], "a");
	for (unsigned seq = 58; seq <= 60; seq++)
		heard("a", seq);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t before = counter_get(&slot, rows[i].outcome);

		join_since(&links[1], "a", rows[i].since);
		assert_int_equal(counter_get(&slot, rows[i].outcome), before + 1);
		leave(&links[1], "a");
	}
	assert_int_equal(counter_get(&slot, COUNTER_resumes_store), 2);
	join(&links[1], "b"); /* without a since it is no resume */
	assert_int_equal(counter_get(&slot, COUNTER_resumes_nothing), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_resume_is_counted_by_where_what_was_missed_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
