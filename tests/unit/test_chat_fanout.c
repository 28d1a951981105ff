/* Every member gets its room's messages in order and once. */
#include "tests/unit/fake_links.h"

static void every_member_gets_every_message_in_order(void **state)
{
	chat_start(3);
	for (unsigned i = 0; i < 3; i++)
		join(&links[i], "a");
	for (unsigned i = 0; i < 3; i++)
		links[i].got_len = 0;
	said("a", 1, "1", false, 0);
	said("a", 2, "1", false, 0);
	flush();
	heard("a", 3);
	for (unsigned i = 0; i < 3; i++)
		assert_got(&links[i],
			   MESSAGE("a", "1") MESSAGE("a", "2") MESSAGE("a", "3"));
	assert_int_equal(counter_get(&slot, COUNTER_deliveries), 9);
	assert_int_equal(counter_get(&slot, COUNTER_room_messages), 3);
}

/* The store is ahead of what this worker has heard. */
static void after_joined_exactly_the_messages_behind_its_head_follow(void **state)
{
	chat_start(2);
	store_holds("a", 1, 5);
	join(&links[0], "a");
	heard("a", 4);
	heard("a", 5);
	heard("a", 6);
	assert_got(&links[0], JOINED("a", "5", "1") MESSAGE("a", "6"));
	store_holds("a", 1, 99); /* not heard yet; no reason to read */
	join(&links[1], "a");
	heard("a", 7);
	assert_got(&links[1], JOINED("a", "6", "2") MESSAGE("a", "7"));
	assert_got(&links[0], MESSAGE("a", "7"));
	assert_int_equal(n_reads, 1);
}

static void a_member_gets_only_what_came_after_it(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	said("a", 1, "1", false, 0); /* not flushed yet */
	join(&links[1], "a");
	heard("a", 2);
	assert_got(&links[1], JOINED("a", "1", "2") MESSAGE("a", "2"));
	assert_got(&links[0], JOINED("a", "0", "1") MESSAGE("a", "1") MESSAGE("a", "2"));
}

static void after_left_comes_nothing_of_the_room(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	join(&links[1], "a");
	links[0].got_len = 0;
	said("a", 1, "1", false, 0);
	leave(&links[0], "a");
	heard("a", 2);
	assert_got(&links[0], LEFT("a"));
}

/* Whatever waits: joined comes before the first message. */
static void joined_comes_before_the_rooms_messages(void **state)
{
	chat_start(1);
	links[0].stuck = true;
	join(&links[0], "a");
	heard("a", 1);
	join(&links[0], "b");
	heard("b", 1);
	links[0].stuck = false;
	while (take(&links[0], 1))
		;
	assert_got(&links[0], JOINED("a", "0", "1") JOINED("b", "0", "1")
				      MESSAGE("a", "1") MESSAGE("b", "1"));
}

static void a_repeat_is_dropped(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	links[0].got_len = 0;
	heard("a", 1);
	heard("a", 1);
	heard("a", 2);
	heard("a", 1);
	assert_got(&links[0], MESSAGE("a", "1") MESSAGE("a", "2"));
}

static void a_full_socket_is_asked_once_and_misses_nothing(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	links[0].got_len = links[0].n_asked = 0;
	links[0].stuck = true;
	heard("a", 1);
	heard("a", 2);
	heard("a", 3);
	assert_int_equal(links[0].n_asked, 1);
	assert_true(chat_has_next(links[0].session));
	while (take(&links[0], 100)) /* it has room again: one frame at a time */
		;
	assert_false(chat_has_next(links[0].session));
	assert_got(&links[0], MESSAGE("a", "1") MESSAGE("a", "2") MESSAGE("a", "3"));
	links[0].stuck = false;
	heard("a", 4);
	assert_int_equal(links[0].n_asked, 2);
	assert_got(&links[0], MESSAGE("a", "4"));
	assert_int_equal(counter_get(&slot, COUNTER_deliveries), 4);
}

static void nobody_is_asked_without_news(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	links[0].n_asked = links[1].n_asked = 0;
	heard("b", 1);
	heard("a", 1);
	flush();
	assert_int_equal(links[0].n_asked, 1);
	assert_int_equal(links[1].n_asked, 0);
}

/* Two rooms that always have news: neither keeps the other from being read. */
static void rooms_take_turns(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	join(&links[0], "b");
	links[0].got_len = 0;
	links[0].stuck = true;
	for (unsigned i = 1; i <= 2; i++) {
		heard("a", i);
		heard("b", i);
	}
	while (take(&links[0], 1))
		;
	assert_got(&links[0], MESSAGE("a", "1") MESSAGE("b", "1") MESSAGE("a", "2")
				      MESSAGE("b", "2"));
}

/* Leaving, in any order, rooms that wait to be read disturbs no other. */
static void leaving_with_news_disturbs_no_other_room(void **state)
{
	static const char *const rooms[] = { "a", "b", "c", "d" };

	for (unsigned gone = 0; gone < 4; gone++) {
		links_setup(state);
		chat_start(1);
		for (unsigned i = 0; i < 4; i++)
			join(&links[0], rooms[i]);
		links[0].stuck = true;
		for (unsigned i = 0; i < 4; i++)
			heard(rooms[i], 1);
		leave(&links[0], rooms[gone]);
		for (unsigned i = 0; i < 4; i++)
			heard(rooms[i], 2);
		links[0].got_len = links[0].n_events = 0;
		while (take(&links[0], 1))
			;
		assert_int_equal(links[0].n_events, 1 + 3 * 2); /* left, and the rest */
		if (gone < 3)
			links_teardown(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_member_gets_every_message_in_order),
		TEST(after_joined_exactly_the_messages_behind_its_head_follow),
		TEST(a_member_gets_only_what_came_after_it),
		TEST(after_left_comes_nothing_of_the_room),
		TEST(joined_comes_before_the_rooms_messages),
		TEST(a_repeat_is_dropped),
		TEST(a_full_socket_is_asked_once_and_misses_nothing),
		TEST(nobody_is_asked_without_news),
		TEST(rooms_take_turns),
		TEST(leaving_with_news_disturbs_no_other_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
