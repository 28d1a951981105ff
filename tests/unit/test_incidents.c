/* What happened of late is kept, told in words, and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "healthd/incidents.h"
#include "tests/unit/fake_snapshot.h"

enum {
	LOOK_MS = 50
};
#define WALL_MS 1787724299000

static struct snapshot seen;
static struct verdict verdict;
static struct incidents *incidents;
static uint64_t now_ms;

static int set_up(void **state)
{
	fake_gateway(&seen);
	now_ms = 1000;
	incidents = incidents_new();
	return incidents ? 0 : -1;
}

static int tear_down(void **state)
{
	incidents_free(incidents);
	return 0;
}

static bool look(void)
{
	now_ms += LOOK_MS;
	judge(&seen, &fake_past, &fake_limits, &verdict);
	return incidents_look(incidents, &seen, &verdict, now_ms * MS_NS,
			      WALL_MS + (int64_t)now_ms);
}

static void go_on(uint64_t ms)
{
	for (uint64_t until = now_ms + ms; now_ms < until;)
		(void)look(); /* whether something changed is asked elsewhere */
}

static void hang(uint64_t ms)
{
	for (uint64_t age = 1000; age <= 1000 + ms; age += LOOK_MS) {
		fake_hang(&seen, 1, HANG_loop, age);
		(void)look(); /* as above */
	}
	fake_hang(&seen, 1, HANG_none, 0);
}

static void a_gateway_that_is_well_has_none(void **state)
{
	int64_t wall_ms;
	uint64_t ns;

	assert_true(look()); /* the first verdict is another than none */
	assert_false(look());
	assert_null(incidents_at(incidents, 0));
	assert_false(incidents_since(incidents, &wall_ms, &ns));
	assert_int_equal(ns, 1050 * MS_NS);
	assert_int_equal(wall_ms, WALL_MS + 1050);
}

static void trouble_has_begin_end_and_reason(void **state)
{
	const struct incident *incident;
	int64_t wall_ms;
	uint64_t ns;

	go_on(1000);
	hang(2000);
	incident = incidents_at(incidents, 0);
	assert_int_equal(incident->ended_ns, 0);
	go_on(1000);
	assert_int_equal(incident->kind, INCIDENT_trouble);
	assert_int_equal(incident->worst, STATUS_degraded);
	assert_int_equal(incident->began_ns, 2050 * MS_NS);
	assert_int_equal(incident->began_wall_ms, WALL_MS + 2050);
	assert_int_equal(incident->ended_ns - incident->began_ns, 2050 * MS_NS);
	assert_int_equal(incident->n_reasons, 1);
	assert_string_equal(incident->reasons[0],
			    "worker 1 hung (loop) 3.0 s in polling");
	assert_true(incidents_since(incidents, &wall_ms, &ns));
	assert_int_equal(ns, incident->ended_ns);
}

static void each_change_of_the_verdict_is_told_once(void **state)
{
	go_on(500);
	fake_hang(&seen, 1, HANG_loop, 1500);
	assert_true(look());
	fake_hang(&seen, 1, HANG_loop, 1550);
	assert_false(look());
	fake_hang(&seen, 1, HANG_none, 0);
	assert_true(look());
	assert_false(look());
}

static void the_story_of_an_incident_is_kept_in_order(void **state)
{
	const struct incident *incident;

	go_on(1000);
	hang(500);
	seen.slots[1].state = CHILD_aborting;
	go_on(100);
	fake_empty(&seen, 1, SEAT_starting, EXIT_hung);
	go_on(100);
	fake_death(&seen);
	go_on(100);
	incident = incidents_at(incidents, 0);
	assert_int_equal(incident->times, 1);
	assert_int_equal(incident->n_reasons, 4);
	assert_string_equal(incident->reasons[1], "worker 1 is being aborted");
	assert_string_equal(incident->reasons[2],
			    "worker 1 restarts after hung (code 0)");
	assert_string_equal(incident->reasons[3], "the gateway is gone");
	assert_int_equal(incident->worst, STATUS_error);
	assert_int_equal(incident->server, SERVER_stopped);
}

static void two_workers_are_two_reasons(void **state)
{
	go_on(100);
	fake_hang(&seen, 0, HANG_loop, 1500);
	go_on(100);
	fake_hang(&seen, 0, HANG_none, 0);
	fake_hang(&seen, 1, HANG_loop, 1500);
	go_on(100);
	assert_int_equal(incidents_at(incidents, 0)->n_reasons, 2);
}

static void what_flaps_is_one_incident(void **state)
{
	for (unsigned i = 0; i < 5; i++) {
		go_on(2000);
		hang(100);
	}
	assert_int_equal(incidents_ever(incidents), 1);
	assert_int_equal(incidents_at(incidents, 0)->times, 5);
	assert_int_equal(incidents_at(incidents, 0)->n_reasons, 1);
	go_on(INCIDENT_JOIN_MS + 100);
	hang(100);
	assert_int_equal(incidents_ever(incidents), 2);
	assert_int_equal(incidents_at(incidents, 0)->times, 1);
}

static void they_outlive_the_gateway(void **state)
{
	go_on(1000);
	hang(100);
	go_on(1000);
	fake_failed(&seen, LOOK_missing, "there is no segment");
	go_on(10000);
	fake_gateway(&seen);
	seen.instance[0]++;
	go_on(100);
	assert_int_equal(incidents_at(incidents, 0)->kind, INCIDENT_restart);
	assert_int_equal(incidents_at(incidents, 1)->kind, INCIDENT_trouble);
	assert_int_equal(incidents_at(incidents, 1)->times, 2);
	assert_int_equal(incidents_ever(incidents), 2);
}

static void a_rolling_restart_has_begin_and_end(void **state)
{
	const struct incident *roll;

	go_on(1000);
	seen.roll.total = 2;
	go_on(4000);
	roll = incidents_at(incidents, 0);
	assert_int_equal(roll->kind, INCIDENT_roll);
	assert_int_equal(roll->ended_ns, 0);
	seen.roll.total = 0;
	go_on(5000);
	assert_int_equal(roll->ended_ns - roll->began_ns, 4000 * MS_NS);
	assert_int_equal(incidents_ever(incidents), 1);
}

static void only_the_last_are_kept(void **state)
{
	go_on(1000);
	for (unsigned i = 0; i < 3 * INCIDENTS_MAX; i++) {
		seen.instance[0]++;
		go_on(LOOK_MS);
	}
	assert_int_equal(incidents_ever(incidents), 3 * INCIDENTS_MAX);
	assert_non_null(incidents_at(incidents, INCIDENTS_MAX - 1));
	assert_null(incidents_at(incidents, INCIDENTS_MAX));
}

static void one_that_lasts_may_be_forgotten_too(void **state)
{
	go_on(1000);
	fake_empty(&seen, 1, SEAT_backoff, EXIT_killed);
	seen.roll.total = 2;
	go_on(100);
	for (unsigned i = 0; i < INCIDENTS_MAX + 1; i++) {
		seen.instance[0]++;
		go_on(LOOK_MS);
	}
	fake_process(&seen, 1, 1);
	seen.roll.total = 0;
	go_on(5000);
	for (unsigned i = 0; i < INCIDENTS_MAX; i++)
		assert_true(incidents_at(incidents, i)->ended_ns > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_gateway_that_is_well_has_none),
		T(trouble_has_begin_end_and_reason),
		T(each_change_of_the_verdict_is_told_once),
		T(the_story_of_an_incident_is_kept_in_order),
		T(two_workers_are_two_reasons),
		T(what_flaps_is_one_incident),
		T(they_outlive_the_gateway),
		T(a_rolling_restart_has_begin_and_end),
		T(only_the_last_are_kept),
		T(one_that_lasts_may_be_forgotten_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
