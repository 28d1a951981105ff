/* What a client asks is answered as the reference says; errors keep the connection. */
#include "tests/unit/fake_links.h"

static void a_client_is_welcomed_before_anything_else(void **state)
{
	chat_start(0);
	links[0].session = chat_opened(chat, &links[0], "f00d", "ann", NULL);
	ask(&links[0], "{\"op\":\"ping\",\"ref\":1}");
	assert_got(&links[0],
		   "{\"op\":\"welcome\",\"session\":\"f00d\",\"user\":\"ann\",\"limits\":"
		   "{\"message\":65536,\"rooms\":4},\"heartbeat\":{\"interval_ms\":25000,"
		   "\"timeout_ms\":20000}}\n{\"op\":\"pong\",\"ref\":1}\n");
}

static void joining_and_leaving_are_answered(void **state)
{
	chat_start(2);
	store_holds("a", 1, 41);
	ask(&links[0], "{\"op\":\"join\",\"room\":\"a\",\"ref\":\"x\"}");
	assert_got(&links[0],
		   "{\"op\":\"joined\",\"ref\":\"x\",\"room\":\"a\",\"head\":41,"
		   "\"members\":1}\n");
	join(&links[1], "a");
	assert_got(&links[1], JOINED("a", "41", "2"));
	assert_int_equal(counter_get(&slot, COUNTER_members), 2);
	leave(&links[1], "a");
	assert_got(&links[1], LEFT("a"));
	assert_int_equal(counter_get(&slot, COUNTER_members), 1);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 1);
	leave(&links[0], "a");
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
}

static void joining_twice_is_being_in_once(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	join(&links[0], "a");
	assert_got(&links[0], JOINED("a", "0", "1") JOINED("a", "0", "1"));
	heard("a", 1);
	assert_got(&links[0], MESSAGE("a", "1"));
	leave(&links[0], "a");
	assert_got(&links[0], LEFT("a"));
	assert_int_equal(counter_get(&slot, COUNTER_members), 0);
}

static void a_bad_request_is_told_and_the_link_stays(void **state)
{
	chat_start(1);
	ask(&links[0], "{");
	ask(&links[0], "{\"op\":\"fly\",\"ref\":7}");
	assert_got(&links[0],
		   "{\"op\":\"error\",\"code\":\"bad_json\",\"message\":"
		   "\"the message is not JSON\"}\n"
		   "{\"op\":\"error\",\"ref\":7,\"code\":\"unknown_op\",\"message\":"
		   "\"op is none that this server knows\"}\n");
	assert_int_equal(links[0].closed, 0);
	assert_int_equal(counter_get(&slot, COUNTER_ops_in), 2);
	assert_int_equal(counter_get(&slot, COUNTER_errors_out), 2);
}

static void who_is_not_a_member_neither_sends_nor_leaves(void **state)
{
	static const char expected[] =
		"{\"op\":\"error\",\"code\":\"not_member\",\"message\":"
		"\"you are not in this room\"}\n";

	chat_start(2);
	join(&links[1], "a");
	leave(&links[0], "a");
	assert_got(&links[0], expected);
	leave(&links[0], "elsewhere");
	assert_got(&links[0], expected);
	send_id(&links[0], "a", "1");
	assert_non_null(strstr(links[0].got, "\"ref\":9,\"code\":\"not_member\""));
	assert_int_equal(n_submits, 0);
}

static void rooms_per_link_are_bounded(void **state)
{
	limits.rooms_per_link = 2;
	chat_start(1);
	join(&links[0], "a");
	join(&links[0], "b");
	links[0].got_len = 0;
	join(&links[0], "c");
	assert_non_null(strstr(links[0].got, "\"code\":\"too_many_rooms\""));
	leave(&links[0], "a");
	links[0].got_len = 0;
	join(&links[0], "c");
	assert_got(&links[0], JOINED("c", "0", "1"));
}

static void rooms_in_all_are_bounded(void **state)
{
	limits.rooms = 1;
	chat_start(2);
	join(&links[0], "a");
	join(&links[1], "b");
	assert_non_null(strstr(links[1].got, "\"code\":\"unavailable\""));
	links[1].got_len = 0;
	join(&links[1], "a");
	assert_got(&links[1], JOINED("a", "0", "2"));
}

static void a_leaving_server_is_told(void **state)
{
	chat_start(1);
	chat_tell_drain(links[0].session, 1500);
	flush();
	assert_got(&links[0], "{\"op\":\"drain\",\"reconnect_after_ms\":1500}\n");
}

/* Two hundred answers in one turn are far beyond outbox_max. */
static void who_reads_may_ask_much_in_one_turn(void **state)
{
	static const char ping[] = "{\"op\":\"ping\",\"ref\":\"0123456789\"}";

	limits.outbox_max = 1024;
	chat_start(1);
	for (unsigned i = 0; i < 200; i++)
		chat_message(links[0].session, ping, sizeof ping - 1);
	flush();
	assert_int_equal(links[0].closed, 0);
	assert_int_equal(links[0].n_events, 200);
}

/* However many they are, and however little each has waiting. */
static void the_outboxes_of_all_are_bounded_together(void **state)
{
	unsigned n_closed = 0;

	limits.outboxes_bytes = 2048;
	chat_start(LINKS);
	for (unsigned i = 0; i < LINKS; i++)
		links[i].stuck = true;
	for (unsigned i = 0; i < 40 * LINKS; i++) {
		ask(&links[i % LINKS], "{\"op\":\"ping\"}");
		assert_true(counter_get(&slot, COUNTER_outbox_bytes) <= 2048);
	}
	for (unsigned i = 0; i < LINKS; i++)
		n_closed += links[i].closed == CLOSE_SLOW_READER;
	assert_in_range(n_closed, 1, LINKS - 1); /* their place is the others' */
}

static void who_asks_much_and_does_not_read_is_closed(void **state)
{
	limits.outbox_max = 1024;
	chat_start(1);
	join(&links[0], "a");
	links[0].stuck = true;
	for (unsigned i = 0; i < 200; i++)
		ask(&links[0], "{\"op\":\"ping\"}");
	assert_int_equal(links[0].closed, CLOSE_SLOW_READER);
	assert_int_equal(counter_get(&slot, COUNTER_outbox_bytes), 0);
	assert_int_equal(counter_get(&slot, COUNTER_members), 0);
	assert_int_equal(take(&links[0], TAKE_MAX), 0);
}

static void answers_are_taken_in_whole_frames(void **state)
{
	chat_start(1);
	links[0].stuck = true;
	for (unsigned i = 0; i < 3; i++)
		ask(&links[0], "{\"op\":\"ping\"}"); /* answered with 15 bytes each */
	assert_true(chat_has_next(links[0].session));
	assert_int_equal(counter_get(&slot, COUNTER_outbox_bytes), 45);
	assert_int_equal(take(&links[0], 40), 30);
	assert_int_equal(take(&links[0], 1), 15);
	assert_int_equal(take(&links[0], 1), 0);
	assert_false(chat_has_next(links[0].session));
	assert_int_equal(counter_get(&slot, COUNTER_outbox_bytes), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_is_welcomed_before_anything_else),
		TEST(joining_and_leaving_are_answered),
		TEST(joining_twice_is_being_in_once),
		TEST(a_bad_request_is_told_and_the_link_stays),
		TEST(who_is_not_a_member_neither_sends_nor_leaves),
		TEST(rooms_per_link_are_bounded),
		TEST(rooms_in_all_are_bounded),
		TEST(a_leaving_server_is_told),
		TEST(who_reads_may_ask_much_in_one_turn),
		TEST(the_outboxes_of_all_are_bounded_together),
		TEST(who_asks_much_and_does_not_read_is_closed),
		TEST(answers_are_taken_in_whole_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
