/* Each path: its status code, its headers, and the shape of what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "healthd/routes.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct judge_history past;
static struct verdict verdict;
static struct routes *routes;
static struct server_answer answer;
static json_t *json;

static int set_up(void **state)
{
	fake_gateway(&seen);
	past = fake_past;
	routes = routes_new();
	return routes ? 0 : -1;
}

static int tear_down(void **state)
{
	json_decref(json);
	json = NULL;
	routes_free(routes);
	return 0;
}

static void ask_by(const char *method, const char *path, const char *query)
{
	struct http_request request = { .method = method, .path = path, .query = query };
	struct view view = { .snapshot = &seen,
			     .verdict = &verdict,
			     .limits = &fake_limits,
			     .wall_ms = 1787724299000 };

	judge(&seen, &past, &fake_limits, &verdict);
	memset(&answer, 0, sizeof answer);
	routes_answer(routes, &view, &request, &answer);
	assert_true(answer.head.no_store);
	json_decref(json);
	json = json_loadb(answer.body, answer.body_len, 0, NULL);
}

static void ask(const char *path)
{
	char copy[64];
	char *query;

	snprintf(copy, sizeof copy, "%s", path);
	query = strchr(copy, '?');
	if (query)
		*query++ = '\0';
	ask_by("GET", copy, query ? query : "");
}

static void status_is(int status)
{
	assert_int_equal(answer.head.status, status);
	assert_int_equal(answer.head.retry_after_s, status == 503 ? 1 : 0);
	assert_string_equal(answer.head.type, "application/json");
	assert_true(json_is_object(json));
}

static void body_is(const char *text)
{
	assert_int_equal(answer.body_len, strlen(text));
	assert_memory_equal(answer.body, text, answer.body_len);
}

/* One value by its path of names, "connections.active"; numbers are places. */
static const json_t *at(const char *path)
{
	const json_t *value = json;
	char copy[128], *rest = copy, *key;

	snprintf(copy, sizeof copy, "%s", path);
	while ((key = strsep(&rest, ".")) != NULL)
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(key))
					     : json_object_get(value, key);
	if (!value)
		fail_msg("no %s in %.*s", path, (int)answer.body_len, answer.body);
	return value;
}

static void text_is(const char *path, const char *text)
{
	assert_string_equal(json_string_value(at(path)), text);
}

static void number_is(const char *path, json_int_t number)
{
	assert_true(json_is_integer(at(path)));
	assert_int_equal(json_integer_value(at(path)), number);
}

/* ---- /health/websocket --------------------------------------------------------- */

static void websocket_keeps_the_shape_that_its_users_know(void **state)
{
	ask("/health/websocket");
	status_is(200);
	body_is("{\"status\":\"ok\",\"server\":\"running\",\"connections\":{\"active\":8,"
		"\"total\":17},\"uptime\":1234.567,"
		"\"timestamp\":\"2026-08-26T06:04:59.000Z\"}\n");
}

static void websocket_says_why_when_not_all_is_well(void **state)
{
	seen.slots[0].alive = false;
	ask("/health/websocket");
	status_is(200);
	text_is("status", "degraded");
	text_is("reason", "worker 0 is gone");
	assert_int_equal(json_object_size(json), 6);
}

static void websocket_of_a_dead_gateway(void **state)
{
	fake_death(&seen);
	ask("/health/websocket");
	status_is(503);
	text_is("status", "error");
	text_is("server", "stopped");
	number_is("connections.active", 0);
	number_is("connections.total", 17);
	assert_true(json_real_value(at("uptime")) == 0);
}

static void what_cannot_be_known_is_null(void **state)
{
	fake_failed(&seen, LOOK_short, "cut short");
	seen.supervisor_known = seen.supervisor_alive = true;
	ask("/health/websocket?verbose");
	status_is(503);
	assert_true(json_is_null(at("connections.active")));
	assert_true(json_is_null(at("connections.total")));
	assert_true(json_is_null(at("uptime")));
	assert_true(json_is_null(at("sequencer")));
	assert_int_equal(json_array_size(at("workers")), 0);
	text_is("segment.look", "short");
	text_is("segment.reason", "cut short");
}

static void a_number_that_cannot_be_true_is_null(void **state)
{
	seen.slots[0].counters[COUNTER_links_active] = UINT64_MAX - 1;
	seen.slots[0].counters[COUNTER_links_opened] = UINT64_MAX - 100;
	ask("/health/websocket");
	assert_true(json_is_null(at("connections.active")));
	assert_true(json_is_null(at("connections.total")));
}

static void verbose_tells_of_each_process(void **state)
{
	fake_hang(&seen, 1, HANG_stopped, 2500);
	seen.slots[1].phase = PHASE_writing;
	seen.slots[1].counters[COUNTER_links_closing] = 2;
	seen.seats[1].restarts = 4;
	seen.seats[1].last_reason = EXIT_killed;
	seen.seats[1].last_signal = 9;
	ask("/health/websocket?verbose");
	status_is(200);
	number_is("workers.0.seat", 0);
	number_is("workers.0.pid", 1000);
	assert_true(json_is_null(at("workers.0.hang")));
	assert_true(json_is_null(at("workers.0.lastExit")));
	text_is("workers.1.state", "serving");
	number_is("workers.1.slot", 1);
	text_is("workers.1.phase", "writing");
	number_is("workers.1.heartbeatAgeMs", 2500);
	number_is("workers.1.active", 3);
	number_is("workers.1.closing", 2);
	number_is("workers.1.total", 4);
	number_is("workers.1.restarts", 4);
	text_is("workers.1.lastExit.reason", "killed");
	number_is("workers.1.lastExit.signal", 9);
	text_is("workers.1.hang", "stopped");
	assert_int_equal(json_array_size(at("workers")), 2);
	number_is("sequencer.seat", 2);
	text_is("reasons.0", "worker 1 hung (stopped) 2.5 s in writing");
	text_is("segment.look", "ok");
	text_is("segment.instance", "0123456789abcdeffedcba9876543210");
	number_is("segment.ageMs", 0);
	number_is("closing", 2);
	number_is("handshaking", 0);
	number_is("restarts", 4);
	number_is("port", 8080);
}

static void verbose_of_a_seat_that_nobody_serves(void **state)
{
	fake_empty(&seen, 0, SEAT_crash_loop, EXIT_crashed);
	ask("/health/websocket?verbose=1");
	text_is("workers.0.state", "crash_loop");
	assert_true(json_is_null(at("workers.0.pid")));
	assert_true(json_is_null(at("workers.0.slot")));
	assert_true(json_is_null(at("workers.0.phase")));
	assert_true(json_is_null(at("workers.0.heartbeatAgeMs")));
	number_is("workers.0.active", 0);
}

static void verbose_can_be_denied(void **state)
{
	static const char *const plain[] = { "?verbose=0", "?verbose=false",
					     "?verbose=no", "?other", "" };
	char path[64];

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		snprintf(path, sizeof path, "/health/websocket%s", plain[i]);
		ask(path);
		assert_null(json_object_get(json, "workers"));
	}
}

/* ---- the other paths ----------------------------------------------------------- */

static void health_is_the_worst_of_all_components(void **state)
{
	ask("/health");
	status_is(200);
	text_is("status", "ok");
	text_is("components.websocket.server", "running");
	text_is("components.database.status", "ok");
	seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_store_state] = 2;
	ask("/health");
	status_is(200);
	text_is("status", "degraded");
	past.store_away_ns = 2000 * MS_NS;
	ask("/health");
	status_is(503);
	text_is("status", "error");
	text_is("components.websocket.status", "degraded");
	text_is("components.database.status", "error");
	seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_store_state] = 1;
	seen.state = GATEWAY_draining;
	ask("/health?verbose");
	status_is(200);
	text_is("status", "degraded");
	number_is("components.websocket.workers.0.seat", 0);
	fake_death(&seen);
	ask("/health");
	status_is(503);
	text_is("status", "error");
}

static void database_has_its_shape(void **state)
{
	ask("/health/database");
	status_is(200);
	body_is("{\"status\":\"ok\",\"driver\":\"sqlite\",\"latencyMs\":0.42,"
		"\"lastOk\":\"2026-08-26T06:04:58.000Z\",\"queueDepth\":3,"
		"\"timestamp\":\"2026-08-26T06:04:59.000Z\"}\n");
}

static void database_down_is_503_after_the_grace(void **state)
{
	seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_store_state] = 2;
	ask("/health/database");
	status_is(200);
	text_is("status", "degraded");
	past.store_away_ns = 2000 * MS_NS;
	ask("/health/database");
	status_is(503);
	text_is("status", "error");
	text_is("driver", "sqlite");
	text_is("lastOk", "2026-08-26T06:04:58.000Z");
	text_is("reason", "the store cannot be reached (for 2.0 s)");
	ask("/health/live");
	status_is(200);
}

static void database_of_a_dead_gateway_has_no_number(void **state)
{
	fake_death(&seen);
	ask("/health/database");
	status_is(503);
	text_is("status", "error");
	text_is("reason", "the gateway is gone");
	assert_true(json_is_null(at("driver")));
	assert_true(json_is_null(at("latencyMs")));
	assert_true(json_is_null(at("lastOk")));
	assert_true(json_is_null(at("queueDepth")));
	text_is("timestamp", "2026-08-26T06:04:59.000Z");
}

enum {
	N_PROBES = 6
};
static const char *const probes[N_PROBES] = { "/health/live",    "/livez",
					      "/health/ready",   "/readyz",
					      "/health/startup", "/startupz" };

static void probes_answer_yes(void **state)
{
	for (size_t i = 0; i < N_PROBES; i++) {
		ask(probes[i]);
		status_is(200);
		body_is("{\"status\":\"ok\","
			"\"timestamp\":\"2026-08-26T06:04:59.000Z\"}\n");
	}
}

static void probes_answer_no_with_a_reason(void **state)
{
	fake_death(&seen);
	for (size_t i = 0; i < N_PROBES; i++) {
		ask(probes[i]);
		status_is(503);
		text_is("status", "error");
		text_is("reason", "the gateway is gone");
	}
}

static void the_index_names_every_path(void **state)
{
	fake_death(&seen);
	ask("/");
	status_is(200);
	text_is("name", "parley-healthd");
	assert_true(json_is_string(json_object_get(at("paths"), "/metrics")));
	assert_true(json_is_string(json_object_get(at("paths"), "/health/live")));
}

static void metrics_are_text(void **state)
{
	ask("/metrics");
	assert_int_equal(answer.head.status, 200);
	assert_string_equal(answer.head.type, "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(memmem(answer.body, answer.body_len, "\nparley_up 1\n", 13));
}

static void unknown_paths_are_404_in_json(void **state)
{
	static const char *const paths[] = { "/health/",          "/healthz", "/metrics/",
					     "/HEALTH",           "//",       "*",
					     "/health/websocket/" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		ask(paths[i]);
		status_is(404);
		text_is("error", "Not Found");
	}
	ask_by("POST", "/nowhere", "");
	status_is(404);
}

static void only_get_and_head_are_allowed(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS",
					       "get" };

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		ask_by(methods[i], "/health/live", "");
		status_is(405);
		assert_string_equal(answer.head.allow, "GET, HEAD");
		text_is("error", "Method Not Allowed");
	}
	ask_by("HEAD", "/health/live", "");
	status_is(200);
	assert_null(answer.head.allow);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(websocket_keeps_the_shape_that_its_users_know),
		T(websocket_says_why_when_not_all_is_well),
		T(websocket_of_a_dead_gateway),
		T(what_cannot_be_known_is_null),
		T(a_number_that_cannot_be_true_is_null),
		T(verbose_tells_of_each_process),
		T(verbose_of_a_seat_that_nobody_serves),
		T(verbose_can_be_denied),
		T(health_is_the_worst_of_all_components),
		T(database_has_its_shape),
		T(database_down_is_503_after_the_grace),
		T(database_of_a_dead_gateway_has_no_number),
		T(probes_answer_yes),
		T(probes_answer_no_with_a_reason),
		T(the_index_names_every_path),
		T(metrics_are_text),
		T(unknown_paths_are_404_in_json),
		T(only_get_and_head_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
