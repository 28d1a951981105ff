/* How long sends take is observed: to the acknowledgement, and to each worker's members.
 */
#include "gateway/chat/latency.h"
#include "tests/unit/fake_links.h"

static uint64_t observed(enum histogram id)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += counter_get(&slot, (enum counter)(id + i));
	return n;
}

static uint64_t sum_us(enum histogram id)
{
	return counter_get(&slot, (enum counter)(id + HISTOGRAM_BUCKETS));
}

/* A message that some worker read then. */
static void read_at(const char *room, uint64_t seq, uint64_t read_us)
{
	struct message message = stored_message(room, seq);

	message.body = (struct text){ "1", 1 };
	message.read_us = read_us;
	store_has(room, seq);
	chat_sequenced(chat, &message, false, false, 0);
}

static void from_reading_a_send_to_handing_out_its_answer(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	mono_us = 5000000;
	send_id(&links[0], "a", "x");
	mono_us = 5000700;
	said("a", 1, "1", true, submits[0].ticket);
	assert_int_equal(observed(HISTOGRAM_send_to_ack), 0);
	mono_us = 5001000;
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_ack), 1);
	assert_int_equal(counter_get(&slot, COUNTER_send_to_ack_le_1024us), 1);
	assert_int_equal(sum_us(HISTOGRAM_send_to_ack), 1000);
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_ack), 1);
}

static void from_the_first_time_also_when_it_was_submitted_again(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	mono_us = 5000000;
	send_id(&links[0], "a", "x");
	mono_us = 6000000;
	chat_resubmit(chat, true);
	mono_us = 7000000;
	said("a", 1, "1", true, submits[1].ticket);
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_ack), 1);
	assert_int_equal(sum_us(HISTOGRAM_send_to_ack), 2000000);
}

static void a_delivery_is_observed_once_however_many_members_there_are(void **state)
{
	chat_start(3);
	for (unsigned i = 0; i < 3; i++)
		join(&links[i], "a");
	mono_us = 5000000;
	read_at("a", 1, 4999000);
	assert_int_equal(observed(HISTOGRAM_send_to_deliver), 0);
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_deliver), 1);
	assert_int_equal(sum_us(HISTOGRAM_send_to_deliver), 1000);
}

static void rooms_without_members_here_and_repeats_count_for_nothing(void **state)
{
	struct message message;

	chat_start(1);
	join(&links[0], "a");
	mono_us = 5000000;
	read_at("elsewhere", 1, 4999000);
	read_at("a", 1, 4999000);
	message = stored_message("a", 1);
	message.read_us = 4999500;
	chat_sequenced(chat, &message, true, false, 0);
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_deliver), 1);
}

static void what_nobody_timed_or_timed_in_the_future_harms_nothing(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	mono_us = 5000000;
	read_at("a", 1, 0);
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_deliver), 0);
	read_at("a", 2, UINT64_MAX);
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_deliver), 1);
	assert_int_equal(sum_us(HISTOGRAM_send_to_deliver), 0);
}

static void more_than_is_noted_in_a_turn_is_observed_all_the_same(void **state)
{
	unsigned n = LATENCY_MAX * 2 + 7;

	limits.room_log_bytes = limits.room_logs_bytes = 4 << 20;
	chat_start(1);
	join(&links[0], "a");
	mono_us = 5000000;
	for (unsigned i = 1; i <= n; i++) {
		struct message message = stored_message("a", i);

		message.read_us = 4999999;
		chat_sequenced(chat, &message, false, false, 0);
		links[0].got_len = 0;
	}
	flush();
	assert_int_equal(observed(HISTOGRAM_send_to_deliver), n);
	links[0].got_len = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(from_reading_a_send_to_handing_out_its_answer),
		T(from_the_first_time_also_when_it_was_submitted_again),
		T(a_delivery_is_observed_once_however_many_members_there_are),
		T(rooms_without_members_here_and_repeats_count_for_nothing),
		T(what_nobody_timed_or_timed_in_the_future_harms_nothing),
		T(more_than_is_noted_in_a_turn_is_observed_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
