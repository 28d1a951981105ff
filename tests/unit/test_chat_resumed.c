/* Who lost a link to a dead process counts as whole once nothing is missing in what it
 * resumed, and not if something is. */
#include "tests/unit/fake_links.h"

/* The first link came back, the second was never anywhere. */
static void come_back(void)
{
	chat_start(2);
	chat_returns(links[0].session, FORMER);
}

static void assert_counts(int whole, int trimmed)
{
	assert_int_equal(n_whole, whole);
	assert_int_equal(n_trimmed, trimmed);
}

static void a_complete_resume_is_whole_and_counts_once(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 1, 50);
	store_holds("b", 1, 50);
	assert_counts(0, 0);
	join_since(&links[0], "a", 10);
	assert_counts(1, 0);
	join_since(&links[0], "b", 50);
	join_since(&links[0], "a", 10);
	assert_counts(1, 0);
}

static void a_trimmed_room_is_not_whole(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 21, 50);
	join_since(&links[0], "a", 10);
	assert_counts(0, 1);
	store_holds("b", 1, 50);
	join_since(&links[0], "b", 10);
	assert_counts(0, 1);
}

static void one_trimmed_room_takes_the_good_word_back(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 1, 50);
	store_holds("b", 21, 50);
	join_since(&links[0], "a", 10);
	assert_counts(1, 0);
	join_since(&links[0], "b", 10);
	assert_counts(0, 1);
	chat_closed(links[0].session);
	links[0].session = NULL;
	assert_counts(0, 1);
}

static void a_room_whose_messages_are_gone_altogether_is_not_whole(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 1, 5);
	join_since(&links[0], "a", 9);
	assert_counts(0, 1);
}

static void what_is_trimmed_while_it_is_read_is_not_whole(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 1, 600);
	reads_wait = true;
	join_since(&links[0], "a", 0);
	answer_read(0);
	assert_counts(1, 0);
	store_holds("a", 500, 600);
	answer_read(0);
	assert_int_equal(links[0].closed, CLOSE_SLOW_READER);
	assert_counts(0, 1);
}

static void whole_is_only_who_waits_for_no_room_any_more(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 1, 50);
	store_holds("b", 1, 50);
	reads_wait = true;
	join_since(&links[0], "a", 10);
	join_since(&links[0], "b", 10);
	answer_read(0);
	assert_counts(0, 0);
	answer_read(0);
	assert_counts(1, 0);
}

static void a_room_that_was_joined_anew_says_nothing(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 21, 50);
	join(&links[0], "a");
	assert_counts(0, 0);
}

static void who_lost_no_link_to_the_dead_is_not_counted(void **state)
{
	(void)state;
	come_back();
	store_holds("a", 21, 50);
	join_since(&links[1], "a", 10);
	join_since(&links[1], "a", 40);
	assert_counts(0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_complete_resume_is_whole_and_counts_once),
		TEST(a_trimmed_room_is_not_whole),
		TEST(one_trimmed_room_takes_the_good_word_back),
		TEST(a_room_whose_messages_are_gone_altogether_is_not_whole),
		TEST(what_is_trimmed_while_it_is_read_is_not_whole),
		TEST(whole_is_only_who_waits_for_no_room_any_more),
		TEST(a_room_that_was_joined_anew_says_nothing),
		TEST(who_lost_no_link_to_the_dead_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
