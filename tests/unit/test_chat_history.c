/* What was said is had again, in parts, without harming anybody. */
#include "tests/unit/fake_links.h"

#define SAID(seq) "{\"seq\":" seq ",\"id\":\"i\",\"from\":\"ann\",\"at\":1000,\"body\":1}"
#define HISTORY(messages, first, head, more)                                   \
	"{\"op\":\"history\",\"ref\":1,\"room\":\"a\",\"messages\":[" messages \
	"],\"first\":" first ",\"head\":" head ",\"more\":" more "}\n"

static void start_in_room(uint64_t first, uint64_t head)
{
	chat_start(1);
	store_holds("a", first, head);
	join(&links[0], "a");
	links[0].got_len = links[0].n_events = 0;
}

static void ask_history(const char *range)
{
	char json[128];

	snprintf(json, sizeof json, "{\"op\":\"history\",\"room\":\"a\",\"ref\":1%s}",
		 range);
	ask(&links[0], json);
}

static void history_is_had_from_either_end(void **state)
{
	start_in_room(1, 9);
	ask_history(",\"limit\":2");
	assert_got(&links[0], HISTORY(SAID("8") "," SAID("9"), "1", "9", "true"));
	ask_history(",\"limit\":2,\"before\":8");
	assert_got(&links[0], HISTORY(SAID("6") "," SAID("7"), "1", "9", "true"));
	ask_history(",\"limit\":2,\"after\":0");
	assert_got(&links[0], HISTORY(SAID("1") "," SAID("2"), "1", "9", "true"));
	ask_history(",\"after\":8");
	assert_got(&links[0], HISTORY(SAID("9"), "1", "9", "false"));
	ask_history(",\"before\":1");
	assert_got(&links[0], HISTORY("", "1", "9", "false"));
	ask_history(",\"after\":9");
	assert_got(&links[0], HISTORY("", "1", "9", "false"));
}

static void what_is_no_longer_kept_is_told_by_first(void **state)
{
	start_in_room(8, 9);
	ask_history(",\"after\":2");
	assert_got(&links[0], HISTORY(SAID("8") "," SAID("9"), "8", "9", "false"));
}

static void history_is_for_members(void **state)
{
	chat_start(1);
	ask_history("");
	assert_non_null(strstr(links[0].got, "\"ref\":1,\"code\":\"not_member\""));
	assert_int_equal(n_reads, 0);
}

static void one_answer_at_a_time(void **state)
{
	start_in_room(1, 1);
	reads_wait = true;
	ask_history("");
	ask_history("");
	assert_non_null(strstr(links[0].got, "\"ref\":1,\"code\":\"busy\""));
	links[0].got_len = 0;
	links[0].stuck = true;
	answer_read(0);
	ask_history(""); /* the answer is not taken yet */
	links[0].stuck = false;
	while (take(&links[0], 10))
		;
	assert_non_null(strstr(links[0].got, "\"code\":\"busy\""));
	assert_non_null(strstr(links[0].got, "\"op\":\"history\""));
	links[0].got_len = 0;
	reads_wait = false;
	ask_history("");
	assert_got(&links[0], HISTORY(SAID("1"), "1", "1", "false"));
}

static void a_store_that_is_away_is_told(void **state)
{
	start_in_room(1, 1);
	read_refusal = -ENOTCONN;
	ask_history("");
	assert_non_null(strstr(links[0].got, "\"ref\":1,\"code\":\"unavailable\""));
	links[0].got_len = 0;
	read_refusal = 0;
	reads_wait = true;
	ask_history("");
	answer_read(-EIO);
	assert_non_null(strstr(links[0].got, "\"ref\":1,\"code\":\"unavailable\""));
}

static void who_leaves_or_hangs_up_meanwhile_leaves_nothing_behind(void **state)
{
	start_in_room(1, 3);
	reads_wait = true;
	ask_history("");
	leave(&links[0], "a");
	assert_got(&links[0], LEFT("a"));
	answer_read(0); /* it was a member when it asked */
	assert_int_equal(links[0].n_events, 1);
	reads_wait = false;
	join(&links[0], "a");
	links[0].stuck = true;
	ask_history("");
	assert_true(counter_get(&slot, COUNTER_catchup_bytes) > 0);
	hang_up(&links[0]);
	assert_int_equal(counter_get(&slot, COUNTER_catchup_bytes), 0);
}

static const char *long_body(const char *room, uint64_t seq)
{
	static char body[1003];

	(void)room;
	(void)seq;
	memset(body, 'x', sizeof body - 1);
	body[0] = body[sizeof body - 2] = '"';
	return body;
}

/* Far more than an outbox may hold: neither refused nor the end of a slow link. */
static void a_long_answer_does_not_count_as_a_slow_reader(void **state)
{
	body_of = long_body;
	start_in_room(1, 60);
	links[0].stuck = true;
	ask_history("");
	ask(&links[0], "{\"op\":\"ping\"}");
	assert_int_equal(links[0].closed, 0);
	links[0].stuck = false;
	while (take(&links[0], 10000))
		;
	assert_int_equal(links[0].n_events, 2);
	assert_true(links[0].got_len > 50 * 1000);
}

static void answers_that_nobody_takes_are_bounded_in_all(void **state)
{
	unsigned n_busy = 0;

	body_of = long_body;
	limits.catchup_bytes = 300000;
	chat_start(LINKS);
	store_holds("a", 1, 60);
	for (unsigned i = 0; i < LINKS; i++) {
		join(&links[i], "a");
		links[i].got_len = 0;
		links[i].stuck = true;
		ask(&links[i], "{\"op\":\"history\",\"room\":\"a\"}");
		assert_true(counter_get(&slot, COUNTER_catchup_bytes) <= 150000);
	}
	for (unsigned i = 0; i < LINKS; i++) {
		while (take(&links[i], 1000))
			;
		n_busy += strstr(links[i].got, "\"code\":\"busy\"") != NULL;
	}
	assert_int_equal(n_busy, LINKS - 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(history_is_had_from_either_end),
		TEST(what_is_no_longer_kept_is_told_by_first),
		TEST(history_is_for_members),
		TEST(one_answer_at_a_time),
		TEST(a_store_that_is_away_is_told),
		TEST(who_leaves_or_hangs_up_meanwhile_leaves_nothing_behind),
		TEST(a_long_answer_does_not_count_as_a_slow_reader),
		TEST(answers_that_nobody_takes_are_bounded_in_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
