/* Metrics: what is in them, in both formats, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "healthd/exposition.h"
#include "healthd/metrics.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct judge_history past;
static struct verdict verdict;
static struct server_counts counts;
static char text[METRICS_SIZE];

static int set_up(void **state)
{
	fake_gateway(&seen);
	past = fake_past;
	counts = (struct server_counts){ .requests = 42 };
	return 0;
}

static void written(enum metrics_format format)
{
	const struct view view = { &seen,   &verdict,      &fake_limits,
				   &counts, 1787724299000, 1787724000500 };
	int len;

	judge(&seen, &past, &fake_limits, &verdict);
	len = metrics_write(&view, format, text, sizeof text);
	assert_true(len > 0);
	assert_int_equal(len, strlen(text));
}

/* A whole line of it. */
static bool has(const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void has_line(const char *line)
{
	if (!has(line))
		fail_msg("no line: %s", line);
}

static void a_gateway_that_is_well(void **state)
{
	written(METRICS_TEXT);
	has_line("parley_up 1");
	has_line("parley_live 1");
	has_line("parley_ready 1");
	has_line("parley_status{status=\"ok\"} 1");
	has_line("parley_gateway_state{state=\"running\"} 1");
	has_line("parley_gateway_state{state=\"hung\"} 0");
	has_line("parley_segment_look{look=\"ok\"} 1");
	has_line("parley_uptime_seconds 1234.567000");
	has_line("parley_workers_serving 2");
	has_line("parley_connections{state=\"active\",worker=\"0\"} 5");
	has_line("parley_connections{state=\"active\",worker=\"1\"} 3");
	has_line("parley_connections_opened_total 17");
	has_line("parley_worker_state{worker=\"0\",state=\"serving\"} 1");
	has_line("parley_worker_state{worker=\"sequencer\",state=\"serving\"} 1");
	has_line("parley_heartbeat_age_seconds{worker=\"1\"} 0.000000");
	has_line("parley_healthd_requests_total 42");
	has_line("process_start_time_seconds 1787724000.500000");
}

static void the_store_is_told_once_in_seconds_and_only_what_is_known(void **state)
{
	uint64_t *counters = seen.slots[FAKE_SEQUENCER_SLOT].counters;

	seen.retired[COUNTER_store_commits] = 40;
	counters[COUNTER_store_commits] = 2;
	written(METRICS_TEXT);
	has_line("parley_store_up 1");
	has_line("parley_store_status{status=\"ok\"} 1");
	has_line("parley_store_info{driver=\"sqlite\"} 1");
	has_line("parley_store_latency_seconds 0.000420");
	has_line("parley_store_last_ok_timestamp_seconds 1787724298.000000");
	has_line("parley_store_queue_messages 3");
	has_line("parley_store_commits_total 42");
	assert_null(strstr(text, "parley_store_state"));
	has_line("parley_worker_store_up{worker=\"sequencer\"} 1");
	assert_false(has("parley_worker_store_up{worker=\"0\"} 0"));
	assert_null(strstr(text, "parley_store_latency_microseconds"));
	counters[COUNTER_store_state] = 2;
	seen.slots[0].counters[COUNTER_store_state] = 1;
	past.store_away_ns = 2000 * MS_NS;
	written(METRICS_TEXT);
	has_line("parley_store_up 0");
	has_line("parley_store_status{status=\"error\"} 1");
	has_line("parley_worker_store_up{worker=\"sequencer\"} 0");
	has_line("parley_worker_store_up{worker=\"0\"} 1");
	seen.slots[FAKE_SEQUENCER_SLOT].alive = false;
	written(METRICS_TEXT);
	has_line("parley_store_up 0");
	assert_null(strstr(text, "parley_store_queue_messages"));
	assert_null(strstr(text, "parley_store_latency_seconds"));
	has_line("parley_store_commits_total 42");
}

static void a_dead_worker_counts_as_nothing_and_totals_stay(void **state)
{
	fake_empty(&seen, 0, SEAT_backoff, EXIT_hung);
	written(METRICS_TEXT);
	has_line("parley_connections{state=\"active\",worker=\"0\"} 0");
	has_line("parley_connections_opened_total 17");
	has_line("parley_worker_restarts_total{worker=\"0\",reason=\"hung\"} 1");
	has_line("parley_worker_state{worker=\"0\",state=\"backoff\"} 1");
	assert_false(has("parley_heartbeat_age_seconds{worker=\"0\"} 0.000000"));
}

static void two_processes_of_a_seat_are_one_line(void **state)
{
	fake_process(&seen, 2, 0)->counters[COUNTER_links_active] = 1;
	seen.slots[0].state = CHILD_aborting;
	written(METRICS_TEXT);
	has_line("parley_connections{state=\"active\",worker=\"0\"} 1");
	has_line("parley_connections{state=\"closing\",worker=\"0\"} 5");
	assert_false(has("parley_connections{state=\"active\",worker=\"0\"} 5"));
}

static void whole_gateway_killed_is_down(void **state)
{
	fake_death(&seen);
	written(METRICS_TEXT);
	has_line("parley_up 0");
	has_line("parley_live 0");
	has_line("parley_gateway_state{state=\"stopped\"} 1");
	has_line("parley_connections{state=\"active\",worker=\"0\"} 0");
	has_line("parley_connections_opened_total 17");
}

static void a_failed_look_guesses_no_number(void **state)
{
	fake_failed(&seen, LOOK_corrupt, "corrupt");
	seen.supervisor_known = seen.supervisor_alive = true;
	written(METRICS_TEXT);
	has_line("parley_up 0");
	has_line("parley_segment_look{look=\"corrupt\"} 1");
	assert_null(strstr(text, "parley_connections"));
	assert_null(strstr(text, "parley_uptime"));
	has_line("parley_healthd_requests_total 42");
}

static void a_counter_that_is_not_published_is_left_out(void **state)
{
	seen.has[COUNTER_closed_normal] = false;
	seen.has[COUNTER_rooms] = false;
	written(METRICS_TEXT);
	assert_null(strstr(text, "reason=\"normal\""));
	has_line("# TYPE parley_connections_closed_total counter");
	has_line("parley_connections_closed_total{reason=\"lost\"} 0");
	assert_null(strstr(text, "parley_rooms "));
	assert_null(strstr(text, "TYPE parley_rooms"));
}

static void a_histogram_adds_up_in_seconds(void **state)
{
	seen.retired[COUNTER_store_commit_le_1024us] = 5;
	seen.slots[0].counters[COUNTER_store_commit_le_2048us] = 2;
	seen.slots[1].counters[COUNTER_store_commit_beyond] = 1;
	seen.retired[COUNTER_store_commit_sum_us] = 9008004;
	written(METRICS_TEXT);
	has_line("# TYPE parley_store_commit_seconds histogram");
	has_line("parley_store_commit_seconds_bucket{le=\"6.4e-05\"} 0");
	has_line("parley_store_commit_seconds_bucket{le=\"0.001024\"} 5");
	has_line("parley_store_commit_seconds_bucket{le=\"0.002048\"} 7");
	has_line("parley_store_commit_seconds_bucket{le=\"8.388608\"} 7");
	has_line("parley_store_commit_seconds_bucket{le=\"+Inf\"} 8");
	has_line("parley_store_commit_seconds_sum 9.008004");
	has_line("parley_store_commit_seconds_count 8");
	assert_null(strstr(text, "sum_us"));
	written(METRICS_OPENMETRICS);
	has_line("# TYPE parley_store_commit_seconds histogram");
	has_line("# UNIT parley_store_commit_seconds seconds");
}

static void times_are_in_seconds_whatever_the_words_are_in(void **state)
{
	seen.slots[0].counters[COUNTER_loop_lag_us] = 1500;
	written(METRICS_TEXT);
	has_line("parley_loop_lag_last_seconds{worker=\"0\"} 0.001500");
	assert_null(strstr(text, "microseconds"));
	assert_null(strstr(text, "milliseconds"));
}

static void what_a_process_does_is_told_of_those_that_live(void **state)
{
	seen.slots[0].phase = PHASE_writing;
	seen.slots[1].phase = UINT64_MAX; /* nonsense in shared memory harms nobody */
	fake_empty(&seen, FAKE_SEQUENCER_SEAT, SEAT_backoff, EXIT_killed);
	written(METRICS_TEXT);
	has_line("parley_worker_phase{worker=\"0\",phase=\"writing\"} 1");
	has_line("parley_worker_phase{worker=\"1\",phase=\"unknown\"} 1");
	assert_null(strstr(text, "parley_worker_phase{worker=\"sequencer\""));
}

/* One that hangs cannot say how far it is behind: it is told from both ends. */
static void how_far_a_worker_is_behind_on_the_bus_is_told(void **state)
{
	seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_bus_head] = 5000;
	seen.slots[0].counters[COUNTER_bus_at] = 4200;
	seen.slots[1].counters[COUNTER_bus_at] = 5064; /* read since */
	written(METRICS_TEXT);
	has_line("parley_bus_lag_bytes{worker=\"0\"} 800");
	has_line("parley_bus_lag_bytes{worker=\"1\"} 0");
	assert_null(strstr(text, "parley_bus_lag_bytes{worker=\"sequencer\""));
	assert_null(strstr(text, "parley_bus_head"));
	fake_empty(&seen, FAKE_SEQUENCER_SEAT, SEAT_backoff, EXIT_killed);
	written(METRICS_TEXT);
	assert_null(strstr(text, "parley_bus_lag_bytes{"));
}

/* Each family once, in one piece, with type and help before its values. */
static void every_family_is_in_one_piece(void **state)
{
	char names[256][64];
	unsigned n = 0;
	char *rest = text, *line;

	written(METRICS_TEXT);
	while ((line = strsep(&rest, "\n")) != NULL && *line) {
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_true(n < 256);
			assert_int_equal(sscanf(line + 7, "%63s", names[n]), 1);
			for (unsigned i = 0; i < n; i++)
				assert_string_not_equal(names[i], names[n]);
			n++;
		} else if (strncmp(line, "# HELP ", 7) == 0) {
			assert_memory_equal(line + 7, names[n - 1], strlen(names[n - 1]));
		} else {
			size_t len = strlen(names[n - 1]);

			assert_memory_equal(line, names[n - 1], len);
			assert_true(line[len] == ' ' || line[len] == '{' ||
				    strncmp(line + len, "_bucket{", 8) == 0 ||
				    strncmp(line + len, "_sum ", 5) == 0 ||
				    strncmp(line + len, "_count ", 7) == 0);
		}
	}
	assert_true(n > 50);
}

static void openmetrics_names_counters_without_total_and_ends(void **state)
{
	size_t len;

	written(METRICS_OPENMETRICS);
	has_line("# TYPE parley_connections_opened counter");
	has_line("parley_connections_opened_total 17");
	has_line("# UNIT parley_uptime_seconds seconds");
	has_line("# UNIT parley_received_bytes bytes");
	has_line("# UNIT parley_store_latency_seconds seconds");
	has_line("# UNIT parley_store_queue_messages messages");
	has_line("# TYPE parley_store_committed_messages counter");
	has_line("# TYPE process_cpu_seconds counter");
	assert_null(strstr(text, "# UNIT parley_sockets_accepted"));
	len = strlen(text);
	assert_string_equal(text + len - 6, "# EOF\n");
	written(METRICS_TEXT);
	assert_null(strstr(text, "# EOF"));
	assert_null(strstr(text, "# UNIT"));
}

static void texts_are_escaped(void **state)
{
	struct exposition e;
	char labels[64] = "";

	exposition_init(&e, text, sizeof text, false);
	exposition_family(&e, "x", EXPOSITION_GAUGE, "", "a\\b\nc\"d");
	exposition_label(labels, sizeof labels, "one", "1");
	exposition_label(labels, sizeof labels, "two", "a\\b\nc\"d");
	exposition_uint(&e, labels, 7);
	assert_true(exposition_end(&e) > 0);
	has_line("# HELP x a\\\\b\\nc\"d");
	has_line("x{one=\"1\",two=\"a\\\\b\\nc\\\"d\"} 7");
}

static void what_does_not_fit_is_told(void **state)
{
	const struct view view = { &seen,   &verdict,      &fake_limits,
				   &counts, 1787724299000, 1787724000500 };
	char small[1000];

	judge(&seen, &past, &fake_limits, &verdict);
	assert_int_equal(metrics_write(&view, METRICS_TEXT, small, sizeof small),
			 -ENOSPC);
}

static void the_largest_gateway_fits(void **state)
{
	seen.n_workers = SEGMENT_SEATS_MAX - 1;
	seen.n_seats = SEGMENT_SEATS_MAX;
	seen.n_slots = SEGMENT_SLOTS_MAX;
	seen.seats[FAKE_SEQUENCER_SEAT].role = ROLE_WORKER;
	for (unsigned i = 0; i < seen.n_seats; i++) {
		struct snapshot_slot *slot = fake_process(&seen, 2 * i % seen.n_slots, i);

		for (unsigned id = 0; id < COUNTER_COUNT; id++)
			slot->counters[id] = UINT64_MAX;
		for (unsigned reason = 0; reason < EXIT_REASON_COUNT; reason++)
			seen.seats[i].deaths[reason] = UINT64_MAX;
	}
	written(METRICS_OPENMETRICS);
}

/* ---- Accept -------------------------------------------------------------------- */

static void the_scraper_chooses_the_format(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} rows[] = {
		{ NULL, METRICS_TEXT },
		{ "", METRICS_TEXT },
		{ "*/*", METRICS_TEXT },
		{ "text/plain", METRICS_TEXT },
		{ "application/json", METRICS_TEXT },
		{ "application/openmetrics-text", METRICS_OPENMETRICS },
		{ "application/openmetrics-text;version=1.0.0", METRICS_OPENMETRICS },
		{ "application/openmetrics-text; version=2.0.0", METRICS_TEXT },
		{ "APPLICATION/OpenMetrics-Text ; Version=0.0.1 ; Q=0.5",
		  METRICS_OPENMETRICS },
		{ "application/openmetrics-text;q=0", METRICS_TEXT },
		{ "application/openmetrics-text;q=0.2,text/plain;q=0.9", METRICS_TEXT },
		{ "application/openmetrics-textual", METRICS_TEXT },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		  "application/openmetrics-text;version=0.0.1;q=0.5,"
		  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
		  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		  METRICS_OPENMETRICS },
		{ ",;,;q=,; ;", METRICS_TEXT },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_request request = {
			.headers = { { "Host", "localhost" },
				     { "accept", rows[i].accept } },
			.n_headers = rows[i].accept ? 2 : 1,
		};

		if (metrics_format(&request) != rows[i].format)
			fail_msg("Accept: %s", rows[i].accept);
	}
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_gateway_that_is_well),
		T(the_store_is_told_once_in_seconds_and_only_what_is_known),
		T(a_dead_worker_counts_as_nothing_and_totals_stay),
		T(two_processes_of_a_seat_are_one_line),
		T(whole_gateway_killed_is_down),
		T(a_failed_look_guesses_no_number),
		T(a_counter_that_is_not_published_is_left_out),
		T(a_histogram_adds_up_in_seconds),
		T(times_are_in_seconds_whatever_the_words_are_in),
		T(what_a_process_does_is_told_of_those_that_live),
		T(how_far_a_worker_is_behind_on_the_bus_is_told),
		T(every_family_is_in_one_piece),
		T(openmetrics_names_counters_without_total_and_ends),
		T(texts_are_escaped),
		T(what_does_not_fit_is_told),
		T(the_largest_gateway_fits),
		T(the_scraper_chooses_the_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
