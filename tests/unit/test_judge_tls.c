/* A certificate is looked after by a person while there is time, or at least afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "healthd/judge.h"
#include "tests/unit/fake_snapshot.h"

enum {
	DAY_S = 86400,
	NOW_S = 1800000000
};

static struct snapshot seen;
static struct verdict verdict;

static int set_up(void **state)
{
	fake_gateway(&seen);
	seen.has[COUNTER_tls_ends_s] = true;
	return 0;
}

static void judge_with(int64_t first_s, int64_t second_s, uint64_t warn_days)
{
	struct judge_limits limits = fake_limits;
	struct judge_history past = fake_past;

	limits.tls_warn_days = warn_days;
	past.wall_ms = NOW_S * 1000LL;
	seen.slots[0].counters[COUNTER_tls_ends_s] = (uint64_t)first_s;
	seen.slots[1].counters[COUNTER_tls_ends_s] = (uint64_t)second_s;
	judge(&seen, &past, &limits, &verdict);
}

static void degraded_with(const char *reason)
{
	assert_int_equal(verdict.status, STATUS_degraded);
	assert_int_equal(verdict.n_reasons, 1);
	assert_string_equal(verdict.reasons[0], reason);
	assert_true(verdict.websocket_ok && verdict.live && verdict.ready);
}

static void without_tls_nothing_is_said(void **state)
{
	judge_with(0, 0, 14);
	assert_int_equal(verdict.status, STATUS_ok);
	assert_int_equal(judge_gauge(&seen, -1, COUNTER_tls_ends_s), 0);
}

static void a_certificate_is_degraded_from_14_days_ahead(void **state)
{
	judge_with(NOW_S + 14 * DAY_S, NOW_S + 14 * DAY_S, 14);
	assert_int_equal(verdict.status, STATUS_ok);
	judge_with(NOW_S + 14 * DAY_S - 1, NOW_S + 90 * DAY_S, 14);
	degraded_with("the TLS certificate expires in 14.0 days");
	judge_with(NOW_S + 14 * DAY_S - 1, NOW_S + 90 * DAY_S, 7);
	assert_int_equal(verdict.status, STATUS_ok);
}

static void the_first_to_end_counts_and_not_the_sum(void **state)
{
	judge_with(NOW_S + 90 * DAY_S, NOW_S + 3 * DAY_S, 14);
	degraded_with("the TLS certificate expires in 3.0 days");
	judge_with(NOW_S + 3 * DAY_S, 0, 14);
	degraded_with("the TLS certificate expires in 3.0 days");
	assert_int_equal(judge_gauge(&seen, 0, COUNTER_tls_ends_s), NOW_S + 3 * DAY_S);
}

static void an_expired_certificate_is_said_to_be(void **state)
{
	judge_with(NOW_S - DAY_S / 2, NOW_S - DAY_S / 2, 14);
	degraded_with("the TLS certificate has expired, 0.5 days ago");
	judge_with(NOW_S - DAY_S / 2, NOW_S - DAY_S / 2, 0);
	degraded_with("the TLS certificate has expired, 0.5 days ago");
}

static void a_scribbled_time_is_no_reason(void **state)
{
	judge_with(-1, -1, 14);
	assert_int_equal(verdict.status, STATUS_ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_tls_nothing_is_said, set_up),
		cmocka_unit_test_setup(a_certificate_is_degraded_from_14_days_ahead,
				       set_up),
		cmocka_unit_test_setup(the_first_to_end_counts_and_not_the_sum, set_up),
		cmocka_unit_test_setup(an_expired_certificate_is_said_to_be, set_up),
		cmocka_unit_test_setup(a_scribbled_time_is_no_reason, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
