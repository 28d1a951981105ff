/* What is said of the store in each state of it and of the sequencer that keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "healthd/judge.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct judge_history past;
static struct judge_limits limits;
static struct verdict verdict;
static uint64_t *counters; /* of the sequencer */

static int set_up(void **state)
{
	fake_gateway(&seen);
	past = fake_past;
	limits = fake_limits;
	counters = seen.slots[FAKE_SEQUENCER_SLOT].counters;
	return 0;
}

static void judged(enum store_status status, bool reachable)
{
	judge(&seen, &past, &limits, &verdict);
	assert_string_equal(store_status_name(verdict.store.status),
			    store_status_name(status));
	assert_int_equal(verdict.store.reachable, reachable);
	assert_int_equal(*verdict.store.reason == '\0', status == STORE_STATUS_ok);
	assert_true(verdict.live || !seen.supervisor_alive);
}

static void reason_is(const char *reason)
{
	assert_string_equal(verdict.store.reason, reason);
}

/* No number of a store of which nobody speaks. */
static void knows_nothing(void)
{
	assert_false(verdict.store.up || verdict.store.told);
	assert_false(verdict.store.latency_known || verdict.store.last_ok_known ||
		     verdict.store.queue_known);
	assert_null(verdict.store.driver);
}

static void websocket_is(enum verdict_status status)
{
	assert_string_equal(verdict_status_name(verdict.status),
			    verdict_status_name(status));
	assert_int_equal(verdict.websocket_ok, status != STATUS_error);
}

/* ---- up ------------------------------------------------------------------------ */

static void a_store_that_is_up_is_ok(void **state)
{
	judged(STORE_STATUS_ok, true);
	websocket_is(STATUS_ok);
	assert_true(verdict.store.up && verdict.store.told);
	assert_string_equal(verdict.store.driver, "sqlite");
	assert_true(verdict.store.latency_known && verdict.store.last_ok_known &&
		    verdict.store.queue_known);
	assert_int_equal(verdict.store.latency_us, 420);
	assert_int_equal(verdict.store.last_ok_ms, 1787724298000);
	assert_int_equal(verdict.store.queue, 3);
	counters[COUNTER_store_driver] = 2;
	judged(STORE_STATUS_ok, true);
	assert_string_equal(verdict.store.driver, "postgresql");
}

static void the_past_of_a_store_that_is_up_is_forgotten(void **state)
{
	past.store_away_ns = 60000 * MS_NS;
	judged(STORE_STATUS_ok, true);
}

static void a_slow_store_is_degraded_and_reachable_however_long(void **state)
{
	counters[COUNTER_store_latency_us] = 500000;
	judged(STORE_STATUS_ok, true);
	counters[COUNTER_store_latency_us] = 1200000;
	judged(STORE_STATUS_degraded, true);
	reason_is("the store is slow: 1.2 s");
	websocket_is(STATUS_degraded);
	assert_string_equal(verdict.reasons[0], "the store is slow: 1.2 s");
	assert_true(verdict.ready_now);
	limits.store_slow_ms = 5000;
	judged(STORE_STATUS_ok, true);
}

static void a_worker_that_cannot_read_from_it_is_told(void **state)
{
	limits.ready_needs_store = true;
	seen.slots[1].counters[COUNTER_store_state] = 2;
	judged(STORE_STATUS_degraded, true);
	reason_is("worker 1 cannot read from the store");
	websocket_is(STATUS_degraded);
	assert_true(verdict.store.up && verdict.ready_now);
	seen.slots[0].counters[COUNTER_store_state] = 2;
	judged(STORE_STATUS_degraded, true);
	reason_is("workers that cannot read from the store: 2");
	/* One that has not said yet, or says nothing any more. */
	seen.slots[0].counters[COUNTER_store_state] = 0;
	fake_hang(&seen, 1, HANG_loop, 5000);
	judged(STORE_STATUS_ok, true);
}

/* ---- down ---------------------------------------------------------------------- */

static void database_down_is_degraded_for_the_grace_then_an_error(void **state)
{
	counters[COUNTER_store_state] = 2;
	past.store_away_ns = 0;
	judged(STORE_STATUS_degraded, true);
	reason_is("the store cannot be reached");
	past.store_away_ns = 2000 * MS_NS - 1;
	judged(STORE_STATUS_degraded, true);
	past.store_away_ns = 2000 * MS_NS;
	judged(STORE_STATUS_error, false);
	reason_is("the store cannot be reached (for 2.0 s)");
	assert_true(verdict.store.last_ok_known && verdict.store.queue_known);
	assert_false(verdict.store.up);
}

static void database_down_degrades_the_websocket_and_no_more(void **state)
{
	counters[COUNTER_store_state] = 2;
	judged(STORE_STATUS_degraded, true);
	websocket_is(STATUS_degraded);
	past.store_away_ns = 3600000 * MS_NS;
	judged(STORE_STATUS_error, false);
	websocket_is(STATUS_degraded);
	assert_int_equal(verdict.n_reasons, 1);
	assert_string_equal(verdict.reasons[0], verdict.store.reason);
	assert_true(verdict.live && verdict.ready_now && verdict.startup);
}

static void without_a_grace_it_is_told_at_once(void **state)
{
	limits.store_grace_ms = 0;
	judged(STORE_STATUS_ok, true);
	counters[COUNTER_store_state] = 2;
	judged(STORE_STATUS_error, false);
	reason_is("the store cannot be reached");
}

static void a_store_not_yet_reached_is_unknown_for_the_grace(void **state)
{
	counters[COUNTER_store_state] = 0;
	judged(STORE_STATUS_unknown, true);
	reason_is("the store was not reached yet");
	websocket_is(STATUS_ok);
	past.store_away_ns = 2500 * MS_NS;
	judged(STORE_STATUS_error, false);
	reason_is("the store was not reached yet (for 2.5 s)");
	websocket_is(STATUS_degraded);
}

/* ---- nobody says --------------------------------------------------------------- */

static void a_sequencer_that_is_gone_leaves_the_store_unknown(void **state)
{
	fake_empty(&seen, FAKE_SEQUENCER_SEAT, SEAT_backoff, EXIT_killed);
	past.store_away_ns = 300 * MS_NS;
	judged(STORE_STATUS_unknown, true);
	reason_is("no sequencer lives: nobody reaches the store (for 0.3 s)");
	knows_nothing();
	past.store_away_ns = 2000 * MS_NS;
	judged(STORE_STATUS_error, false);
	knows_nothing();
	/* Told once, by the seat. */
	assert_int_equal(verdict.n_reasons, 1);
	assert_non_null(strstr(verdict.reasons[0], "sequencer restarts"));
}

static void a_dead_sequencers_last_words_are_not_believed(void **state)
{
	seen.slots[FAKE_SEQUENCER_SLOT].alive = false;
	judged(STORE_STATUS_unknown, true);
	knows_nothing();
	assert_false(judge_store_up(&seen, &limits));
}

static void a_sequencer_that_starts_has_not_said_anything(void **state)
{
	seen.slots[FAKE_SEQUENCER_SLOT].state = CHILD_starting;
	judged(STORE_STATUS_unknown, true);
	assert_non_null(strstr(verdict.store.reason, "the sequencer starts"));
	knows_nothing();
}

static void a_sequencer_that_is_aborted_says_nothing(void **state)
{
	seen.slots[FAKE_SEQUENCER_SLOT].state = CHILD_aborting;
	judged(STORE_STATUS_unknown, true);
	knows_nothing();
}

static void a_hung_sequencers_last_words_are_not_believed(void **state)
{
	fake_hang(&seen, FAKE_SEQUENCER_SLOT, HANG_blocked, 1500);
	seen.slots[FAKE_SEQUENCER_SLOT].phase = PHASE_sequencing;
	judged(STORE_STATUS_unknown, true);
	reason_is("sequencer hung (blocked) 1.5 s in sequencing");
	knows_nothing();
	assert_false(judge_store_up(&seen, &limits));
	past.store_away_ns = 2000 * MS_NS;
	judged(STORE_STATUS_error, false);
}

static void a_sequencer_that_drains_still_speaks(void **state)
{
	seen.state = GATEWAY_draining;
	seen.slots[FAKE_SEQUENCER_SLOT].state = CHILD_stopping;
	judged(STORE_STATUS_ok, true);
	assert_true(judge_store_up(&seen, &limits));
}

static void no_gateway_is_an_error_at_once(void **state)
{
	fake_death(&seen);
	judged(STORE_STATUS_error, false);
	reason_is("the gateway is gone");
	knows_nothing();
	fake_failed(&seen, LOOK_missing, "no gateway runs under this name");
	past = (struct judge_history){ .counts = true };
	judged(STORE_STATUS_error, false);
	reason_is("no gateway runs under this name");
	assert_true(verdict.live);
}

static void workers_that_outlive_their_supervisor_do_not_speak_for_the_store(void **state)
{
	seen.supervisor_alive = false;
	judged(STORE_STATUS_error, false);
	assert_false(judge_store_up(&seen, &limits));
}

static void an_unreadable_segment_leaves_it_unknown_for_the_grace(void **state)
{
	fake_failed(&seen, LOOK_corrupt, "corrupt");
	seen.supervisor_known = seen.supervisor_alive = true;
	judged(STORE_STATUS_unknown, true);
	reason_is("corrupt");
	knows_nothing();
	assert_false(judge_store_up(&seen, &limits));
	past.store_away_ns = 2000 * MS_NS;
	judged(STORE_STATUS_error, false);
	reason_is("corrupt (for 2.0 s)");
}

static void a_gateway_that_keeps_no_store_is_unknown_for_ever(void **state)
{
	past.store_away_ns = 3600000 * MS_NS;
	seen.has[COUNTER_store_state] = false;
	judged(STORE_STATUS_unknown, true);
	reason_is("this gateway tells of no store");
	websocket_is(STATUS_ok);
	seen.has[COUNTER_store_state] = true;
	counters[COUNTER_store_driver] = 0;
	judged(STORE_STATUS_unknown, true);
}

/* ---- hostile numbers ----------------------------------------------------------- */

static void numbers_that_cannot_be_true_are_not_known(void **state)
{
	counters[COUNTER_store_driver] = 3;
	counters[COUNTER_store_latency_us] = UINT64_MAX;
	counters[COUNTER_store_last_ok_ms] = UINT64_MAX;
	counters[COUNTER_store_queue] = UINT64_MAX;
	judged(STORE_STATUS_ok, true);
	assert_false(verdict.store.latency_known || verdict.store.last_ok_known ||
		     verdict.store.queue_known);
	assert_null(verdict.store.driver);
	counters[COUNTER_store_state] = 3;
	judged(STORE_STATUS_unknown, true);
	assert_false(judge_store_up(&seen, &limits));
}

static void what_was_never_measured_is_not_zero(void **state)
{
	counters[COUNTER_store_latency_us] = 0;
	counters[COUNTER_store_last_ok_ms] = 0;
	counters[COUNTER_store_queue] = 0;
	judged(STORE_STATUS_ok, true);
	assert_false(verdict.store.latency_known || verdict.store.last_ok_known);
	assert_true(verdict.store.queue_known);
	for (unsigned id = COUNTER_store_latency_us; id <= COUNTER_store_queue; id++)
		seen.has[id] = false;
	judged(STORE_STATUS_ok, true);
	assert_false(verdict.store.queue_known);
}

/* ---- readiness ----------------------------------------------------------------- */

static void ready_follows_the_store_only_if_it_is_set_so(void **state)
{
	counters[COUNTER_store_state] = 2;
	past.store_away_ns = 2000 * MS_NS;
	judged(STORE_STATUS_error, false);
	assert_true(verdict.ready_now && verdict.ready);
	limits.ready_needs_store = true;
	past.bad_looks = JUDGE_BAD_LOOKS - 2;
	judged(STORE_STATUS_error, false);
	assert_false(verdict.ready_now);
	assert_true(verdict.ready);
	past.bad_looks++;
	judged(STORE_STATUS_error, false);
	assert_false(verdict.ready);
	assert_string_equal(verdict.ready_reason, verdict.store.reason);
	assert_true(verdict.live);
}

static void ready_holds_for_the_grace_and_does_not_rise_in_it(void **state)
{
	limits.ready_needs_store = true;
	counters[COUNTER_store_state] = 2;
	judged(STORE_STATUS_degraded, true);
	assert_true(verdict.ready_now);
	past.was_ready = false;
	judged(STORE_STATUS_degraded, true);
	assert_false(verdict.ready_now || verdict.ready);
	counters[COUNTER_store_state] = 1;
	judged(STORE_STATUS_ok, true);
	assert_true(verdict.ready_now && verdict.ready);
}

static void a_slow_store_is_ready(void **state)
{
	limits.ready_needs_store = true;
	counters[COUNTER_store_latency_us] = 9000000;
	judged(STORE_STATUS_degraded, true);
	assert_true(verdict.ready_now);
}

/* ---- together ------------------------------------------------------------------ */

static void the_worst_of_both_is_told(void **state)
{
	static const enum verdict_status rows[][STORE_STATUS_COUNT] = {
		/* ok, degraded, error, unknown store */
		[STATUS_ok] = { STATUS_ok, STATUS_degraded, STATUS_error, STATUS_ok },
		[STATUS_degraded] = { STATUS_degraded, STATUS_degraded, STATUS_error,
				      STATUS_degraded },
		[STATUS_error] = { STATUS_error, STATUS_error, STATUS_error,
				   STATUS_error },
	};

	for (unsigned ws = 0; ws < STATUS_COUNT; ws++)
		for (unsigned db = 0; db < STORE_STATUS_COUNT; db++) {
			const struct verdict both = { .status = ws,
						      .store = { .status = db } };

			assert_int_equal(verdict_worst(&both), rows[ws][db]);
		}
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_store_that_is_up_is_ok),
		T(the_past_of_a_store_that_is_up_is_forgotten),
		T(a_slow_store_is_degraded_and_reachable_however_long),
		T(a_worker_that_cannot_read_from_it_is_told),
		T(database_down_is_degraded_for_the_grace_then_an_error),
		T(database_down_degrades_the_websocket_and_no_more),
		T(without_a_grace_it_is_told_at_once),
		T(a_store_not_yet_reached_is_unknown_for_the_grace),
		T(a_sequencer_that_is_gone_leaves_the_store_unknown),
		T(a_dead_sequencers_last_words_are_not_believed),
		T(a_sequencer_that_starts_has_not_said_anything),
		T(a_sequencer_that_is_aborted_says_nothing),
		T(a_hung_sequencers_last_words_are_not_believed),
		T(a_sequencer_that_drains_still_speaks),
		T(no_gateway_is_an_error_at_once),
		T(workers_that_outlive_their_supervisor_do_not_speak_for_the_store),
		T(an_unreadable_segment_leaves_it_unknown_for_the_grace),
		T(a_gateway_that_keeps_no_store_is_unknown_for_ever),
		T(numbers_that_cannot_be_true_are_not_known),
		T(what_was_never_measured_is_not_zero),
		T(ready_follows_the_store_only_if_it_is_set_so),
		T(ready_holds_for_the_grace_and_does_not_rise_in_it),
		T(a_slow_store_is_ready),
		T(the_worst_of_both_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
