/* A room larger than a turn of the loop may write to is told over several turns: the loop
 * beats and others are served in between, and nobody is forgotten. */
#include "tests/unit/fake_links.h"

/* Rooms are told four members in a turn, and one of them before another room. */
enum {
	TOLD = 4
};

static void start(unsigned n_in_a)
{
	limits.asks_max = 2 * (uint64_t)TOLD;
	chat_start(LINKS);
	for (unsigned i = 0; i < n_in_a; i++)
		join(&links[i], "a");
	for (unsigned i = 0; i < LINKS; i++)
		links[i].got_len = links[i].n_events = links[i].n_asked = 0;
}

static unsigned n_asked_links(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LINKS; i++)
		n += links[i].n_asked;
	return n;
}

/* Those in [from, to) have got this, once. */
static void assert_all_got(unsigned from, unsigned to, const char *expected)
{
	for (unsigned i = from; i < to; i++)
		assert_got(&links[i], expected);
}

static void a_turn_asks_so_many_and_the_next_the_rest(void **state)
{
	start(LINKS);
	said("a", 1, "1", false, 0);
	assert_true(chat_flush(chat));
	assert_int_equal(n_asked_links(), TOLD);
	assert_int_equal(counter_get(&slot, COUNTER_members_untold), LINKS - TOLD);
	assert_false(chat_flush(chat));
	assert_int_equal(n_asked_links(), LINKS);
	assert_int_equal(counter_get(&slot, COUNTER_members_untold), 0);
	assert_false(chat_flush(chat));
	assert_int_equal(n_asked_links(), LINKS);
	assert_all_got(0, LINKS, MESSAGE("a", "1"));
}

static void a_small_room_does_not_wait_for_a_large_one(void **state)
{
	start(LINKS - 1);
	join(&links[LINKS - 1], "b");
	links[LINKS - 1].got_len = 0;
	said("a", 1, "1", false, 0);
	said("b", 1, "1", false, 0);
	assert_true(chat_flush(chat));
	assert_got(&links[LINKS - 1], MESSAGE("b", "1"));
}

static void an_answer_does_not_wait_for_a_large_room(void **state)
{
	static const char ping[] = "{\"op\":\"ping\",\"ref\":1}";

	start(LINKS - 1);
	said("a", 1, "1", false, 0);
	chat_message(links[LINKS - 1].session, ping, sizeof ping - 1);
	assert_true(chat_flush(chat));
	assert_got(&links[LINKS - 1], "{\"op\":\"pong\",\"ref\":1}\n");
}

/* The circle goes on where it is: who was not told yet gets both at once. */
static void what_comes_in_between_reaches_all_in_order(void **state)
{
	start(LINKS);
	said("a", 1, "1", false, 0);
	chat_flush(chat);
	said("a", 2, "1", false, 0);
	flush();
	assert_int_equal(n_asked_links(), TOLD + LINKS);
	assert_all_got(0, LINKS, MESSAGE("a", "1") MESSAGE("a", "2"));
}

/* However fast more comes, it is everybody's turn once in a circle. */
static void nobody_starves_in_a_room_that_never_rests(void **state)
{
	start(LINKS);
	for (uint64_t seq = 1; seq <= LINKS / TOLD; seq++) {
		said("a", seq, "1", false, 0);
		assert_true(chat_flush(chat));
	}
	for (unsigned i = 0; i < LINKS; i++)
		assert_int_equal(links[i].n_asked, 1);
}

static void who_takes_the_place_of_one_that_leaves_is_told(void **state)
{
	static const char gone[] = "{\"op\":\"leave\",\"room\":\"a\"}";

	/* Whoever it is that leaves, after any number of turns, and with two messages. */
	for (unsigned leaver = 0; leaver < LINKS; leaver++)
		for (unsigned n_turns = 0; n_turns < 4; n_turns++) {
			start(LINKS);
			said("a", 1, "1", false, 0);
			for (unsigned i = 0; i < n_turns; i++)
				chat_flush(chat);
			said("a", 2, "1", false, 0);
			if (n_turns % 2)
				chat_flush(chat);
			chat_message(links[leaver].session, gone, sizeof gone - 1);
			flush();
			links[leaver].got_len = 0;
			for (unsigned i = 0; i < LINKS; i++)
				assert_got(&links[i],
					   i == leaver ? ""
						       : MESSAGE("a", "1")
								 MESSAGE("a", "2"));
			assert_int_equal(links_teardown(state), 0);
			assert_int_equal(links_setup(state), 0);
		}
	start(0);
}

static void who_reads_survives_a_burst_between_two_turns(void **state)
{
	limits.room_log_bytes = 4096;
	start(LINKS);
	for (uint64_t seq = 1; seq <= 500; seq++) {
		said("a", seq, "1", false, 0);
		if (seq % 100 == 0)
			chat_flush(chat);
	}
	flush();
	for (unsigned i = 0; i < LINKS; i++) {
		assert_int_equal(links[i].closed, 0);
		assert_int_equal(links[i].n_events, 500);
	}
}

static void a_delivery_is_observed_when_the_last_was_told(void **state)
{
	struct message message = stored_message("a", 1);
	uint64_t sum = 0;

	start(LINKS);
	message.read_us = 1000000;
	message.body = (struct text){ "1", 1 };
	store_has("a", 1);
	mono_us = 1001000;
	chat_sequenced(chat, &message, false, false, 0);
	chat_flush(chat);
	assert_int_equal(counter_get(&slot, COUNTER_send_to_deliver_le_1024us), 0);
	mono_us = 1002000;
	chat_flush(chat);
	sum = counter_get(&slot,
			  (enum counter)(HISTOGRAM_send_to_deliver + HISTOGRAM_BUCKETS));
	assert_int_equal(sum, 2000);
}

/* Presence of a room comes the same way. */
static void of_joins_and_typing_all_hear_by_and_by(void **state)
{
	static const char typing[] = "{\"op\":\"typing\",\"room\":\"a\"}";

	limits.presence_members_max = 100;
	limits.presence_at_once_max = 100;
	start(LINKS);
	chat_message(links[0].session, typing, sizeof typing - 1);
	assert_true(chat_flush(chat));
	assert_int_equal(n_asked_links(), TOLD);
	flush();
	assert_all_got(1, LINKS,
		       "{\"op\":\"typing\",\"room\":\"a\",\"user\":\"u0\","
		       "\"active\":true}\n");
}

/* Of answers there may be many as well, as when a room lets in all who waited for it. */
static void a_turn_asks_no_more_than_it_may_for_answers_either(void **state)
{
	static const char ping[] = "{\"op\":\"ping\"}";

	limits.asks_max = 4;
	chat_start(LINKS);
	for (unsigned i = 0; i < LINKS; i++)
		links[i].n_asked = 0;
	for (unsigned i = 0; i < LINKS; i++)
		chat_message(links[i].session, ping, sizeof ping - 1);
	while (chat_flush(chat))
		assert_int_equal(n_asked_links() % 4, 0);
	assert_int_equal(n_asked_links(), LINKS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_turn_asks_so_many_and_the_next_the_rest),
		TEST(a_small_room_does_not_wait_for_a_large_one),
		TEST(an_answer_does_not_wait_for_a_large_room),
		TEST(what_comes_in_between_reaches_all_in_order),
		TEST(nobody_starves_in_a_room_that_never_rests),
		TEST(who_takes_the_place_of_one_that_leaves_is_told),
		TEST(who_reads_survives_a_burst_between_two_turns),
		TEST(a_delivery_is_observed_when_the_last_was_told),
		TEST(of_joins_and_typing_all_hear_by_and_by),
		TEST(a_turn_asks_no_more_than_it_may_for_answers_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
