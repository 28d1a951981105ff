/* A client and a user may say so much; beyond it they are told when to come again. */
#include "tests/unit/fake_links.h"

#include "gateway/chat/rate.h"

static void start_in_room(unsigned n)
{
	chat_start(n);
	for (unsigned i = 0; i < n; i++) {
		join(&links[i], "a");
		links[i].got_len = links[i].n_events = 0;
	}
}

/* Sends until one is refused, at most 20; how many were taken. */
static unsigned send_all(struct link *link)
{
	unsigned before = n_submits;

	n_submits = before;
	for (unsigned i = 0; i < 20; i++)
		send_id(link, "a", "x");
	return n_submits - before;
}

static void a_bucket_gives_a_burst_and_then_its_rate(void **state)
{
	struct bucket bucket = { 0 };
	uint64_t now_us = 5000000, n = 0;

	for (unsigned i = 0; i < 100; i++)
		n += bucket_take(&bucket, now_us, 1, 10, 2000) == 0;
	assert_int_equal(n, 20);
	assert_int_equal(bucket_take(&bucket, now_us, 1, 10, 2000), 100);
	assert_int_equal(bucket_take(&bucket, now_us + 99000, 1, 10, 2000), 1);
	for (unsigned i = 0; i < 1000; i++) /* ten seconds of trying */
		n += bucket_take(&bucket, now_us += 10000, 1, 10, 2000) == 0;
	assert_int_equal(n, 120);
	assert_int_equal(bucket_take(&bucket, now_us + 60000000, 20, 10, 2000), 0);
}

static void something_larger_than_the_burst_is_taken_when_nothing_else_was(void **state)
{
	struct bucket bucket = { 0 };

	assert_int_equal(bucket_take(&bucket, 1000, 500, 10, 2000), 0);
	assert_int_equal(bucket_take(&bucket, 1000, 1, 10, 2000), 48100);
	assert_int_equal(bucket_take(&bucket, 1000, 500, 10, 2000), 50000);
	assert_int_equal(bucket_take(&bucket, 50001000, 500, 10, 2000), 0);
}

static void no_rate_is_no_limit(void **state)
{
	struct bucket bucket = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(bucket_take(&bucket, 1, UINT32_MAX, 0, 2000), 0);
}

static void a_link_that_sends_too_much_is_told_when_to_go_on(void **state)
{
	limits.rate_messages = 2;
	limits.rate_burst_ms = 2000;
	limits.sends_pending = 100;
	start_in_room(1);
	assert_int_equal(send_all(&links[0]), 4);
	assert_int_equal(links[0].n_events, 16);
	assert_int_equal(counter_get(&slot, COUNTER_rate_limited), 16);
	assert_non_null(strstr(links[0].got, "\"ref\":9,\"code\":\"rate_limited\","
					     "\"retry_after_ms\":500,"));
	now_ms += 500;
	chat_tick(chat, now_ms); /* not full: not forgotten */
	assert_int_equal(send_all(&links[0]), 1);
	now_ms += 2000;
	chat_tick(chat, now_ms); /* full: forgotten */
	assert_int_equal(send_all(&links[0]), 4);
	assert_int_equal(links[0].closed, 0);
}

static void bytes_count_too(void **state)
{
	char json[1200];

	limits.rate_bytes = 1000;
	limits.rate_burst_ms = 2000;
	start_in_room(1);
	snprintf(json, sizeof json,
		 "{\"op\":\"send\",\"room\":\"a\",\"id\":\"x\",\"body\":\"%0998d\"}", 1);
	for (unsigned i = 0; i < 5; i++)
		ask(&links[0], json);
	assert_int_equal(n_submits, 2);
}

static void a_user_does_not_get_more_by_more_links(void **state)
{
	limits.rate_messages = 4;
	limits.rate_user_messages = 6;
	limits.rate_burst_ms = 1000;
	limits.sends_pending = 100;
	chat_start(0);
	for (unsigned i = 0; i < 4; i++) {
		links[i].session = chat_opened(chat, &links[i], "s",
					       i < 3 ? "ann" : "bob", NULL);
		join(&links[i], "a");
	}
	assert_int_equal(send_all(&links[0]), 4);
	assert_int_equal(send_all(&links[1]), 2);
	assert_int_equal(send_all(&links[2]), 0);
	assert_int_equal(send_all(&links[3]), 4); /* another user */
	hang_up(&links[0]);
	hang_up(&links[1]);
	chat_tick(chat, now_ms); /* a new link makes no new user */
	assert_int_equal(send_all(&links[2]), 0);
	now_ms += 1000;
	chat_tick(chat, now_ms); /* all buckets are full: forgotten */
	assert_int_equal(send_all(&links[2]), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_gives_a_burst_and_then_its_rate),
		cmocka_unit_test(
			something_larger_than_the_burst_is_taken_when_nothing_else_was),
		cmocka_unit_test(no_rate_is_no_limit),
		TEST(a_link_that_sends_too_much_is_told_when_to_go_on),
		TEST(bytes_count_too),
		TEST(a_user_does_not_get_more_by_more_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
