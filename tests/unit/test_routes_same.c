/* What is asked twice of the same look is told in the same words, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "healthd/routes.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct routes *routes;
static uint64_t look;

/* A gateway that is well; each look is told of as the test numbers it. */
static int set_up(void **state)
{
	fake_gateway(&seen);
	look = 7;
	routes = routes_new();
	return routes ? 0 : -1;
}

static int tear_down(void **state)
{
	routes_free(routes);
	return 0;
}

static int ask_by(const char *method, const char *path, const char *query)
{
	struct http_request request = { .method = method, .path = path, .query = query };
	struct judge_history past = fake_past;
	struct verdict verdict;
	struct view view = { .snapshot = &seen,
			     .verdict = &verdict,
			     .limits = &fake_limits,
			     .look = look };
	struct server_answer answer = { 0 };

	judge(&seen, &past, &fake_limits, &verdict);
	routes_answer(routes, &view, &request, &answer);
	/* The body is that of the status. */
	if (answer.head.status == 200)
		assert_memory_equal(answer.body, "{\"status\":\"ok\"", 14);
	else if (answer.head.status == 503)
		assert_memory_equal(answer.body, "{\"status\":\"error\"", 17);
	else
		assert_memory_equal(answer.body, "{\"error\":\"", 10);
	return answer.head.status;
}

static int ask(const char *path)
{
	return ask_by("GET", path, "");
}

static void the_same_is_said_again(void **state)
{
	assert_int_equal(ask("/health/websocket"), 200);
	seen.supervisor_alive = false;
	assert_int_equal(ask("/health/websocket"), 200);
	assert_int_equal(ask_by("HEAD", "/health/websocket", "verbose=0"), 200);
}

static void another_question_has_its_own_answer(void **state)
{
	assert_int_equal(ask("/health/websocket"), 200);
	seen.supervisor_alive = false;
	assert_int_equal(ask_by("GET", "/health/websocket", "verbose"), 503);
	assert_int_equal(ask("/health/websocket"), 503);
	fake_gateway(&seen);
	assert_int_equal(ask("/health/ready"), 200);
}

static void a_refusal_is_not_taken_for_an_answer(void **state)
{
	assert_int_equal(ask("/health/websocket"), 200);
	assert_int_equal(ask_by("PUT", "/health/websocket", ""), 405);
	assert_int_equal(ask("/health/websocket"), 200);
	assert_int_equal(ask("/nowhere"), 404);
	assert_int_equal(ask("/health/websocket"), 200);
}

static void another_look_is_told(void **state)
{
	assert_int_equal(ask("/health/websocket"), 200);
	seen.supervisor_alive = false;
	look++;
	assert_int_equal(ask("/health/websocket"), 503);
}

static void looks_without_a_number_are_all_others(void **state)
{
	look = 0;
	assert_int_equal(ask("/health/websocket"), 200);
	seen.supervisor_alive = false;
	assert_int_equal(ask("/health/websocket"), 503);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_is_said_again),
		T(another_question_has_its_own_answer),
		T(a_refusal_is_not_taken_for_an_answer),
		T(another_look_is_told),
		T(looks_without_a_number_are_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
