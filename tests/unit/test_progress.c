/* How far a drain or a roll is and how long it takes, from what a gateway says: the
 * maths, also of numbers that make no sense, and how it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "healthd/deaths.h"
#include "healthd/metrics.h"
#include "healthd/report.h"
#include "healthd/stat.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot s;
static struct verdict v;

/* 8 of 20 connections are left; announced 2 s ago, closing for 1 s of 10, until 30 s. */
static void drains(void)
{
	fake_gateway(&s);
	s.state = GATEWAY_draining;
	s.drain.from_ms = s.uptime_ms - 2000;
	s.drain.close_ms = s.uptime_ms - 1000;
	s.drain.spread_ms = 10000;
	s.drain.until_ms = s.uptime_ms + 30000;
	s.drain.links = 20;
}

/* 4 workers, 1 of them replaced, which took 6 s. */
static void rolls(void)
{
	fake_gateway(&s);
	s.n_workers = 4;
	s.roll.from_ms = s.uptime_ms - 6000;
	s.roll.spread_ms = 5000;
	s.roll.total = 4;
	s.roll.done = 1;
}

static void look(void)
{
	judge(&s, &fake_past, &fake_limits, &v);
}

static struct view view(void)
{
	return (struct view){ .snapshot = &s, .verdict = &v, .limits = &fake_limits };
}

/* ---- a drain -------------------------------------------------------------------- */

static void remaining_and_time_to_go_follow_the_gateways_pace(void **state)
{
	(void)state;
	drains();
	look();
	assert_true(v.drain.under_way && v.drain.paced && v.drain.left_known);
	assert_int_equal(v.drain.began, 20);
	assert_int_equal(v.drain.left, 8);
	assert_int_equal(v.drain.left_ms, 9000);
	assert_int_equal(v.drain.most_ms, 30000);
	assert_string_equal(v.reasons[0],
			    "the gateway drains: 8 of 20 connections left, about 9 s");
	assert_int_equal(v.status, STATUS_degraded);
}

static void before_closing_begins_the_announcement_counts_too(void **state)
{
	(void)state;
	drains();
	s.drain.close_ms = s.uptime_ms + 4000;
	look();
	assert_int_equal(v.drain.left_ms, 14000);
	s.slots[0].counters[COUNTER_links_active] = 0;
	s.slots[1].counters[COUNTER_links_active] = 0;
	look();
	assert_int_equal(v.drain.left, 0);
	assert_int_equal(v.drain.left_ms, 4000);
}

static void what_is_closing_is_left_too(void **state)
{
	(void)state;
	drains();
	s.slots[0].counters[COUNTER_links_closing] = 3;
	look();
	assert_int_equal(v.drain.left, 11);
}

static void who_does_not_close_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	drains();
	s.drain.close_ms = s.drain.from_ms = s.uptime_ms - 12000;
	look();
	assert_int_equal(v.drain.left_ms, 30000);
	s.drain.until_ms = s.uptime_ms - 1;
	look();
	assert_int_equal(v.drain.left_ms, 0);
	assert_int_equal(v.drain.most_ms, 0);
}

static void a_hurried_drain_ends_at_its_deadline(void **state)
{
	(void)state;
	drains();
	s.drain.until_ms = s.uptime_ms + 1500;
	look();
	assert_int_equal(v.drain.left_ms, 1500);
}

static void a_pace_that_makes_no_sense_is_not_told(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		drains();
		if (i == 0)
			s.drain.until_ms = UINT64_MAX;
		if (i == 1)
			s.drain.spread_ms = UINT64_MAX;
		if (i == 2)
			s.drain.links = UINT64_MAX;
		if (i == 3)
			s.drain.close_ms = s.drain.from_ms - 1;
		if (i == 4)
			s.drain.until_ms = s.drain.close_ms - 1;
		if (i == 5)
			memset(&s.drain, 0, sizeof s.drain);
		look();
		assert_true(v.drain.under_way);
		assert_false(v.drain.paced);
		assert_string_equal(v.reasons[0], "the gateway drains");
	}
}

static void impossible_connections_are_not_counted(void **state)
{
	(void)state;
	drains();
	s.slots[0].counters[COUNTER_links_closing] = UINT64_MAX;
	look();
	assert_true(v.drain.paced);
	assert_false(v.drain.left_known);
}

static void a_dead_gateway_does_not_drain(void **state)
{
	(void)state;
	drains();
	fake_death(&s);
	look();
	assert_false(v.drain.under_way);
}

/* ---- a roll --------------------------------------------------------------------- */

static void a_roll_takes_as_long_for_each_as_for_those_before(void **state)
{
	(void)state;
	rolls();
	look();
	assert_true(v.roll.under_way);
	assert_int_equal(v.roll.workers, 4);
	assert_int_equal(v.roll.rolled, 1);
	assert_int_equal(v.roll.left_ms, 18000);
	assert_int_equal(v.status, STATUS_ok);
	s.roll.done = 0;
	look();
	assert_int_equal(v.roll.left_ms, 20000);
	s.roll.done = 4;
	look();
	assert_int_equal(v.roll.left_ms, 0);
}

static void a_roll_that_makes_no_sense_is_not_told(void **state)
{
	(void)state;
	rolls();
	s.roll.total = 5;
	look();
	assert_false(v.roll.under_way);
	rolls();
	s.roll.done = 5;
	look();
	assert_false(v.roll.under_way);
	rolls();
	s.roll.done = 0;
	s.roll.spread_ms = UINT64_MAX;
	look();
	assert_true(v.roll.left_ms <= 7 * 86400000ull);
	s.roll.done = 1;
	s.roll.from_ms = 0;
	s.uptime_ms = UINT64_MAX;
	look();
	assert_true(v.roll.left_ms <= 7 * 86400000ull);
}

/* ---- telling -------------------------------------------------------------------- */

static void health_tells_what_is_under_way_and_nothing_else(void **state)
{
	struct view now = view();
	json_t *object, *drain, *roll;

	(void)state;
	fake_gateway(&s);
	look();
	object = report_health(&now, false);
	assert_null(json_object_get(object, "drain"));
	assert_null(json_object_get(object, "rolling"));
	json_decref(object);
	drains();
	look();
	object = report_health(&now, false);
	drain = json_object_get(object, "drain");
	assert_int_equal(json_integer_value(json_object_get(drain, "connections")), 20);
	assert_int_equal(json_integer_value(json_object_get(drain, "remaining")), 8);
	assert_true(json_real_value(json_object_get(drain, "estimatedSeconds")) == 9.0);
	assert_true(json_real_value(json_object_get(drain, "atMostSeconds")) == 30.0);
	json_decref(object);
	rolls();
	look();
	object = report_health(&now, true);
	roll = json_object_get(object, "rolling");
	assert_int_equal(json_integer_value(json_object_get(roll, "workers")), 4);
	assert_int_equal(json_integer_value(json_object_get(roll, "rolled")), 1);
	assert_int_equal(json_integer_value(json_object_get(roll, "remaining")), 3);
	json_decref(object);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not there: %s", part);
}

static void metrics_tell_drain_and_roll(void **state)
{
	static char text[METRICS_SIZE];
	struct view now = view();

	(void)state;
	drains();
	look();
	assert_true(metrics_write(&now, METRICS_TEXT, text, sizeof text) > 0);
	has(text, "\nparley_drain_active 1\n");
	has(text, "\nparley_drain_connections 20\n");
	has(text, "\nparley_drain_remaining_connections 8\n");
	has(text, "\nparley_drain_estimated_seconds 9.000000\n");
	has(text, "\nparley_drain_deadline_seconds 30.000000\n");
	has(text, "\nparley_roll_active 0\n");
	rolls();
	look();
	assert_true(metrics_write(&now, METRICS_TEXT, text, sizeof text) > 0);
	has(text, "\nparley_drain_active 0\n");
	has(text, "\nparley_roll_workers 4\n");
	has(text, "\nparley_roll_replaced_workers 1\n");
	has(text, "\nparley_roll_estimated_seconds 18.000000\n");
	assert_null(strstr(text, "parley_drain_remaining"));
}

static void stat_tells_drain_roll_and_deaths(void **state)
{
	struct stat_last last = { .known = false };
	struct view now = view();
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	drains();
	s.n_deaths = 2;
	s.deaths[0] = (struct snapshot_death){
		.generation = 9,
		.uptime_ms = s.uptime_ms - 30000,
		.role = ROLE_WORKER,
		.seat = 1,
		.reason = EXIT_killed,
		.signal = 9,
		.phase = PHASE_polling,
		.links = 415,
		.back = 412,
		.whole = 410,
		.trimmed = 2,
	};
	s.deaths[1] = (struct snapshot_death){ .generation = 3,
					       .uptime_ms = UINT64_MAX,
					       .role = ROLE_SEQUENCER,
					       .reason = EXIT_exited,
					       .code = 1,
					       .phase = UINT64_MAX };
	look();
	stat_print(&now, &last, 1, out);
	fclose(out);
	has(text, "\ndraining  8 of 20 connections left  about 9.0 s  at most 30.0 s\n");
	has(text, "\nworker 1 died 30 s ago (killed, signal 9, in polling): 412 of 415 "
		  "links are back, 410 whole, 2 trimmed\n");
	has(text, "\nsequencer died 0 s ago (exited, code 1, in unknown): no link was "
		  "lost\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remaining_and_time_to_go_follow_the_gateways_pace),
		cmocka_unit_test(before_closing_begins_the_announcement_counts_too),
		cmocka_unit_test(what_is_closing_is_left_too),
		cmocka_unit_test(who_does_not_close_is_waited_for_until_the_deadline),
		cmocka_unit_test(a_hurried_drain_ends_at_its_deadline),
		cmocka_unit_test(a_pace_that_makes_no_sense_is_not_told),
		cmocka_unit_test(impossible_connections_are_not_counted),
		cmocka_unit_test(a_dead_gateway_does_not_drain),
		cmocka_unit_test(a_roll_takes_as_long_for_each_as_for_those_before),
		cmocka_unit_test(a_roll_that_makes_no_sense_is_not_told),
		cmocka_unit_test(health_tells_what_is_under_way_and_nothing_else),
		cmocka_unit_test(metrics_tell_drain_and_roll),
		cmocka_unit_test(stat_tells_drain_roll_and_deaths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
