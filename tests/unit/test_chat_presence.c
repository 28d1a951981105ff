/* Who comes and goes is told, as often as a room's size bears, and harms no message. */
#include "tests/unit/fake_links.h"

#define PRESENCE(joined, left, members)                                               \
	"{\"op\":\"presence\",\"room\":\"a\",\"joined\":[" joined "],\"left\":[" left \
	"],\"members\":" members "}\n"

static int setup(void **state)
{
	links_setup(state);
	limits.presence_members_max = 100;
	limits.presence_at_once_max = 32;
	limits.presence_interval_ms = 1000;
	return 0;
}

/* A link of this user, in room a; what it was told is forgotten. */
static void enter(struct link *link, const char *user)
{
	link->session = chat_opened(chat, link, "s", user, NULL);
	assert_non_null(link->session);
	join(link, "a");
	link->got_len = 0;
}

static void tick(uint64_t ms)
{
	now_ms += ms;
	chat_tick(chat, now_ms);
	flush();
}

static void members_are_told_at_once_who_comes_and_goes(void **state)
{
	chat_start(3);
	join(&links[0], "a");
	assert_got(&links[0], JOINED("a", "0", "1")); /* not of itself */
	join(&links[1], "a");
	assert_got(&links[0], PRESENCE("\"u1\"", "", "2"));
	assert_got(&links[1], JOINED("a", "0", "2"));
	join(&links[2], "a");
	leave(&links[1], "a");
	assert_got(&links[0], PRESENCE("\"u2\"", "", "3") PRESENCE("", "\"u1\"", "2"));
	hang_up(&links[2]);
	flush();
	assert_got(&links[0], PRESENCE("", "\"u2\"", "1"));
}

static void a_user_counts_once_however_many_links_it_has(void **state)
{
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	assert_got(&links[0], PRESENCE("\"bob\"", "", "2"));
	enter(&links[2], "bob");
	hang_up(&links[1]);
	flush();
	assert_got(&links[0], "");
	hang_up(&links[2]);
	flush();
	assert_got(&links[0], PRESENCE("", "\"bob\"", "1"));
}

static void who_waits_to_be_let_in_is_not_there_yet(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	links[0].got_len = 0;
	reads_wait = true;
	store_holds("a", 1, 9);
	join_since(&links[1], "a", 2);
	assert_got(&links[0], "");
	answer_read(0);
	assert_got(&links[0], PRESENCE("\"u1\"", "", "2"));
}

static void a_larger_room_is_told_once_an_interval(void **state)
{
	limits.presence_at_once_max = 1;
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	enter(&links[2], "cid");
	tick(500);
	assert_got(&links[0], "");
	tick(500);
	assert_got(&links[0], PRESENCE("\"bob\",\"cid\"", "", "3"));
	hang_up(&links[1]);
	enter(&links[3], "dan");
	tick(900);
	assert_got(&links[0], "");
	tick(100);
	assert_got(&links[0], PRESENCE("\"dan\"", "\"bob\"", "3"));
}

/* Each of a user's links is told: they make a room large. */
static void many_links_of_few_users_are_told_once_an_interval(void **state)
{
	limits.presence_at_once_max = 3;
	chat_start(0);
	for (unsigned i = 0; i < 3; i++)
		enter(&links[i], "ann");
	tick(1000);
	links[0].got_len = links[0].n_events = 0;
	for (unsigned i = 0; i < 10; i++) {
		enter(&links[3], "bob");
		hang_up(&links[3]);
	}
	tick(900);
	assert_int_equal(links[0].n_events, 2); /* the first, and that it is gone */
	enter(&links[3], "bob");
	tick(100);
	assert_non_null(strstr(links[0].got, PRESENCE("\"bob\"", "", "2")));
}

/* So that messages need not wait for it. */
static void a_turn_tells_so_many_links_and_the_next_the_rest(void **state)
{
	static struct session *many[20000];
	static const char in_a[] = "{\"op\":\"join\",\"room\":\"a\"}";
	static const char in_b[] = "{\"op\":\"join\",\"room\":\"b\"}";

	chat_start(3);
	join(&links[0], "b");
	links[LINKS - 1].stuck = true; /* it is all of the many */
	for (unsigned i = 0; i < 20000; i++) {
		many[i] = chat_opened(chat, &links[LINKS - 1], "s", "crowd", NULL);
		assert_non_null(many[i]);
		chat_message(many[i], in_a, sizeof in_a - 1);
	}
	tick(1000);
	tick(1000);
	links[0].got_len = 0;
	now_ms += 1000;
	chat_message(links[1].session, in_a, sizeof in_a - 1);
	chat_message(links[2].session, in_b, sizeof in_b - 1);
	chat_flush(chat);
	assert_got(&links[0], "");
	chat_flush(chat);
	assert_non_null(strstr(links[0].got, "\"joined\":[\"u2\"]"));
	for (unsigned i = 0; i < 20000; i++)
		chat_closed(many[i]);
}

static void changes_that_undo_each_other_are_not_told(void **state)
{
	limits.presence_at_once_max = 1;
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	tick(1000);
	links[0].got_len = 0;
	hang_up(&links[1]);
	enter(&links[1], "bob");
	enter(&links[2], "cid");
	hang_up(&links[2]);
	tick(1000);
	assert_got(&links[0], "");
}

/* One more than are told names. */
static void start_with_three_of_two(void)
{
	limits.presence_at_once_max = 1;
	limits.presence_members_max = 2;
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	enter(&links[2], "cid");
}

static void the_largest_rooms_are_told_a_number(void **state)
{
	start_with_three_of_two();
	tick(1000);
	assert_got(&links[0], PRESENCE("", "", "3"));
	hang_up(&links[1]);
	enter(&links[1], "dan");
	tick(1000);
	assert_got(&links[0], ""); /* still three */
	hang_up(&links[2]);
	tick(1000);
	assert_got(&links[0], PRESENCE("", "\"cid\"", "2")); /* small again */
}

/* However many come: no more deliveries an interval than a room with names has members.
 */
static void the_larger_a_room_the_more_seldom_it_is_told(void **state)
{
	start_with_three_of_two();
	enter(&links[3], "dan");
	tick(1000);
	assert_got(&links[0], "");
	tick(900);
	assert_got(&links[0], "");
	tick(100);
	assert_got(&links[0], PRESENCE("", "", "4"));
}

/* More names than one event has place for. */
static void many_changes_are_told_in_parts(void **state)
{
	static struct link many[150];
	char user[16];
	unsigned n = 0;

	limits.presence_members_max = 1000;
	limits.outbox_max = 65536;
	chat_start(1);
	join(&links[0], "a");
	links[0].got_len = 0;
	tick(1000);
	for (unsigned i = 0; i < 150; i++) {
		static const char json[] = "{\"op\":\"join\",\"room\":\"a\"}";

		snprintf(user, sizeof user, "m%u", i);
		many[i].session = chat_opened(chat, &many[i], "s", user, NULL);
		chat_message(many[i].session, json, sizeof json - 1);
	}
	flush();
	for (const char *at = links[0].got; (at = strstr(at, "\"m")) != NULL; at++)
		n += at[2] != 'e'; /* not of "members" */
	assert_int_equal(n, 150);
	assert_int_equal(links[0].n_events, 3); /* joined and two */
	for (unsigned i = 0; i < 150; i++)
		hang_up(&many[i]);
}

static void who_is_behind_misses_presence_and_no_message(void **state)
{
	chat_start(0);
	enter(&links[0], "ann");
	links[0].stuck = true;
	for (unsigned i = 0; i < 60; i++) {
		enter(&links[1], "bob");
		hang_up(&links[1]);
		heard("a", i + 1);
	}
	assert_int_equal(links[0].closed, 0);
	assert_true(counter_get(&slot, COUNTER_ephemeral_dropped) > 50);
	assert_true(counter_get(&slot, COUNTER_outbox_bytes) <= limits.outbox_max / 2);
	ask(&links[0], "{\"op\":\"ping\"}"); /* there is place for what counts */
	links[0].stuck = false;
	links[0].n_events = 0;
	while (take(&links[0], TAKE_MAX))
		;
	links[0].got[links[0].got_len] = '\0';
	assert_non_null(strstr(links[0].got, "\"op\":\"pong\""));
	assert_non_null(strstr(links[0].got, "\"seq\":60,"));
}

static void who_lists_users_up_to_a_limit(void **state)
{
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	enter(&links[2], "bob");
	enter(&links[3], "cid");
	links[0].got_len = 0;
	ask(&links[0], "{\"op\":\"who\",\"room\":\"a\",\"ref\":1}");
	assert_got(&links[0], /* in no order, but always the same */
		   "{\"op\":\"who\",\"ref\":1,\"room\":\"a\",\"users\":[\"bob\",\"ann\","
		   "\"cid\"],\"total\":3}\n");
	ask(&links[0], "{\"op\":\"who\",\"room\":\"a\",\"limit\":2}");
	assert_got(&links[0], "{\"op\":\"who\",\"room\":\"a\",\"users\":[\"bob\","
			      "\"ann\"],\"total\":3}\n");
	ask(&links[0], "{\"op\":\"who\",\"room\":\"b\",\"ref\":1}");
	assert_non_null(strstr(links[0].got, "\"ref\":1,\"code\":\"not_member\""));
}

static void typing_is_told_to_the_others(void **state)
{
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "ann");
	enter(&links[2], "bob");
	links[0].got_len = links[1].got_len = 0;
	ask(&links[0], "{\"op\":\"typing\",\"room\":\"a\",\"ref\":1}");
	ask(&links[0], "{\"op\":\"typing\",\"room\":\"a\",\"active\":false}");
	assert_got(&links[0], "");
	assert_got(&links[1], ""); /* the same user */
	assert_got(
		&links[2],
		"{\"op\":\"typing\",\"room\":\"a\",\"user\":\"ann\",\"active\":true}\n"
		"{\"op\":\"typing\",\"room\":\"a\",\"user\":\"ann\",\"active\":false}\n");
	ask(&links[0], "{\"op\":\"typing\",\"room\":\"b\",\"ref\":1}");
	assert_non_null(strstr(links[0].got, "\"ref\":1,\"code\":\"not_member\""));
}

static void too_much_typing_is_dropped(void **state)
{
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	links[1].n_events = 0;
	for (unsigned i = 0; i < 100; i++)
		ask(&links[0], "{\"op\":\"typing\",\"room\":\"a\"}");
	assert_true(links[1].n_events > 5 && links[1].n_events < 15);
	assert_int_equal(counter_get(&slot, COUNTER_ephemeral_dropped),
			 100 - links[1].n_events);
	now_ms += 60000;
	links[1].n_events = 0;
	ask(&links[0], "{\"op\":\"typing\",\"room\":\"a\"}");
	assert_int_equal(links[1].n_events, 1);
}

static void presence_that_is_off_tells_and_casts_nothing(void **state)
{
	limits.presence_members_max = 0;
	chat_start(0);
	enter(&links[0], "ann");
	enter(&links[1], "bob");
	ask(&links[1], "{\"op\":\"typing\",\"room\":\"a\"}");
	tick(1000);
	assert_got(&links[0], "");
	assert_int_equal(n_casts, 0);
	ask(&links[0], "{\"op\":\"who\",\"room\":\"a\"}");
	assert_got(&links[0], "{\"op\":\"who\",\"room\":\"a\",\"users\":[\"bob\","
			      "\"ann\"],\"total\":2}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_are_told_at_once_who_comes_and_goes),
		TEST(a_user_counts_once_however_many_links_it_has),
		TEST(who_waits_to_be_let_in_is_not_there_yet),
		TEST(a_larger_room_is_told_once_an_interval),
		TEST(many_links_of_few_users_are_told_once_an_interval),
		TEST(a_turn_tells_so_many_links_and_the_next_the_rest),
		TEST(changes_that_undo_each_other_are_not_told),
		TEST(the_largest_rooms_are_told_a_number),
		TEST(the_larger_a_room_the_more_seldom_it_is_told),
		TEST(many_changes_are_told_in_parts),
		TEST(who_is_behind_misses_presence_and_no_message),
		TEST(who_lists_users_up_to_a_limit),
		TEST(typing_is_told_to_the_others),
		TEST(too_much_typing_is_dropped),
		TEST(presence_that_is_off_tells_and_casts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
