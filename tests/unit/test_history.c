/* The last hour: rates are true, and what is unknown is a gap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "healthd/history.h"
#include "tests/unit/fake_snapshot.h"

enum {
	SAMPLE_MS = 10000,
	LOOK_MS = 50,
	LAST = HISTORY_SAMPLES - 1
};

static struct snapshot seen;
static struct verdict verdict;
static struct history *history;
static uint64_t now_ms;

static int set_up(void **state)
{
	fake_gateway(&seen);
	seen.slots[0].counters[COUNTER_deliveries] = 1000000;
	seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_store_commit_sends] = 5000;
	now_ms = 1000 * SAMPLE_MS; /* where a sample begins */
	history = history_new((uint64_t)HISTORY_SAMPLES * SAMPLE_MS);
	return history ? 0 : -1;
}

static int tear_down(void **state)
{
	history_free(history);
	return 0;
}

static void look(void)
{
	judge(&seen, &fake_past, &fake_limits, &verdict);
	history_look(history, &seen, &verdict, now_ms * MS_NS);
}

/* So many messages a second, each delivered ten times. The last look is the first of the
 * next sample. */
static void go_on(uint64_t ms, uint64_t per_second)
{
	for (uint64_t until = now_ms + ms; now_ms < until; now_ms += LOOK_MS) {
		look();
		seen.slots[0].counters[COUNTER_deliveries] += 10 * per_second * LOOK_MS /
							      1000;
		seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_store_commit_sends] +=
			per_second * LOOK_MS / 1000;
	}
	look();
}

static void assert_near(double value, double expected)
{
	if (isnan(value) || fabs(value - expected) > 0.02 * expected + 1e-9)
		fail_msg("%f is not %f", value, expected);
}

static void rates_are_growth_over_time(void **state)
{
	go_on(2 * SAMPLE_MS, 200);
	assert_near(history_at(history, HISTORY_connections, LAST), 8);
	assert_near(history_at(history, HISTORY_messages, LAST), 200);
	assert_near(history_at(history, HISTORY_deliveries, LAST - 1), 2000);
	assert_near(history_now(history, HISTORY_deliveries), 2000);
	assert_int_equal(history_status(history, LAST), STATUS_ok);
}

static void before_the_first_look_all_is_unknown(void **state)
{
	for (unsigned i = 0; i < HISTORY_SAMPLES; i++) {
		assert_true(isnan(history_at(history, HISTORY_connections, i)));
		assert_true(isnan(history_at(history, HISTORY_deliveries, i)));
		assert_int_equal(history_status(history, i), STATUS_COUNT);
	}
	assert_true(isnan(history_now(history, HISTORY_messages)));
	look(); /* one look tells a number of connections, and no rate */
	assert_near(history_now(history, HISTORY_connections), 8);
	assert_true(isnan(history_now(history, HISTORY_messages)));
}

static void what_a_dead_worker_counted_is_no_growth_and_no_loss(void **state)
{
	go_on(SAMPLE_MS / 2, 200);
	seen.retired[COUNTER_deliveries] += seen.slots[0].counters[COUNTER_deliveries];
	seen.slots[0].counters[COUNTER_deliveries] = 0;
	go_on(SAMPLE_MS / 2, 200);
	assert_near(history_at(history, HISTORY_deliveries, LAST), 2000);
}

static void another_life_begins_from_what_it_has(void **state)
{
	go_on(SAMPLE_MS / 2, 200);
	seen.instance[0]++;
	seen.slots[0].counters[COUNTER_deliveries] = 900000000;
	go_on(SAMPLE_MS / 2, 200);
	assert_near(history_at(history, HISTORY_deliveries, LAST), 2000);
}

static void a_total_that_goes_back_is_no_growth(void **state)
{
	go_on(SAMPLE_MS / 2, 200);
	seen.slots[0].counters[COUNTER_deliveries] = 7;
	go_on(SAMPLE_MS / 2, 200);
	assert_near(history_at(history, HISTORY_deliveries, LAST), 2000);
}

static void what_could_not_be_read_is_a_gap(void **state)
{
	go_on(SAMPLE_MS, 200);
	fake_failed(&seen, LOOK_corrupt, "the segment is corrupt");
	seen.supervisor_known = seen.supervisor_alive = true;
	go_on(2 * SAMPLE_MS, 0);
	assert_true(isnan(history_at(history, HISTORY_connections, LAST)));
	assert_true(isnan(history_at(history, HISTORY_messages, LAST)));
	assert_near(history_at(history, HISTORY_messages, LAST - 2), 200);
	fake_gateway(&seen);
	go_on(SAMPLE_MS, 100);
	assert_near(history_at(history, HISTORY_messages, LAST), 100);
	assert_true(isnan(history_at(history, HISTORY_messages, LAST - 1)));
}

static void of_a_gateway_that_is_gone_nothing_grows(void **state)
{
	go_on(SAMPLE_MS, 200);
	fake_failed(&seen, LOOK_missing, "there is no segment");
	go_on(2 * SAMPLE_MS, 0);
	assert_true(history_at(history, HISTORY_connections, LAST) == 0);
	assert_true(history_at(history, HISTORY_messages, LAST) == 0);
	assert_int_equal(history_status(history, LAST), STATUS_error);
}

static void a_sample_has_the_worst_that_was_seen(void **state)
{
	go_on(SAMPLE_MS / 2, 200);
	fake_hang(&seen, 0, HANG_loop, 2000);
	look();
	fake_hang(&seen, 0, HANG_none, 0);
	go_on(SAMPLE_MS / 2, 200);
	assert_int_equal(history_status(history, LAST), STATUS_degraded);
}

static void while_the_watcher_sleeps_nothing_is_known(void **state)
{
	go_on(SAMPLE_MS, 200);
	now_ms += 3 * SAMPLE_MS;
	seen.slots[0].counters[COUNTER_deliveries] += 123456789;
	go_on(SAMPLE_MS, 200);
	assert_near(history_at(history, HISTORY_deliveries, LAST), 2000);
	assert_near(history_at(history, HISTORY_deliveries, LAST - 4), 2000);
	for (unsigned i = 1; i <= 2; i++)
		assert_int_equal(history_status(history, LAST - i), STATUS_COUNT);
	assert_true(isnan(history_at(history, HISTORY_deliveries, LAST - 2)));
}

static void an_hour_is_kept_and_no_more(void **state)
{
	go_on(SAMPLE_MS, 200);
	go_on((HISTORY_SAMPLES - 1) * SAMPLE_MS, 0);
	assert_near(history_at(history, HISTORY_messages, 0), 200);
	assert_true(history_at(history, HISTORY_messages, 1) < 2);
	go_on(SAMPLE_MS, 0);
	assert_true(history_at(history, HISTORY_messages, 0) < 2);
	now_ms += 5ull * HISTORY_SAMPLES * SAMPLE_MS + 7;
	look();
	for (unsigned i = 0; i < HISTORY_SAMPLES; i++)
		assert_int_equal(history_status(history, i), STATUS_COUNT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rates_are_growth_over_time),
		T(before_the_first_look_all_is_unknown),
		T(what_a_dead_worker_counted_is_no_growth_and_no_loss),
		T(another_life_begins_from_what_it_has),
		T(a_total_that_goes_back_is_no_growth),
		T(what_could_not_be_read_is_a_gap),
		T(of_a_gateway_that_is_gone_nothing_grows),
		T(a_sample_has_the_worst_that_was_seen),
		T(while_the_watcher_sleeps_nothing_is_known),
		T(an_hour_is_kept_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
