/* The canary against gateways that are well, deaf, hostile, closed and not there. */
#include "tests/unit/canary_bench.h"

static void each_worker_is_reached_and_timed(void **state)
{
	start();
	assert_int_equal(found->state, CANARY_unknown);
	AWAIT(found->seats[0].passed && found->seats[1].passed);
	assert_int_equal(found->state, CANARY_ok);
	assert_string_equal(found->reason, "");
	assert_int_equal(found->n_passed, 2);
	assert_true(found->seats[1].delivered_us > 0);
	assert_true(found->sum_us >= found->seats[0].delivered_us);
	AWAIT(found->n_passed >= 4); /* again, after the interval */
}

static void a_deaf_gateway_is_told_with_the_stage_and_recovers(void **state)
{
	uint64_t since;

	limits.timeout_ms = 50;
	fake.deaf = 3;
	start();
	since = clock_mono_ns();
	AWAIT(found->state == CANARY_degraded);
	assert_true(clock_mono_ns() - since < 2 * INTERVAL_MS * MS_NS ||
		    getenv("TOLERANCE"));
	says("failed at sent 2 times in a row: worker ");
	says("nothing for 0.1 s");
	fake.deaf = 0;
	fake.stops_at_sent = true;
	AWAIT(found->n_failed[CANARY_AT_delivered] > 0);
	says("failed at delivered");
	fake.stops_at_sent = false;
	AWAIT(found->state == CANARY_ok);
	assert_int_equal(found->failures, 0);
}

static void one_deaf_worker_among_others_is_told(void **state)
{
	fake.deaf = 2;
	start();
	AWAIT(found->state == CANARY_degraded);
	says("worker 1");
	assert_true(found->seats[0].passed && found->seats[0].failures == 0);
	assert_int_equal(found->seats[1].failures, 2);
}

static void one_failure_is_not_told(void **state)
{
	limits.failures = 3;
	fake.deaf = 3;
	start();
	AWAIT(found->failures == 2);
	assert_int_equal(found->state, CANARY_unknown);
	fake.deaf = 0;
	AWAIT(found->state == CANARY_ok);
}

static void what_was_found_goes_with_the_process(void **state)
{
	fake.deaf = 2;
	start();
	AWAIT(found->state == CANARY_degraded);
	fake.deaf = 0;
	seen.slots[1].generation = 77;
	turn();
	assert_int_equal(found->seats[1].failures, 0);
	assert_int_not_equal(found->state, CANARY_degraded);
	AWAIT(found->seats[1].passed);
}

static void an_error_is_told_by_its_code(void **state)
{
	fake.errors = true;
	start();
	AWAIT(found->state == CANARY_degraded);
	says("answered unavailable");
}

static void without_a_token_it_is_off_until_the_settings_are_read_again(void **state)
{
	unsigned n;

	fake.answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
	start();
	AWAIT(found->state == CANARY_off);
	says("no token");
	n = fake.n_accepted;
	for (unsigned i = 0; i < 100; i++)
		turn();
	assert_int_equal(fake.n_accepted, n);
	fake.answer = NULL;
	seen.reloads++;
	AWAIT(found->state == CANARY_ok);
}

static void write_token(const char *text)
{
	FILE *file = fopen(token_path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void a_token_is_read_each_time_anew(void **state)
{
	snprintf(token_path, sizeof token_path, "/tmp/parley-unit-token-%d", getpid());
	write_token("one.two.three\n");
	limits.token_file = token_path;
	fake.answer = "HTTP/1.1 401 Unauthorized\r\n\r\n";
	start();
	AWAIT(found->state == CANARY_degraded);
	says("failed at handshake");
	says("refused with 401");
	unlink(token_path);
	AWAIT(found->state == CANARY_unknown);
	says("the token cannot be read");
	write_token("four.five.six");
	fake.answer = NULL;
	AWAIT(found->state == CANARY_ok);
}

static void hostile_answers_are_failures_and_bounded(void **state)
{
	fake.answer = "SSH-2.0-OpenSSH\r\n\r\n";
	start();
	AWAIT(found->state == CANARY_degraded);
	says("failed at handshake");
	says("no HTTP");
	fake.answer = "x";
	fake.floods = true;
	AWAIT(found->state == CANARY_degraded);
	says("failed at handshake");
}

/* Plain HTTP first, then TLS, and so on: nobody can be sure that it will stay. */
static void who_hangs_up_without_a_word_is_tried_with_tls(void **state)
{
	fake.answer = "\x15\x03\x01\x00\x02\x02\x46"; /* an alert: unexpected */
	start();
	AWAIT(found->state == CANARY_degraded);
	says("failed at handshake");
	fake.answer = NULL;
	AWAIT(found->state == CANARY_ok);
}

static void who_never_answered_may_be_elsewhere_who_stops_is_told(void **state)
{
	close(fake.listener);
	fake.listener = -1;
	start();
	AWAIT(strstr(found->reason, "PARLEY_CANARY_CONNECT"));
	assert_int_equal(found->state, CANARY_unknown);
	canary_close(canary);
	uv_run(&loop, UV_RUN_DEFAULT);
	canary_free(canary);
	fake_open();
	seen.port = fake.port;
	start();
	AWAIT(found->state == CANARY_ok);
	close(fake.listener);
	fake.listener = -1;
	AWAIT(found->state == CANARY_degraded);
	says("failed at connect");
}

static void while_no_gateway_runs_nothing_is_tried(void **state)
{
	start();
	seen.state = GATEWAY_draining;
	turn();
	assert_int_equal(found->state, CANARY_unknown);
	says("not running");
	seen.state = GATEWAY_running;
	seen.has[COUNTER_links_canary] = false;
	turn();
	says("knows no canary");
	fake_death(&seen);
	turn();
	says("no gateway");
	assert_int_equal(fake.n_accepted, 0);
	fake_gateway(&seen);
	seen.port = fake.port;
	AWAIT(found->state == CANARY_ok);
	fake_death(&seen);
	turn();
	assert_int_equal(found->state, CANARY_unknown);
	assert_false(found->seats[0].passed || found->last.passed);
}

static void it_can_be_switched_off(void **state)
{
	limits.interval_ms = 0;
	start();
	for (unsigned i = 0; i < 20; i++)
		turn();
	assert_int_equal(found->state, CANARY_off);
	assert_int_equal(fake.n_accepted, 0);
	canary_free(canary);
	limits.interval_ms = INTERVAL_MS;
	limits.connect = "nowhere";
	assert_int_equal(canary_new(&loop, &limits, &canary, NULL), -EINVAL);
	canary = NULL;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_worker_is_reached_and_timed),
		TEST(a_deaf_gateway_is_told_with_the_stage_and_recovers),
		TEST(one_deaf_worker_among_others_is_told),
		TEST(one_failure_is_not_told),
		TEST(what_was_found_goes_with_the_process),
		TEST(an_error_is_told_by_its_code),
		TEST(without_a_token_it_is_off_until_the_settings_are_read_again),
		TEST(a_token_is_read_each_time_anew),
		TEST(hostile_answers_are_failures_and_bounded),
		TEST(who_hangs_up_without_a_word_is_tried_with_tls),
		TEST(who_never_answered_may_be_elsewhere_who_stops_is_told),
		TEST(while_no_gateway_runs_nothing_is_tried),
		TEST(it_can_be_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
