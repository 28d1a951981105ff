/* Into a room whose head has to be asked for first: nothing is missed, nothing leaks. */
#include "tests/unit/fake_links.h"

#define UNAVAILABLE                                                     \
	"{\"op\":\"error\",\"code\":\"unavailable\",\"message\":\"the " \
	"store is away; join later\"}\n"

static void a_join_waits_for_the_rooms_head(void **state)
{
	chat_start(2);
	reads_wait = true;
	store_holds("a", 1, 41);
	join(&links[0], "a");
	join(&links[1], "a");
	assert_got(&links[0], "");
	assert_int_equal(n_asked, 1); /* for both */
	assert_int_equal(asked[0].query.limit, 0);
	answer_read(0);
	assert_got(&links[0], JOINED("a", "41", "2"));
	assert_got(&links[1], JOINED("a", "41", "1")); /* let in first */
}

/* The store answers of a moment before what the bus told meanwhile, or after it. */
static void what_is_heard_while_a_join_waits_is_neither_missed_nor_doubled(void **state)
{
	chat_start(2);
	reads_wait = reads_early = true;
	store_holds("a", 1, 3);
	join(&links[0], "a");
	heard("a", 4);
	heard("a", 5);
	answer_read(0); /* of the time when 3 was the head */
	heard("a", 6);
	assert_got(&links[0], JOINED("a", "5", "1") MESSAGE("a", "6"));
	reads_early = false;
	store_holds("b", 1, 7);
	join(&links[0], "b");
	store_holds("b", 1, 9); /* committed, not heard yet */
	answer_read(0);
	heard("b", 8);
	heard("b", 9);
	heard("b", 10);
	assert_got(&links[0], JOINED("b", "9", "1") MESSAGE("b", "10"));
}

static void a_repeat_tells_a_room_of_its_head_too(void **state)
{
	struct message message = stored_message("a", 5);

	chat_start(1);
	reads_wait = reads_early = true;
	store_holds("a", 1, 4);
	join(&links[0], "a");
	store_holds("a", 1, 5);
	chat_sequenced(chat, &message, true, false, 0);
	answer_read(0); /* knows of 4 only */
	heard("a", 6);
	assert_got(&links[0], JOINED("a", "5", "1") MESSAGE("a", "6"));
}

/* Who comes back says again what was answered long ago. */
static void a_repeat_of_what_is_long_past_is_not_taken_for_the_head(void **state)
{
	struct message message = stored_message("a", 5);

	chat_start(1);
	reads_wait = true;
	store_holds("a", 1, 100);
	join(&links[0], "a");
	chat_sequenced(chat, &message, true, false, 0);
	answer_read(0);
	heard("a", 101);
	assert_got(&links[0], JOINED("a", "100", "1") MESSAGE("a", "101"));
}

/* All that a client does after its join happens after it. */
static void what_is_sent_while_a_join_waits_is_sent_after_it_in_order(void **state)
{
	chat_start(1);
	reads_wait = true;
	join(&links[0], "a");
	send_id(&links[0], "a", "x");
	send_id(&links[0], "a", "y");
	assert_int_equal(n_submits, 0);
	chat_resubmit(chat, true); /* what is held is not handed over by it */
	assert_int_equal(n_submits, 0);
	answer_read(0);
	assert_got(&links[0], JOINED("a", "0", "1"));
	assert_int_equal(n_submits, 2);
	assert_string_equal(submits[0].id, "x");
	assert_string_equal(submits[1].id, "y");
	said("a", 1, "1", true, submits[0].ticket);
	said("a", 2, "1", true, submits[1].ticket);
	flush();
	assert_int_equal(links[0].n_events, 4);
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
}

static void who_leaves_while_its_join_waits_is_told_of_both(void **state)
{
	chat_start(1);
	reads_wait = true;
	ask(&links[0], "{\"op\":\"join\",\"room\":\"a\",\"ref\":1}");
	send_id(&links[0], "a", "x");
	ask(&links[0], "{\"op\":\"leave\",\"room\":\"a\",\"ref\":2}");
	assert_got(&links[0],
		   "{\"op\":\"error\",\"ref\":1,\"code\":\"not_member\",\"message\":"
		   "\"you left before you were let in\"}\n"
		   "{\"op\":\"error\",\"ref\":9,\"code\":\"not_member\",\"message\":"
		   "\"you left before you were let in\"}\n"
		   "{\"op\":\"left\",\"ref\":2,\"room\":\"a\"}\n");
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
	answer_read(0); /* of a room that is gone */
	assert_got(&links[0], "");
	ask(&links[0], "{\"op\":\"join\",\"room\":\"a\",\"ref\":3}");
	answer_read(0);
	assert_got(&links[0], "{\"op\":\"joined\",\"ref\":3,\"room\":\"a\",\"head\":0,"
			      "\"members\":1}\n");
}

static void who_hangs_up_while_its_join_waits_leaves_nothing_behind(void **state)
{
	chat_start(2);
	reads_wait = true;
	join(&links[0], "a");
	send_id(&links[0], "a", "x");
	join(&links[1], "a");
	hang_up(&links[0]);
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
	answer_read(0);
	assert_got(&links[1], JOINED("a", "0", "1"));
	assert_int_equal(n_submits, 0);
}

/* Refused with the first `joined`, the link is gone while others are let in. */
static void a_slow_reader_among_those_who_wait_disturbs_no_other(void **state)
{
	limits.outbox_max = 250;
	chat_start(3);
	reads_wait = true;
	for (unsigned i = 0; i < 3; i++)
		join(&links[i], "a");
	links[1].stuck = true;
	for (unsigned i = 0; i < 6; i++) /* 36 bytes each */
		ask(&links[1], "{\"op\":\"ping\",\"ref\":\"0123456789\"}");
	answer_read(0);
	assert_int_equal(links[1].closed, CLOSE_SLOW_READER);
	assert_int_equal(links[0].closed + links[2].closed, 0);
	heard("a", 1);
	assert_int_equal(links[0].n_events, 2);
	assert_int_equal(links[2].n_events, 2);
}

static void joining_twice_while_the_first_waits_is_refused(void **state)
{
	chat_start(1);
	reads_wait = true;
	join(&links[0], "a");
	join(&links[0], "a");
	assert_non_null(strstr(links[0].got, "\"code\":\"busy\""));
	links[0].got_len = 0;
	answer_read(0);
	assert_got(&links[0], JOINED("a", "0", "1"));
}

static void a_store_that_is_away_lets_nobody_in(void **state)
{
	chat_start(2);
	read_refusal = -ENOTCONN;
	join(&links[0], "a");
	assert_got(&links[0], UNAVAILABLE);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
	read_refusal = 0;
	chat_look(chat); /* it is back */
	reads_wait = true;
	join(&links[0], "a");
	send_id(&links[0], "a", "x");
	join(&links[1], "a");
	answer_read(-ETIMEDOUT);
	assert_got(&links[0], UNAVAILABLE
		   "{\"op\":\"error\",\"ref\":9,\"code\":\"unavailable\",\"message\":"
		   "\"the store is away; join later\"}\n");
	assert_got(&links[1], UNAVAILABLE);
	assert_int_equal(n_submits, 0);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
}

/* Not one room after the other, a beat for each. */
static void a_store_that_is_away_is_told_to_all_who_wait(void **state)
{
	chat_start(4);
	reads_wait = true;
	store_holds("d", 1, 9);
	join(&links[3], "d");
	answer_read(0);
	links[3].got_len = 0;
	read_refusal = -ENOTCONN;
	heard("d", 12); /* from the store, which is away */
	for (unsigned i = 0; i < 3; i++) {
		const char room[] = { (char)('a' + i), '\0' };
		char json[64];

		snprintf(json, sizeof json, "{\"op\":\"join\",\"room\":\"%s\"}", room);
		chat_message(links[i].session, json, strlen(json));
	}
	chat_tick(chat, now_ms);
	flush();
	for (unsigned i = 0; i < 3; i++)
		assert_got(&links[i], UNAVAILABLE);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 1);
	assert_got(&links[3], "");
	read_refusal = 0;
	chat_look(chat);
	flush();
	answer_read(0);
	assert_got(&links[3], MESSAGE("d", "10") MESSAGE("d", "11") MESSAGE("d", "12"));
}

static void a_store_that_is_away_keeps_nobody_from_a_room_that_is_known(void **state)
{
	chat_start(3);
	store_holds("a", 1, 3);
	join(&links[0], "a");
	heard("a", 4);
	heard("a", 5);
	links[0].got_len = 0;
	read_refusal = -ENOTCONN;
	join(&links[1], "a");
	assert_got(&links[1], JOINED("a", "5", "2"));
	join_since(&links[2], "a", 4); /* the log has it */
	assert_got(&links[2], JOINED("a", "5", "3") MESSAGE("a", "5"));
	leave(&links[2], "a");
	links[2].got_len = 0;
	join_since(&links[2], "a", 2); /* that is the store's */
	assert_got(&links[2], UNAVAILABLE);
	heard("a", 6);
	assert_got(&links[0], MESSAGE("a", "6"));
	assert_got(&links[1], MESSAGE("a", "6"));
	assert_got(&links[2], "");
}

static void reads_under_way_are_bounded_and_rooms_take_turns(void **state)
{
	limits.reads_max = 2;
	chat_start(4);
	reads_wait = true;
	join(&links[0], "a");
	join(&links[1], "b");
	join(&links[2], "c");
	join(&links[3], "d");
	assert_int_equal(n_asked, 2);
	answer_read(0);
	assert_int_equal(n_asked, 2);
	answer_read(0);
	answer_read(0);
	answer_read(0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(links[i].n_events, 1);
	assert_int_equal(n_asked, 0);
}

/* A chat that ends, with reads under way, is not touched by their answers: the teardown
 * gives them. */
static void answers_after_the_end_find_nobody(void **state)
{
	chat_start(2);
	reads_wait = true;
	join(&links[0], "a");
	join(&links[1], "b");
	ask(&links[1], "{\"op\":\"history\",\"room\":\"b\"}");
	assert_int_equal(n_asked, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_join_waits_for_the_rooms_head),
		TEST(what_is_heard_while_a_join_waits_is_neither_missed_nor_doubled),
		TEST(a_repeat_tells_a_room_of_its_head_too),
		TEST(a_repeat_of_what_is_long_past_is_not_taken_for_the_head),
		TEST(what_is_sent_while_a_join_waits_is_sent_after_it_in_order),
		TEST(who_leaves_while_its_join_waits_is_told_of_both),
		TEST(who_hangs_up_while_its_join_waits_leaves_nothing_behind),
		TEST(a_slow_reader_among_those_who_wait_disturbs_no_other),
		TEST(joining_twice_while_the_first_waits_is_refused),
		TEST(a_store_that_is_away_lets_nobody_in),
		TEST(a_store_that_is_away_is_told_to_all_who_wait),
		TEST(a_store_that_is_away_keeps_nobody_from_a_room_that_is_known),
		TEST(reads_under_way_are_bounded_and_rooms_take_turns),
		TEST(answers_after_the_end_find_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
