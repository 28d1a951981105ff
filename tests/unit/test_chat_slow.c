/* A slow reader harms nobody: memory is bounded, others read on, it is closed. */
#include "tests/unit/fake_links.h"

static const char long_body[] =
	"\"0123456789012345678901234567890123456789012345678901234567890123456789\"";

static void say_long(const char *room, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++) {
		said(room, seq, long_body, false, 0);
		flush();
	}
}

static void who_falls_off_the_log_is_closed_and_nobody_else(void **state)
{
	limits.room_log_bytes = 8192;
	chat_start(3);
	for (unsigned i = 0; i < 3; i++)
		join(&links[i], "a");
	links[1].stuck = true;
	say_long("a", 1, 200); /* 25 KB */
	assert_int_equal(links[1].closed, CLOSE_SLOW_READER);
	assert_int_equal(links[0].closed, 0);
	assert_int_equal(links[2].closed, 0);
	assert_int_equal(links[0].n_events, 201);
	assert_int_equal(links[2].n_events, 201);
	assert_int_equal(counter_get(&slot, COUNTER_members), 2);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 8192);
}

static void a_room_of_slow_readers_only_ends(void **state)
{
	limits.room_log_bytes = 4096;
	chat_start(2);
	join(&links[0], "a");
	join(&links[1], "a");
	links[0].stuck = links[1].stuck = true;
	say_long("a", 1, 100);
	assert_int_equal(links[0].closed, CLOSE_SLOW_READER);
	assert_int_equal(links[1].closed, CLOSE_SLOW_READER);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 0);
}

/* A burst of one turn, many times the log, is no reader's fault. */
static void who_reads_survives_a_burst_within_one_turn(void **state)
{
	limits.room_log_bytes = 4096;
	chat_start(1);
	join(&links[0], "a");
	for (uint64_t seq = 1; seq <= 500; seq++)
		said("a", seq, long_body, false, 0);
	flush();
	assert_int_equal(links[0].closed, 0);
	assert_int_equal(links[0].n_events, 501);
}

static void who_has_read_all_needs_no_larger_log(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 0);
	say_long("a", 1, 500);
	assert_int_equal(links[0].n_events, 501);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 4096);
}

static void a_log_grows_while_somebody_is_behind(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	links[0].stuck = true;
	links[0].n_events = 0;
	say_long("a", 1, 200);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 32768);
	while (take(&links[0], 1000))
		;
	assert_int_equal(links[0].n_events, 200);
	assert_int_equal(links[0].closed, 0);
}

static void a_message_longer_than_the_log_still_goes_out(void **state)
{
	static char body[10003];

	memset(body, 'x', sizeof body - 1);
	body[0] = body[sizeof body - 2] = '"';
	limits.room_log_bytes = 4096;
	chat_start(1);
	join(&links[0], "a");
	said("a", 1, "1", false, 0);
	said("a", 2, body, false, 0);
	said("a", 3, "1", false, 0);
	flush();
	assert_int_equal(links[0].n_events, 4);
	assert_int_equal(links[0].closed, 0);
}

/* Other rooms' logs that are read give way; those of slow readers keep theirs. */
static void memory_of_all_logs_is_bounded_and_taken_from_who_has_read(void **state)
{
	char room[16];

	limits.room_logs_bytes = 65536;
	limits.rooms_per_link = 100;
	chat_start(2);
	join(&links[1], "slow");
	links[1].stuck = true;
	say_long("slow", 1, 100); /* 16 KB that are not read */
	for (unsigned i = 0; i < 60; i++) {
		snprintf(room, sizeof room, "r%u", i);
		join(&links[0], room);
		links[0].n_events = 0;
		say_long(room, 1, 1);
		assert_int_equal(links[0].n_events, 1);
		assert_true(counter_get(&slot, COUNTER_room_log_bytes) <= 65536);
	}
	say_long("r0", 2, 2); /* one that gave way */
	assert_int_equal(links[0].n_events, 2);
	links[1].n_events = 0;
	while (take(&links[1], 5000))
		;
	assert_int_equal(links[1].n_events, 100);
}

/* Slow readers fill what there is to grow into; a new room has its log all the same. */
static void slow_readers_cannot_keep_a_room_from_having_a_log(void **state)
{
	limits.room_log_bytes = 1 << 20;
	limits.room_logs_bytes = 65536;
	chat_start(3);
	links[0].stuck = links[1].stuck = true;
	join(&links[0], "a");
	join(&links[1], "b");
	for (uint64_t seq = 1; seq <= 400; seq++) {
		said("a", seq, long_body, false, 0);
		said("b", seq, long_body, false, 0);
		flush();
	}
	join(&links[2], "c");
	links[2].n_events = 0;
	say_long("c", 1, 100);
	assert_int_equal(links[2].n_events, 100);
	assert_true(counter_get(&slot, COUNTER_room_log_bytes) <= 65536);
}

/* Where a message can be kept nowhere its members are not left deaf: they are closed. */
static void a_message_without_a_place_closes_who_would_miss_it(void **state)
{
	limits.room_logs_bytes = 4096;
	chat_start(2);
	links[0].stuck = true;
	join(&links[0], "a");
	say_long("a", 1, 1); /* not read: cannot be reclaimed */
	join(&links[1], "b");
	say_long("b", 1, 1);
	assert_int_equal(links[1].closed, CLOSE_TRY_LATER);
	assert_int_equal(links[0].closed, 0);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 1);
}

static void a_closing_client_is_told_nothing_more(void **state)
{
	limits.room_log_bytes = 4096;
	chat_start(1);
	join(&links[0], "a");
	links[0].stuck = true;
	say_long("a", 1, 100);
	assert_int_equal(links[0].closed, CLOSE_SLOW_READER);
	links[0].n_asked = 0;
	ask(&links[0], "{\"op\":\"ping\"}");
	chat_tell_drain(links[0].session, 1);
	flush();
	assert_int_equal(links[0].n_asked, 0);
	assert_false(chat_has_next(links[0].session));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_falls_off_the_log_is_closed_and_nobody_else),
		TEST(a_room_of_slow_readers_only_ends),
		TEST(who_reads_survives_a_burst_within_one_turn),
		TEST(who_has_read_all_needs_no_larger_log),
		TEST(a_log_grows_while_somebody_is_behind),
		TEST(a_message_longer_than_the_log_still_goes_out),
		TEST(memory_of_all_logs_is_bounded_and_taken_from_who_has_read),
		TEST(slow_readers_cannot_keep_a_room_from_having_a_log),
		TEST(a_message_without_a_place_closes_who_would_miss_it),
		TEST(a_closing_client_is_told_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
