/* What canary and audit find: its weight in the verdict, and how it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "healthd/metrics.h"
#include "healthd/report.h"
#include "tests/unit/fake_snapshot.h"

static struct snapshot seen;
static struct judge_history past;
static struct verdict verdict;
static struct canary_found canary;
static struct audit_found audit;
static const struct findings findings = { &canary, &audit };
static char text[METRICS_SIZE];

static int set_up(void **state)
{
	fake_gateway(&seen);
	past = fake_past;
	past.findings = &findings;
	memset(&canary, 0, sizeof canary);
	memset(&audit, 0, sizeof audit);
	canary.state = CANARY_ok;
	audit.state = AUDIT_ok;
	return 0;
}

static void judged(enum verdict_status status)
{
	judge(&seen, &past, &fake_limits, &verdict);
	assert_int_equal(verdict.status, status);
	assert_true(verdict.websocket_ok && verdict.live && verdict.ready &&
		    verdict.startup);
}

static void canary_is(enum canary_state state, const char *reason)
{
	canary.state = state;
	snprintf(canary.reason, sizeof canary.reason, "%s", reason);
}

static void audit_is(enum audit_state state, const char *reason)
{
	audit.state = state;
	snprintf(audit.reason, sizeof audit.reason, "%s", reason);
}

/* ---- the verdict ---------------------------------------------------------------- */

static void nobody_looking_changes_nothing(void **state)
{
	past.findings = NULL;
	judged(STATUS_ok);
}

static void a_canary_that_passes_is_off_or_unknown_changes_nothing(void **state)
{
	judged(STATUS_ok);
	canary_is(CANARY_off, "no token");
	judged(STATUS_ok);
	canary_is(CANARY_unknown, "not tried yet");
	judged(STATUS_ok);
}

static void a_canary_that_fails_is_degraded_and_no_more(void **state)
{
	canary_is(CANARY_degraded, "failed at delivered 2 times in a row: worker 1, x");
	judged(STATUS_degraded);
	assert_string_equal(
		verdict.reasons[0],
		"the canary failed at delivered 2 times in a row: worker 1, x");
	assert_int_equal(verdict_worst(&verdict), STATUS_degraded);
}

static void an_audit_that_is_unknown_or_off_changes_nothing(void **state)
{
	audit_is(AUDIT_unknown, "another network namespace");
	judged(STATUS_ok);
	audit_is(AUDIT_off, "PARLEY_AUDIT_INTERVAL_MS is 0");
	judged(STATUS_ok);
}

static void a_drift_is_degraded_and_no_more(void **state)
{
	audit_is(AUDIT_degraded, "worker 0: the kernel has 4 connections fewer");
	judged(STATUS_degraded);
	assert_string_equal(verdict.reasons[0],
			    "worker 0: the kernel has 4 connections fewer");
}

static void what_is_found_of_a_dead_gateway_is_no_reason(void **state)
{
	canary_is(CANARY_degraded, "failed");
	fake_death(&seen);
	judge(&seen, &past, &fake_limits, &verdict);
	assert_int_equal(verdict.status, STATUS_error);
	assert_int_equal(verdict.n_reasons, 1);
}

/* ---- how it is told ------------------------------------------------------------- */

static struct view view_now(void)
{
	judge(&seen, &past, &fake_limits, &verdict);
	return (struct view){ .snapshot = &seen,
			      .verdict = &verdict,
			      .limits = &fake_limits,
			      .wall_ms = 1787724299000,
			      .findings = &findings };
}

static void reported(bool verbose, const char *name, const char *expected)
{
	struct view view = view_now();
	json_t *report = report_health(&view, verbose);
	char *said = json_dumps(
		json_object_get(json_object_get(report, "components"), name),
		REPORT_FORMAT);

	assert_non_null(said);
	assert_string_equal(said, expected);
	free(said);
	json_decref(report);
}

static void passed_once(void)
{
	canary.now_ns = 5000 * MS_NS;
	canary.seats[1] = (struct canary_seat){ .generation = 7,
						.passed = true,
						.ok_ns = 2000 * MS_NS,
						.sent_us = 1500,
						.delivered_us = 2500 };
	canary.last = canary.seats[1];
	canary.n_passed = 1;
	canary.buckets[6] = 1;
	canary.sum_us = 2500;
}

static void health_has_the_canary(void **state)
{
	canary_is(CANARY_unknown, "not tried yet");
	reported(false, "canary",
		 "{\"status\":\"unknown\",\"reason\":\"not tried yet\",\"failures\":0,"
		 "\"ageS\":null,\"sentMs\":null,\"deliveredMs\":null}");
	passed_once();
	canary_is(CANARY_ok, "");
	reported(true, "canary",
		 "{\"status\":\"ok\",\"failures\":0,\"ageS\":3.0,\"sentMs\":1.5,"
		 "\"deliveredMs\":2.5,\"workers\":[{\"seat\":1,\"reached\":true,"
		 "\"failures\":0,\"failedAt\":null,\"ageS\":3.0,\"sentMs\":1.5,"
		 "\"deliveredMs\":2.5}]}");
}

static void drifted(void)
{
	audit.known = audit.per_worker = true;
	audit.source = "sock_diag";
	audit.drift = -4;
	audit.sockets = 5;
	audit.seats[1].known = true;
	audit.seats[1].drift = -4;
	audit.seats[1].sockets = 5;
	audit.n_looks = 3;
}

static void health_has_the_audit(void **state)
{
	audit_is(AUDIT_unknown, "not looked at yet");
	reported(
		false, "audit",
		"{\"status\":\"unknown\",\"reason\":\"not looked at yet\",\"drift\":null,"
		"\"sockets\":null,\"source\":null,\"perWorker\":false}");
	drifted();
	audit_is(AUDIT_degraded, "worker 1");
	reported(true, "audit",
		 "{\"status\":\"degraded\",\"reason\":\"worker 1\",\"drift\":-4,"
		 "\"sockets\":5,\"source\":\"sock_diag\",\"perWorker\":true,"
		 "\"workers\":[{\"seat\":1,\"drift\":-4,\"sockets\":5}]}");
}

static void has_line(const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return;
	fail_msg("no line: %s", line);
}

static void written(void)
{
	struct view view = view_now();

	assert_true(metrics_write(&view, METRICS_TEXT, text, sizeof text) > 0);
}

static void metrics_have_both(void **state)
{
	passed_once();
	drifted();
	canary.n_failed[CANARY_AT_delivered] = 2;
	written();
	has_line("parley_canary_state{state=\"ok\"} 1");
	has_line("parley_canary_passed_total 1");
	has_line("parley_canary_failed_total{stage=\"delivered\"} 2");
	has_line("parley_canary_round_trip_seconds_bucket{le=\"0.002048\"} 0");
	has_line("parley_canary_round_trip_seconds_bucket{le=\"0.004096\"} 1");
	has_line("parley_canary_round_trip_seconds_bucket{le=\"+Inf\"} 1");
	has_line("parley_canary_round_trip_seconds_sum 0.002500");
	has_line("parley_canary_round_trip_seconds_count 1");
	has_line("parley_canary_worker_round_trip_seconds{worker=\"1\"} 0.002500");
	has_line("parley_canary_worker_failures{worker=\"1\"} 0");
	has_line("parley_audit_state{state=\"ok\"} 1");
	has_line("parley_audit_drift -4");
	has_line("parley_audit_worker_drift{worker=\"1\"} -4");
	has_line("parley_audit_sockets 5");
	has_line("parley_audit_looks_total 3");
}

static void what_is_not_known_is_no_metric(void **state)
{
	audit.state = AUDIT_unknown;
	written();
	has_line("parley_audit_state{state=\"unknown\"} 1");
	assert_null(strstr(text, "parley_audit_drift"));
	assert_null(strstr(text, "parley_canary_worker_round_trip_seconds{"));
}

static void without_findings_there_are_none(void **state)
{
	struct view view = view_now();

	view.findings = NULL;
	assert_true(metrics_write(&view, METRICS_TEXT, text, sizeof text) > 0);
	assert_null(strstr(text, "parley_canary_state"));
	assert_null(strstr(text, "parley_audit"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		T(nobody_looking_changes_nothing),
		T(a_canary_that_passes_is_off_or_unknown_changes_nothing),
		T(a_canary_that_fails_is_degraded_and_no_more),
		T(an_audit_that_is_unknown_or_off_changes_nothing),
		T(a_drift_is_degraded_and_no_more),
		T(what_is_found_of_a_dead_gateway_is_no_reason),
		T(health_has_the_canary),
		T(health_has_the_audit),
		T(metrics_have_both),
		T(what_is_not_known_is_no_metric),
		T(without_findings_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
