/* A message is compressed once, for all in the room who read it so, and only for them. */
#include "tests/unit/fake_links.h"

static const char long_body[] =
	"\"again and again and again and again and again and again and again and again\"";
#define LONG_MESSAGE(seq)                                                          \
	"{\"op\":\"message\",\"room\":\"a\",\"seq\":" seq                          \
	",\"id\":\"i\",\"from\":\"ann\",\"at\":1000,\"body\":"                     \
	"\"again and again and again and again and again and again and again and " \
	"again\""                                                                  \
	"}\n"

static void say_long(uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++) {
		said("a", seq, long_body, false, 0);
		flush();
	}
}

/* The first `n` compress, the others do not; all are in the room. */
static void start(unsigned n_deflating, unsigned n)
{
	chat_start(n);
	for (unsigned i = 0; i < n; i++) {
		if (i < n_deflating)
			deflates(&links[i]);
		join(&links[i], "a");
		links[i].got_len = links[i].n_events = 0;
	}
}

static void a_message_is_compressed_once_for_all_its_receivers(void **state)
{
	start(3, 5);
	say_long(1, 2);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(links[i].n_compressed, i < 3 ? 2 : 0);
		assert_got(&links[i], LONG_MESSAGE("1") LONG_MESSAGE("2"));
	}
	assert_int_equal(counter_get(&slot, COUNTER_deflated), 2);
	assert_int_equal(counter_get(&slot, COUNTER_deliveries), 10);
	assert_true(counter_get(&slot, COUNTER_deflate_to) <
		    counter_get(&slot, COUNTER_deflate_from));
}

static void where_nobody_reads_it_nothing_is_compressed(void **state)
{
	start(1, 2);
	leave(&links[0], "a");
	assert_int_equal(counter_get(&slot, COUNTER_deflated), 0);
	say_long(1, 1);
	assert_int_equal(counter_get(&slot, COUNTER_deflated), 0);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 4096);
	join(&links[0], "a");
	say_long(2, 2);
	assert_int_equal(counter_get(&slot, COUNTER_deflated), 1);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 8192);
	leave(&links[0], "a");
	flush();
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 4096);
}

static void a_room_of_compressing_members_keeps_no_plain_frames(void **state)
{
	start(2, 2);
	say_long(1, 3);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 4096);
	assert_got(&links[1], LONG_MESSAGE("1") LONG_MESSAGE("2") LONG_MESSAGE("3"));
}

static void a_short_message_goes_as_it_is(void **state)
{
	limits.deflate_min = 100;
	start(1, 1);
	heard("a", 1);
	assert_got(&links[0], MESSAGE("a", "1"));
	assert_int_equal(links[0].n_compressed, 0);
	say_long(2, 2);
	assert_int_equal(links[0].n_compressed, 1);
}

static void what_gets_no_shorter_goes_as_it_is(void **state)
{
	static const char noise[] = "\"xQ7!kZ2@pL9#\"";

	start(1, 1);
	said("a", 1, noise, false, 0);
	flush();
	assert_int_equal(links[0].n_events, 1);
	assert_int_equal(counter_get(&slot, COUNTER_deflated), links[0].n_compressed);
}

static void a_resume_goes_from_the_store_to_the_compressed_log(void **state)
{
	start(1, 2);
	leave(&links[0], "a");
	say_long(1, 3); /* nobody reads it compressed */
	links[0].got_len = links[0].n_events = 0;
	join_since(&links[0], "a", 1);
	say_long(4, 4);
	assert_int_equal(links[0].n_events, 4); /* joined, 2, 3, 4 */
	assert_int_equal(links[0].n_compressed, 1);
	links[0].got[links[0].got_len] = 0;
	assert_non_null(strstr(links[0].got, LONG_MESSAGE("4")));
}

static void a_slow_reader_of_one_form_harms_nobody_of_either(void **state)
{
	limits.room_log_bytes = 4096;
	start(2, 4);
	links[0].stuck = links[2].stuck = true;
	say_long(1, 200);
	assert_int_equal(links[0].closed, CLOSE_SLOW_READER);
	assert_int_equal(links[2].closed, CLOSE_SLOW_READER);
	assert_int_equal(links[1].closed, 0);
	assert_int_equal(links[3].closed, 0);
	assert_int_equal(links[1].n_events, 200);
	assert_int_equal(links[3].n_events, 200);
	assert_int_equal(counter_get(&slot, COUNTER_members), 2);
}

static void a_burst_in_one_turn_is_read_by_both(void **state)
{
	limits.room_log_bytes = 4096;
	start(1, 2);
	for (uint64_t seq = 1; seq <= 500; seq++)
		said("a", seq, long_body, false, 0);
	flush();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(links[i].closed, 0);
		assert_int_equal(links[i].n_events, 500);
	}
}

static void without_memory_for_a_log_its_readers_alone_go(void **state)
{
	limits.room_logs_bytes = 4096; /* one log, and not two */
	start(1, 2);
	say_long(1, 1);
	assert_int_equal(links[0].closed ? links[1].closed : 0, 0);
	assert_int_equal((links[0].closed != 0) + (links[1].closed != 0), 1);
	assert_int_equal(links[0].closed + links[1].closed, CLOSE_TRY_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)
		TEST(a_message_is_compressed_once_for_all_its_receivers),
		TEST(where_nobody_reads_it_nothing_is_compressed),
		TEST(a_room_of_compressing_members_keeps_no_plain_frames),
		TEST(a_short_message_goes_as_it_is),
		TEST(what_gets_no_shorter_goes_as_it_is),
		TEST(a_resume_goes_from_the_store_to_the_compressed_log),
		TEST(a_slow_reader_of_one_form_harms_nobody_of_either),
		TEST(a_burst_in_one_turn_is_read_by_both),
		TEST(without_memory_for_a_log_its_readers_alone_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
