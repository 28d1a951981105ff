/* What is said when the segment cannot be read, when nobody was ever there, and how
 * readiness falls and rises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "healthd/judge.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct judge_history past;
static struct verdict verdict;

static int set_up(void **state)
{
	fake_gateway(&seen);
	past = fake_past;
	return 0;
}

static void judged(void)
{
	judge(&seen, &past, &fake_limits, &verdict);
}

/* ---- unreadable ---------------------------------------------------------------- */

static void an_unreadable_segment_is_an_error_with_its_reason_and_no_number(void **state)
{
	for (enum look look = LOOK_missing; look < LOOK_COUNT; look++) {
		fake_failed(&seen, look, "the exact reason");
		seen.supervisor_known = seen.supervisor_alive = look > LOOK_denied;
		past.seen = false;
		judged();
		assert_int_equal(verdict.status, STATUS_error);
		assert_false(verdict.websocket_ok);
		assert_false(verdict.active_known || verdict.total_known ||
			     verdict.uptime_known);
		assert_string_equal(verdict.reasons[0], "the exact reason");
		assert_false(verdict.ready_now || verdict.startup);
		assert_string_equal(verdict.startup_reason, "the exact reason");
	}
}

static void a_scribbled_segment_of_a_living_gateway_is_live(void **state)
{
	fake_failed(&seen, LOOK_corrupt, "corrupt");
	seen.supervisor_known = seen.supervisor_alive = true;
	judged();
	assert_int_equal(verdict.server, SERVER_running);
	assert_true(verdict.live);
	assert_false(verdict.ready_now);
}

static void a_scribbled_segment_of_a_dead_gateway_is_not_live(void **state)
{
	fake_failed(&seen, LOOK_corrupt, "corrupt");
	seen.supervisor_known = true;
	judged();
	assert_int_equal(verdict.server, SERVER_stopped);
	assert_false(verdict.active_known || verdict.total_known);
	assert_false(verdict.live);
}

static void a_scribbled_segment_that_nobody_holds_has_no_connections(void **state)
{
	fake_failed(&seen, LOOK_corrupt, "corrupt");
	seen.supervisor_known = seen.deserted = true;
	judged();
	assert_int_equal(verdict.server, SERVER_stopped);
	assert_true(verdict.active_known);
	assert_int_equal(verdict.active, 0);
	assert_false(verdict.total_known);
	assert_false(verdict.live);
}

static void a_segment_whose_lock_cannot_be_asked_is_not_live(void **state)
{
	fake_failed(&seen, LOOK_denied, "permission denied");
	judged();
	assert_int_equal(verdict.server, SERVER_stopped);
	assert_false(verdict.active_known);
	assert_false(verdict.live);
	assert_non_null(strstr(verdict.live_reason, "permission denied"));
}

static void a_kernel_that_does_not_tell_of_locks_vouches_for_nobody(void **state)
{
	fake_death(&seen);
	seen.supervisor_known = false;
	judged();
	assert_int_equal(verdict.status, STATUS_error);
	assert_false(verdict.active_known || verdict.uptime_known || verdict.live);
	assert_string_not_equal(verdict.reasons[0], "");
}

static void a_deleted_name_is_told_and_the_numbers_stay(void **state)
{
	strcpy(seen.reason, "the name was deleted");
	judged();
	assert_int_equal(verdict.status, STATUS_degraded);
	assert_string_equal(verdict.reasons[0], "the name was deleted");
	assert_true(verdict.active_known && verdict.live && verdict.ready);
	assert_int_equal(verdict.active, 8);
}

static void a_gateway_that_left_without_a_trace_is_gone(void **state)
{
	fake_failed(&seen, LOOK_missing, "missing");
	judged();
	assert_int_equal(verdict.server, SERVER_stopped);
	assert_true(verdict.active_known);
	assert_int_equal(verdict.active, 0);
	assert_false(verdict.live || verdict.ready);
}

/* ---- hostile numbers ----------------------------------------------------------- */

static void an_absent_counter_is_not_taken_for_zero(void **state)
{
	seen.has[COUNTER_links_active] = false;
	seen.has[COUNTER_links_opened] = false;
	judged();
	assert_false(verdict.active_known || verdict.total_known);
	assert_int_equal(verdict.status, STATUS_ok);
}

static void seats_that_point_nowhere_are_empty(void **state)
{
	seen.seats[0].slot = 5;
	seen.seats[1].slot = -7;
	judged();
	assert_int_equal(verdict.workers_serving, 0);
	assert_int_equal(verdict.status, STATUS_degraded);
}

static void more_reasons_than_fit_are_counted(void **state)
{
	seen.n_workers = 20;
	seen.n_seats = 21;
	seen.seats[FAKE_SEQUENCER_SEAT] = (struct snapshot_seat){ .role = ROLE_WORKER };
	for (unsigned i = 0; i < 20; i++)
		seen.seats[i] = (struct snapshot_seat){ .state = SEAT_empty, .slot = -1 };
	seen.seats[20] = (struct snapshot_seat){ .role = ROLE_SEQUENCER,
						 .state = SEAT_serving,
						 .slot = FAKE_SEQUENCER_SLOT };
	judged();
	assert_int_equal(verdict.n_reasons + verdict.n_reasons_left_off, 20);
	assert_int_equal(verdict.n_reasons, VERDICT_REASONS);
}

/* ---- the start grace ----------------------------------------------------------- */

static void healthd_starts_first_live_for_a_start_grace(void **state)
{
	fake_failed(&seen, LOOK_missing, "no gateway runs under this name");
	past = (struct judge_history){ .counts = true, .absent_ns = 30000 * MS_NS };
	judged();
	assert_true(verdict.live);
	assert_false(verdict.ready || verdict.startup || verdict.websocket_ok);
	assert_false(verdict.active_known);
	past.absent_ns++;
	judged();
	assert_false(verdict.live);
	assert_non_null(strstr(verdict.live_reason, "(for 30.0 s)"));
}

/* ---- readiness ----------------------------------------------------------------- */

/* One look that counts; keeps the history as the watcher does. */
static bool looked(bool good)
{
	seen.slots[0].counters[COUNTER_accept_paused] = !good;
	seen.slots[1].counters[COUNTER_accept_paused] = !good;
	past.counts = true;
	judged();
	assert_int_equal(verdict.ready_now, good);
	past.good_looks = good ? past.good_looks + 1 : 0;
	past.bad_looks = good ? 0 : past.bad_looks + 1;
	past.was_ready = verdict.ready;
	return verdict.ready;
}

static void ready_falls_with_the_second_bad_look(void **state)
{
	assert_true(looked(true));
	assert_true(looked(false));
	assert_true(looked(true));
	assert_true(looked(false));
	assert_false(looked(false));
	assert_string_not_equal(verdict.ready_reason, "");
}

static void ready_rises_with_the_third_good_look(void **state)
{
	past = (struct judge_history){ .seen = true };
	assert_false(looked(true));
	assert_string_not_equal(verdict.ready_reason, "");
	assert_false(looked(true));
	assert_false(looked(false));
	assert_false(looked(true));
	assert_false(looked(true));
	assert_true(looked(true));
}

static void looks_that_do_not_count_change_nothing(void **state)
{
	past.counts = false;
	seen.slots[0].counters[COUNTER_accept_paused] = 1;
	seen.slots[1].counters[COUNTER_accept_paused] = 1;
	past.bad_looks = 1;
	judged();
	assert_true(verdict.ready);
	assert_false(verdict.ready_now);
}

static void ready_falls_at_once_with_death_drain_and_restart(void **state)
{
	past.counts = false;
	fake_death(&seen);
	judged();
	assert_false(verdict.ready);
	fake_gateway(&seen);
	seen.state = GATEWAY_draining;
	judged();
	assert_false(verdict.ready);
	seen.state = GATEWAY_starting;
	judged();
	assert_false(verdict.ready);
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_unreadable_segment_is_an_error_with_its_reason_and_no_number),
		T(a_scribbled_segment_of_a_living_gateway_is_live),
		T(a_scribbled_segment_of_a_dead_gateway_is_not_live),
		T(a_scribbled_segment_that_nobody_holds_has_no_connections),
		T(a_segment_whose_lock_cannot_be_asked_is_not_live),
		T(a_kernel_that_does_not_tell_of_locks_vouches_for_nobody),
		T(a_deleted_name_is_told_and_the_numbers_stay),
		T(a_gateway_that_left_without_a_trace_is_gone),
		T(an_absent_counter_is_not_taken_for_zero),
		T(seats_that_point_nowhere_are_empty),
		T(more_reasons_than_fit_are_counted),
		T(healthd_starts_first_live_for_a_start_grace),
		T(ready_falls_with_the_second_bad_look),
		T(ready_rises_with_the_third_good_look),
		T(looks_that_do_not_count_change_nothing),
		T(ready_falls_at_once_with_death_drain_and_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
