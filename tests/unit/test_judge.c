/* Each row of FAULTS that the judge decides: what is said of a gateway in that state. */
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

static void judged(enum verdict_status status, enum verdict_server server)
{
	judge(&seen, &past, &fake_limits, &verdict);
	assert_string_equal(verdict_status_name(verdict.status),
			    verdict_status_name(status));
	assert_string_equal(verdict_server_name(verdict.server),
			    verdict_server_name(server));
	assert_int_equal(verdict.websocket_ok, status != STATUS_error);
	assert_int_equal(verdict.n_reasons > 0, status != STATUS_ok);
}

static void has_reason(const char *text)
{
	for (unsigned i = 0; i < verdict.n_reasons; i++)
		if (strstr(verdict.reasons[i], text))
			return;
	fail_msg("no reason says '%s', the first: %s", text, verdict.reasons[0]);
}

static void active_is(uint64_t active)
{
	assert_true(verdict.active_known);
	assert_int_equal(verdict.active, active);
}

/* ---- well ---------------------------------------------------------------------- */

static void a_gateway_that_is_well_is_ok(void **state)
{
	judged(STATUS_ok, SERVER_running);
	active_is(8);
	assert_true(verdict.total_known && verdict.uptime_known);
	assert_int_equal(verdict.total, 17);
	assert_int_equal(verdict.uptime_ms, 1234567);
	assert_true(verdict.live && verdict.ready && verdict.startup);
	assert_int_equal(verdict.workers_wanted, 2);
	assert_int_equal(verdict.workers_serving, 2);
}

static void starting_without_a_ready_worker_serves_nobody(void **state)
{
	seen.state = GATEWAY_starting;
	seen.ever_ready = 0;
	for (unsigned i = 0; i < 2; i++) {
		seen.slots[i].state = CHILD_starting;
		seen.seats[i].state = SEAT_starting;
	}
	judged(STATUS_error, SERVER_starting);
	has_reason("0 of 2");
	assert_int_equal(verdict.n_reasons, 1);
	assert_true(verdict.live);
	assert_false(verdict.startup || verdict.ready);
}

static void starting_with_a_ready_worker_is_degraded(void **state)
{
	seen.state = GATEWAY_starting;
	seen.slots[1].state = CHILD_starting;
	seen.seats[1].state = SEAT_starting;
	judged(STATUS_degraded, SERVER_starting);
	assert_true(verdict.live);
	assert_false(verdict.ready);
}

static void draining_is_degraded_and_not_ready_at_once(void **state)
{
	seen.state = GATEWAY_draining;
	seen.slots[0].state = seen.slots[1].state = CHILD_stopping;
	judged(STATUS_degraded, SERVER_draining);
	active_is(8);
	assert_true(verdict.live);
	assert_false(verdict.ready);
	assert_string_not_equal(verdict.ready_reason, "");
}

static void a_drained_worker_is_not_missed(void **state)
{
	seen.state = GATEWAY_draining;
	fake_empty(&seen, 1, SEAT_empty, EXIT_asked);
	judged(STATUS_degraded, SERVER_draining);
	assert_int_equal(verdict.n_reasons, 1);
}

static void a_rolling_reload_is_ok(void **state)
{
	seen.seats[0].state = SEAT_replacing;
	seen.slots[2] = seen.slots[0];
	seen.slots[2].state = CHILD_stopping;
	judged(STATUS_ok, SERVER_running);
	active_is(13);
}

/* ---- death --------------------------------------------------------------------- */

static void whole_gateway_killed_is_stopped_and_nobody_connected(void **state)
{
	fake_death(&seen);
	judged(STATUS_error, SERVER_stopped);
	active_is(0);
	assert_int_equal(verdict.total, 17);
	assert_true(verdict.uptime_known);
	assert_int_equal(verdict.uptime_ms, 0);
	assert_false(verdict.live || verdict.ready || verdict.startup);
	has_reason("gateway is gone");
}

static void supervisor_killed_is_told_and_its_workers_still_counted(void **state)
{
	seen.supervisor_alive = false;
	judged(STATUS_error, SERVER_stopped);
	active_is(8);
	has_reason("supervisor is gone");
	assert_false(verdict.live || verdict.ready);
}

static void stale_segment_of_a_previous_life_is_no_gateway(void **state)
{
	past = (struct judge_history){ .counts = true };
	fake_death(&seen);
	judged(STATUS_error, SERVER_stopped);
	active_is(0);
	assert_false(verdict.live || verdict.startup);
}

static void one_worker_killed_is_degraded_and_its_connections_not_counted(void **state)
{
	seen.slots[0].alive = false;
	judged(STATUS_degraded, SERVER_running);
	active_is(3);
	assert_int_equal(verdict.total, 17);
	has_reason("worker 0 is gone");
	assert_true(verdict.live && verdict.ready);
	assert_int_equal(verdict.workers_serving, 1);
}

static void a_restarting_worker_is_degraded_with_the_reason(void **state)
{
	fake_empty(&seen, 1, SEAT_backoff, EXIT_killed);
	seen.seats[1].last_signal = 9;
	seen.seats[1].retry_at_ms = seen.uptime_ms + 400;
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 1 restarts in 0.4 s after killed (signal 9)");
}

static void long_core_dump_replaced_is_ok_and_its_connections_close(void **state)
{
	seen.slots[0].state = CHILD_aborting;
	fake_hang(&seen, 0, HANG_loop, 9000);
	fake_process(&seen, 2, 0)->counters[COUNTER_links_active] = 1;
	seen.slots[2].counters[COUNTER_links_closing] = 2;
	judged(STATUS_ok, SERVER_running);
	active_is(4);
	assert_int_equal(verdict.closing, 7);
}

static void an_aborted_worker_without_replacement_is_degraded(void **state)
{
	seen.slots[0].state = CHILD_aborting;
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 0 is being aborted");
	active_is(3);
}

static void sequencer_away_is_degraded(void **state)
{
	fake_empty(&seen, FAKE_SEQUENCER_SEAT, SEAT_starting, EXIT_crashed);
	judged(STATUS_degraded, SERVER_running);
	has_reason("sequencer restarts");
	assert_true(verdict.live && verdict.ready);
}

static void crash_loop_of_all_workers_is_not_live(void **state)
{
	fake_empty(&seen, 0, SEAT_crash_loop, EXIT_crashed);
	judged(STATUS_degraded, SERVER_running);
	assert_true(verdict.live);
	fake_empty(&seen, 1, SEAT_crash_loop, EXIT_crashed);
	judged(STATUS_error, SERVER_running);
	active_is(0);
	assert_false(verdict.live);
	assert_non_null(strstr(verdict.live_reason, "crash loop"));
}

static void crash_loop_of_the_sequencer_is_not_live(void **state)
{
	fake_empty(&seen, FAKE_SEQUENCER_SEAT, SEAT_crash_loop, EXIT_crashed);
	judged(STATUS_degraded, SERVER_running);
	assert_false(verdict.live);
	assert_non_null(strstr(verdict.live_reason, "crash loop"));
}

/* ---- hangs --------------------------------------------------------------------- */

static void a_worker_stopped_is_hung_and_still_has_its_connections(void **state)
{
	fake_hang(&seen, 0, HANG_none, 999);
	judged(STATUS_ok, SERVER_running);
	fake_hang(&seen, 0, HANG_stopped, 1000);
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 0 hung (stopped) 1.0 s in polling");
	active_is(8);
	assert_int_equal(verdict.workers_hung, 1);
	assert_true(verdict.live && verdict.ready);
}

static void what_the_supervisor_calls_hung_is_hung_unless_it_beats(void **state)
{
	fake_hang(&seen, 0, HANG_stopped, 199);
	judged(STATUS_ok, SERVER_running);
	fake_hang(&seen, 0, HANG_stopped, 200);
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 0 hung (stopped)");
}

static void endless_loop_in_a_worker_names_phase_and_duration(void **state)
{
	fake_hang(&seen, 1, HANG_loop, 4100);
	seen.slots[1].phase = PHASE_reading;
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 1 hung (loop) 4.1 s in reading");
}

static void a_hang_of_a_kind_not_yet_known_is_told(void **state)
{
	fake_hang(&seen, 1, HANG_none, 1500);
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 1 hung (unknown) 1.5 s");
}

static void all_workers_hung_is_an_error_and_live(void **state)
{
	fake_hang(&seen, 0, HANG_stopped, 1200);
	fake_hang(&seen, 1, HANG_stopped, 1200);
	judged(STATUS_error, SERVER_hung);
	assert_false(verdict.active_known);
	assert_true(verdict.total_known && verdict.live);
	assert_int_equal(verdict.workers_hung, 2);
}

static void all_workers_hung_past_the_supervisors_deadline_is_not_live(void **state)
{
	fake_hang(&seen, 0, HANG_stopped, 60000);
	fake_hang(&seen, 1, HANG_stopped, 32999);
	judged(STATUS_error, SERVER_hung);
	assert_true(verdict.live);
	fake_hang(&seen, 1, HANG_stopped, 33000);
	judged(STATUS_error, SERVER_hung);
	assert_false(verdict.live);
}

static void the_deadline_is_that_of_the_gateways_own_settings(void **state)
{
	seen.hang_act_ms = 60000;
	fake_hang(&seen, 0, HANG_loop, 89000);
	fake_hang(&seen, 1, HANG_loop, 89000);
	judged(STATUS_error, SERVER_hung);
	assert_true(verdict.live);
	seen.hang_act_ms = UINT64_MAX; /* nothing that could be set */
	judged(STATUS_error, SERVER_hung);
	assert_false(verdict.live);
}

static void sequencer_hung_is_degraded(void **state)
{
	fake_hang(&seen, FAKE_SEQUENCER_SLOT, HANG_blocked, 2000);
	seen.slots[FAKE_SEQUENCER_SLOT].phase = PHASE_sequencing;
	judged(STATUS_degraded, SERVER_running);
	has_reason("sequencer hung (blocked) 2.0 s in sequencing");
}

static void supervisor_hung_is_told_at_one_second_and_not_live_at_three(void **state)
{
	seen.beat_age_ns = 1000 * MS_NS;
	judged(STATUS_degraded, SERVER_hung);
	has_reason("supervisor hung 1.0 s");
	assert_true(verdict.live);
	assert_int_equal(verdict.uptime_ms, 1235567);
	seen.beat_age_ns = 3000 * MS_NS;
	judged(STATUS_degraded, SERVER_hung);
	assert_false(verdict.live || verdict.ready);
}

static void supervisor_and_all_workers_hung_leave_active_unknown(void **state)
{
	seen.beat_age_ns = 2000 * MS_NS;
	fake_hang(&seen, 0, HANG_none, 2000);
	fake_hang(&seen, 1, HANG_none, 2000);
	judged(STATUS_error, SERVER_hung);
	assert_false(verdict.active_known);
}

/* ---- room for clients ---------------------------------------------------------- */

static void descriptors_exhausted_in_a_worker_is_degraded(void **state)
{
	seen.slots[0].counters[COUNTER_accept_paused] = 1;
	judged(STATUS_degraded, SERVER_running);
	has_reason("worker 0 accepts nobody");
	assert_true(verdict.ready_now && verdict.live);
}

static void descriptors_exhausted_in_all_is_not_ready(void **state)
{
	seen.slots[0].counters[COUNTER_accept_paused] = 1;
	seen.slots[1].counters[COUNTER_accept_paused] = 1;
	judged(STATUS_degraded, SERVER_running);
	assert_false(verdict.ready_now);
	assert_true(verdict.live);
}

static void nothing_listening_is_not_ready(void **state)
{
	seen.slots[0].counters[COUNTER_listeners] = 0;
	seen.slots[1].counters[COUNTER_listeners] = 0;
	judged(STATUS_ok, SERVER_running);
	assert_false(verdict.ready_now);
}

static void full_is_degraded_and_not_ready(void **state)
{
	seen.connections_max = 8;
	judged(STATUS_degraded, SERVER_running);
	has_reason("full: 8 of 8");
	assert_false(verdict.ready_now);
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_gateway_that_is_well_is_ok),
		T(starting_without_a_ready_worker_serves_nobody),
		T(starting_with_a_ready_worker_is_degraded),
		T(draining_is_degraded_and_not_ready_at_once),
		T(a_drained_worker_is_not_missed),
		T(a_rolling_reload_is_ok),
		T(whole_gateway_killed_is_stopped_and_nobody_connected),
		T(supervisor_killed_is_told_and_its_workers_still_counted),
		T(stale_segment_of_a_previous_life_is_no_gateway),
		T(one_worker_killed_is_degraded_and_its_connections_not_counted),
		T(a_restarting_worker_is_degraded_with_the_reason),
		T(long_core_dump_replaced_is_ok_and_its_connections_close),
		T(an_aborted_worker_without_replacement_is_degraded),
		T(sequencer_away_is_degraded),
		T(crash_loop_of_all_workers_is_not_live),
		T(crash_loop_of_the_sequencer_is_not_live),
		T(a_worker_stopped_is_hung_and_still_has_its_connections),
		T(what_the_supervisor_calls_hung_is_hung_unless_it_beats),
		T(endless_loop_in_a_worker_names_phase_and_duration),
		T(a_hang_of_a_kind_not_yet_known_is_told),
		T(all_workers_hung_is_an_error_and_live),
		T(all_workers_hung_past_the_supervisors_deadline_is_not_live),
		T(the_deadline_is_that_of_the_gateways_own_settings),
		T(sequencer_hung_is_degraded),
		T(supervisor_hung_is_told_at_one_second_and_not_live_at_three),
		T(supervisor_and_all_workers_hung_leave_active_unknown),
		T(descriptors_exhausted_in_a_worker_is_degraded),
		T(descriptors_exhausted_in_all_is_not_ready),
		T(nothing_listening_is_not_ready),
		T(full_is_degraded_and_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
