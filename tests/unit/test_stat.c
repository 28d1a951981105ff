/* What parley-stat shows: the table with its rates, and everything as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "healthd/report.h"
#include "healthd/stat.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct verdict verdict;
static struct stat_last last;
static char *text;

static int set_up(void **state)
{
	fake_gateway(&seen);
	last = (struct stat_last){ .known = false };
	return 0;
}

static int tear_down(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

static struct view view(void)
{
	judge(&seen, &fake_past, &fake_limits, &verdict);
	return (struct view){ .snapshot = &seen,
			      .verdict = &verdict,
			      .limits = &fake_limits,
			      .wall_ms = 1787724299000 };
}

static void printed(uint64_t now_ms)
{
	struct view now = view();
	size_t len;
	FILE *out;

	free(text);
	out = open_memstream(&text, &len);
	assert_non_null(out);
	stat_print(&now, &last, now_ms * MS_NS, out);
	fclose(out);
}

/* A line that has these words, with any blanks between them. */
static bool has(const char *words)
{
	char *copy = strdup(text), *rest = copy, *line;
	bool found = false;

	while (!found && (line = strsep(&rest, "\n")) != NULL) {
		char joined[512] = "", *part;

		while ((part = strsep(&line, " ")) != NULL)
			if (*part && strlen(joined) + strlen(part) + 2 < sizeof joined)
				strcat(strcat(joined, *joined ? " " : ""), part);
		found = strcmp(joined, words) == 0;
	}
	free(copy);
	return found;
}

static void has_line(const char *words)
{
	if (!has(words))
		fail_msg("no line '%s' in\n%s", words, text);
}

static void the_table_shows_verdict_seats_and_counters(void **state)
{
	seen.seats[1].restarts = 2;
	seen.seats[1].last_reason = EXIT_killed;
	seen.seats[1].last_signal = 9;
	printed(1000);
	has_line("parley ok running 2026-08-26T06:04:59.000Z");
	has_line("up 0d 00:20:34 live yes ready yes version 1.2.3");
	has_line("connections active 8 handshaking 0 closing 0 total 17 port 8080");
	has_line("store sqlite ok latency 0.42 ms queue 3 "
		 "last ok 2026-08-26T06:04:58.000Z");
	has_line("worker 0 serving 1000 polling 0 5 0 0 -");
	has_line("worker 1 serving 1001 polling 0 3 0 2 killed, signal 9");
	has_line("sequencer serving 1004 polling 0 0 0 0 -");
	has_line("connections_opened_total 17");
	assert_null(strstr(text, "room_gaps_total"));
	assert_null(strstr(text, "store_state"));
}

static void rates_are_by_difference_in_one_life_of_a_gateway(void **state)
{
	printed(1000);
	assert_null(strstr(text, "PER SECOND"));
	seen.slots[0].counters[COUNTER_links_opened] += 5;
	printed(3000);
	has_line("connections_opened_total 22 2.5");
	seen.instance[0]++;
	printed(4000);
	assert_null(strstr(text, "PER SECOND"));
}

static void a_hang_and_a_missing_process_are_shown(void **state)
{
	fake_hang(&seen, 0, HANG_loop, 4100);
	fake_empty(&seen, 1, SEAT_backoff, EXIT_exited);
	seen.seats[1].last_code = 3;
	printed(1000);
	has_line("worker 0 hung (loop) 4.1 s in polling");
	has_line("worker 0 serving 1000 polling 4100 5 0 0 - hung: loop");
	has_line("worker 1 backoff - - - 0 0 0 exited, code 3");
}

static void a_store_of_which_nobody_speaks_has_no_number(void **state)
{
	fake_empty(&seen, FAKE_SEQUENCER_SEAT, SEAT_starting, EXIT_killed);
	printed(1000);
	has_line("store - unknown latency - queue - last ok - "
		 "no sequencer lives: nobody reaches the store");
}

static void a_failed_look_shows_no_number(void **state)
{
	fake_failed(&seen, LOOK_corrupt, "corrupt");
	printed(1000);
	has_line("corrupt");
	assert_null(strstr(text, "connections"));
	assert_null(strstr(text, "SEAT"));
}

static void json_has_events_of_the_dead_oldest_first(void **state)
{
	struct view now;
	json_t *all, *slot, *events;

	for (unsigned i = 0; i < SEGMENT_EVENTS; i++) {
		seen.slots[0].events[i].at_ms = i < 6 ? 100 + i : 36 + i;
		seen.slots[0].events[i].kind = EVENT_opened;
	}
	seen.slots[0].n_events = SEGMENT_EVENTS + 6;
	seen.slots[0].alive = false;
	now = view();
	all = report_all(&now);
	assert_non_null(all);
	assert_string_equal(json_string_value(json_object_get(all, "status")),
			    "degraded");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(all, "database"), "driver")),
			    "sqlite");
	slot = json_array_get(json_object_get(all, "slots"), 0);
	assert_true(json_is_false(json_object_get(slot, "alive")));
	events = json_object_get(slot, "events");
	assert_int_equal(json_array_size(events), SEGMENT_EVENTS);
	for (size_t i = 0; i < SEGMENT_EVENTS; i++)
		assert_int_equal(json_integer_value(json_object_get(
					 json_array_get(events, i), "atMs")),
				 42 + i);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(all, "counters"), "links_active")),
			 3);
	json_decref(all);
}

static void json_of_a_failed_look_guesses_nothing(void **state)
{
	struct view now;
	json_t *all;

	fake_failed(&seen, LOOK_missing, "missing");
	now = view();
	all = report_all(&now);
	assert_non_null(all);
	assert_true(json_is_null(json_object_get(all, "counters")));
	assert_true(json_is_null(json_object_get(all, "supervisor")));
	assert_int_equal(json_array_size(json_object_get(all, "slots")), 0);
	json_decref(all);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_table_shows_verdict_seats_and_counters),
		T(rates_are_by_difference_in_one_life_of_a_gateway),
		T(a_hang_and_a_missing_process_are_shown),
		T(a_store_of_which_nobody_speaks_has_no_number),
		T(a_failed_look_shows_no_number),
		T(json_has_events_of_the_dead_oldest_first),
		T(json_of_a_failed_look_guesses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
