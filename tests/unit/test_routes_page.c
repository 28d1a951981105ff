/* Browsers get the status page, programs get JSON, and /events is a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "healthd/routes.h"
#include "tests/unit/fake_snapshot.h"

#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static struct snapshot seen;
static struct verdict verdict;
static struct history *history;
static struct incidents *incidents;
static struct routes *routes;
static struct server_answer answer;

static int set_up(void **state)
{
	fake_gateway(&seen);
	routes = routes_new();
	history = history_new(3600000);
	incidents = incidents_new();
	return routes && history && incidents ? 0 : -1;
}

static int tear_down(void **state)
{
	routes_free(routes);
	history_free(history);
	incidents_free(incidents);
	return 0;
}

/* `accept` NULL: says nothing. */
static void ask(const char *method, const char *path, const char *query,
		const char *accept)
{
	const struct http_request request = {
		.method = method,
		.path = path,
		.query = query,
		.headers = { { "Accept", accept } },
		.n_headers = accept != NULL,
	};
	struct view view = { .snapshot = &seen,
			     .verdict = &verdict,
			     .limits = &fake_limits,
			     .wall_ms = 1787724299000,
			     .history = history,
			     .incidents = incidents };

	judge(&seen, &fake_past, &fake_limits, &verdict);
	memset(&answer, 0, sizeof answer);
	routes_answer(routes, &view, &request, &answer);
	assert_true(answer.head.no_store);
}

static bool body_has(const char *text)
{
	return memmem(answer.body, answer.body_len, text, strlen(text)) != NULL;
}

static void browsers_get_the_page_and_programs_the_list(void **state)
{
	static const struct {
		const char *accept;
		bool is_page;
	} rows[] = {
		{ NULL, false },
		{ "*/*", false }, /* curl */
		{ "application/json", false },
		{ "text/html", true },
		{ BROWSER, true },
		{ "text/html;q=0.5, application/json", false },
		{ "application/json;q=0.5, text/html", true },
		{ "text/html;q=0", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ask("GET", "/", "", rows[i].accept);
		assert_int_equal(answer.head.status, 200);
		assert_string_equal(answer.head.type, rows[i].is_page
							      ? "text/html; charset=utf-8"
							      : "application/json");
		assert_non_null(strstr(answer.head.extra, "Vary: Accept\r\n"));
		assert_true(body_has(rows[i].is_page ? "<!doctype html>" : "\"paths\""));
	}
}

static void what_is_for_programs_is_json_for_browsers_too(void **state)
{
	ask("GET", "/health/websocket", "", BROWSER);
	assert_string_equal(answer.head.type, "application/json");
	ask("GET", "/nowhere", "", BROWSER);
	assert_int_equal(answer.head.status, 404);
	ask("POST", "/", "", BROWSER);
	assert_int_equal(answer.head.status, 405);
	assert_string_equal(answer.head.type, "application/json");
}

static void events_are_a_stream(void **state)
{
	unsigned kind;

	ask("GET", "/events", "", NULL);
	assert_int_equal(answer.head.status, 200);
	assert_string_equal(answer.head.type, "text/event-stream");
	assert_true(answer.stream != 0);
	assert_true(body_has("\nevent: health\ndata: {"));
	kind = answer.stream;
	ask("GET", "/events", "page", NULL);
	assert_true(answer.stream != 0 && answer.stream != kind);
	assert_true(body_has("\nevent: live\ndata: <"));
	ask("POST", "/events", "", NULL);
	assert_int_equal(answer.head.status, 405);
	assert_int_equal(answer.stream, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(browsers_get_the_page_and_programs_the_list),
		T(what_is_for_programs_is_json_for_browsers_too),
		T(events_are_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
