/* Who was away, and a room that a message was lost on the way to, get what they missed.
 */
#include "tests/unit/fake_links.h"

/* The link got the messages from .. to of room a, and nothing else. */
static void assert_got_messages(struct link *link, uint64_t from, uint64_t to)
{
	const char *at = link->got;

	link->got[link->got_len] = '\0';
	for (uint64_t seq = from; seq <= to; seq++) {
		unsigned long long got = 0;

		assert_int_equal(sscanf(at,
					"{\"op\":\"message\",\"room\":\"a\",\"seq\":%llu",
					&got),
				 1);
		assert_int_equal(got, seq);
		at = strchr(at, '\n') + 1;
	}
	assert_string_equal(at, "");
	link->got_len = link->n_events = 0;
	link->got[0] = '\0';
}

/* Takes what was told up to the first line's end. */
static void assert_first_line(struct link *link, const char *expected)
{
	size_t len = strlen(expected);

	assert_true(link->got_len >= len);
	assert_memory_equal(link->got, expected, len);
	memmove(link->got, link->got + len, link->got_len - len + 1);
	link->got_len -= len;
}

static void a_resume_gets_exactly_what_was_missed(void **state)
{
	chat_start(1);
	store_holds("a", 1, 1000);
	join_since(&links[0], "a", 300);
	assert_first_line(&links[0], JOINED("a", "1000", "1"));
	assert_got_messages(&links[0], 301, 1000);
	assert_int_equal(n_reads, 3); /* pages of 256 */
	heard("a", 1001);
	assert_got_messages(&links[0], 1001, 1001);
	assert_int_equal(counter_get(&slot, COUNTER_deliveries), 701);
}

static void a_resume_from_the_beginning_gets_all(void **state)
{
	chat_start(1);
	store_holds("a", 1, 3);
	join_since(&links[0], "a", 0);
	assert_got(&links[0], JOINED("a", "3", "1") MESSAGE("a", "1") MESSAGE("a", "2")
				      MESSAGE("a", "3"));
}

static void a_recent_resume_is_served_from_the_log(void **state)
{
	chat_start(2);
	store_holds("a", 1, 10);
	join(&links[0], "a");
	for (unsigned seq = 11; seq <= 15; seq++)
		heard("a", seq);
	n_reads = 0;
	join_since(&links[1], "a", 12);
	assert_first_line(&links[1], JOINED("a", "15", "2"));
	assert_got_messages(&links[1], 13, 15);
	leave(&links[1], "a");
	links[1].got_len = 0;
	join_since(&links[1], "a", 15);
	assert_got(&links[1], JOINED("a", "15", "2"));
	leave(&links[1], "a");
	links[1].got_len = 0;
	join_since(&links[1], "a", 10);
	assert_first_line(&links[1], JOINED("a", "15", "2"));
	assert_got_messages(&links[1], 11, 15);
	assert_int_equal(n_reads, 0);
}

/* Messages stream in between the parts of a resume. */
static void there_is_no_seam_between_store_and_log(void **state)
{
	uint64_t head = 600;

	chat_start(2);
	store_holds("a", 1, head);
	join(&links[0], "a");
	links[0].got_len = 0;
	reads_wait = true;
	join_since(&links[1], "a", 0);
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < 7; k++)
			heard("a", ++head);
		if (n_asked)
			answer_read(0);
		heard("a", ++head);
	}
	assert_first_line(&links[1], JOINED("a", "607", "2"));
	assert_got_messages(&links[1], 1, head);
	assert_got_messages(&links[0], 601, head);
	assert_int_equal(n_asked, 0);
}

static void a_hole_is_read_from_the_store(void **state)
{
	chat_start(3);
	for (unsigned i = 0; i < 3; i++) {
		join(&links[i], "a");
		links[i].got_len = 0;
	}
	heard("a", 1);
	reads_wait = true;
	n_reads = 0;
	heard("a", 5); /* 2 to 4 were lost */
	heard("a", 6);
	assert_got_messages(&links[0], 1, 1);
	answer_read(0);
	assert_got_messages(&links[0], 2, 6);
	assert_got_messages(&links[1], 1, 6);
	assert_got_messages(&links[2], 1, 6);
	assert_int_equal(n_reads, 1); /* for all three */
	assert_int_equal(counter_get(&slot, COUNTER_gaps), 1);
	heard("a", 7);
	assert_got_messages(&links[2], 7, 7);
}

/* The one that told of it died before it did: only its repeat is heard. */
static void a_repeat_of_what_was_not_heard_is_read_from_the_store(void **state)
{
	struct message message = stored_message("a", 2);

	message.body.len = 0;
	chat_start(2);
	join(&links[0], "a");
	join(&links[1], "a");
	links[0].got_len = links[1].got_len = 0;
	send_id(&links[0], "a", "x");
	heard("a", 1);
	store_holds("a", 1, 2);
	chat_sequenced(chat, &message, true, true, submits[0].ticket);
	flush();
	assert_non_null(strstr(links[0].got, "\"op\":\"sent\",\"ref\":9,\"room\":\"a\","
					     "\"id\":\"x\",\"seq\":2"));
	assert_got_messages(&links[1], 1, 2);
	chat_sequenced(chat, &message, true, false, 0); /* once more: known */
	flush();
	assert_got_messages(&links[1], 1, 0);
}

static void a_look_finds_what_nobody_told(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	join(&links[1], "b");
	links[0].got_len = links[1].got_len = 0;
	store_holds("a", 1, 3);
	chat_look(chat);
	flush();
	assert_got_messages(&links[0], 1, 3);
	assert_got(&links[1], "");
	heard("a", 3); /* late */
	heard("a", 4);
	assert_got_messages(&links[0], 4, 4);
}

static void an_overrun_loses_nothing(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	links[0].got_len = 0;
	send_id(&links[0], "a", "x");
	n_submits = 0;
	store_holds("a", 1, 300);
	chat_overrun(chat);
	flush();
	assert_got_messages(&links[0], 1, 300);
	assert_int_equal(n_submits, 1);
}

/* The store fails while a member catches up: it waits, and goes on. */
static void a_store_that_fails_meanwhile_only_delays(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	links[0].got_len = 0;
	reads_wait = true;
	heard("a", 3);
	answer_read(-ETIMEDOUT);
	assert_int_equal(n_asked, 0); /* not at once again */
	chat_tick(chat, 100);
	flush();
	assert_int_equal(n_asked, 1);
	answer_read(0);
	assert_got_messages(&links[0], 1, 3);
	read_refusal = -ENOTCONN;
	heard("a", 5);
	read_refusal = 0;
	chat_look(chat); /* it is back */
	flush();
	answer_read(0);
	assert_got_messages(&links[0], 4, 5);
}

static void history_that_is_trimmed_is_told(void **state)
{
	chat_start(3);
	store_holds("a", 51, 60);
	join_since(&links[0], "a", 20);
	assert_first_line(&links[0], "{\"op\":\"joined\",\"room\":\"a\",\"head\":60,"
				     "\"first\":51,\"members\":1}\n");
	assert_got_messages(&links[0], 51, 60);
	join_since(&links[1], "a", 50); /* nothing of that is gone */
	assert_first_line(&links[1], JOINED("a", "60", "2"));
	assert_got_messages(&links[1], 51, 60);
	store_holds("b", 61, 60);
	join_since(&links[2], "b", 20); /* all of it is gone */
	assert_got(&links[2],
		   "{\"op\":\"joined\",\"room\":\"b\",\"head\":60,\"first\":61,"
		   "\"members\":1}\n");
	heard("b", 61);
	assert_got(&links[2], MESSAGE("b", "61"));
}

/* It cannot be told where it stands: the next join is told. */
static void history_that_is_trimmed_under_a_reader_ends_its_link(void **state)
{
	chat_start(1);
	store_holds("a", 1, 600);
	reads_wait = true;
	join_since(&links[0], "a", 0);
	answer_read(0);
	store_holds("a", 500, 600);
	answer_read(0);
	assert_int_equal(links[0].closed, CLOSE_SLOW_READER);
}

static void who_has_seen_more_than_there_is_is_told_by_the_head(void **state)
{
	chat_start(1);
	store_holds("a", 1, 5);
	join_since(&links[0], "a", 9);
	assert_got(&links[0], JOINED("a", "5", "1"));
	heard("a", 6);
	assert_got(&links[0], MESSAGE("a", "6"));
}

/* It was told of 7 by another worker; this one has heard of 5 so far. */
static void who_has_seen_more_than_is_heard_here_gets_nothing_twice(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	for (unsigned seq = 1; seq <= 5; seq++)
		heard("a", seq);
	store_holds("a", 1, 8);
	links[0].got_len = 0;
	join_since(&links[1], "a", 7);
	for (unsigned seq = 6; seq <= 9; seq++)
		heard("a", seq);
	assert_first_line(&links[1], JOINED("a", "8", "2"));
	assert_got_messages(&links[1], 8, 9);
	assert_got_messages(&links[0], 6, 9);
}

/* Many behind one room: pages are read for all, not for each. */
static void resumes_share_their_reads(void **state)
{
	limits.rooms_per_link = 100;
	chat_start(LINKS);
	store_holds("a", 1, 5000);
	reads_wait = true;
	for (unsigned i = 0; i < LINKS; i++)
		join_since(&links[i], "a", 4900 - 10 * i);
	while (n_asked)
		answer_read(0);
	for (unsigned i = 0; i < LINKS; i++) {
		size_t joined = sizeof JOINED("a", "5000", "1") - 1;

		links[i].got_len -= joined;
		memmove(links[i].got, links[i].got + joined, links[i].got_len);
		assert_got_messages(&links[i], 4901 - 10 * i, 5000);
	}
	assert_true(n_reads <= 3);
}

/* One that wants everything does not keep another from the little it wants. */
static void a_long_resume_does_not_hold_up_a_short_one(void **state)
{
	chat_start(2);
	store_holds("a", 1, 100000);
	reads_wait = true;
	join_since(&links[0], "a", 0);
	answer_read(0);
	join_since(&links[1], "a", 99000);
	for (unsigned i = 0; i < 10; i++)
		answer_read(0);
	assert_int_equal(links[1].n_events, 1001);
	assert_true(links[0].n_events > 1000);
}

/* A page is asked for when the socket has room for it, and goes when others need its
 * place. */
static void who_does_not_read_costs_no_memory_and_harms_nobody(void **state)
{
	limits.catchup_bytes = 200000; /* half of it: four pages */
	chat_start(LINKS);
	store_holds("a", 1, 3000);
	for (unsigned i = 0; i < 7; i++) {
		links[i].stuck = true;
		join_since(&links[i], "a", 400 * i);
	}
	assert_true(counter_get(&slot, COUNTER_catchup_bytes) <= 100000);
	join_since(&links[7], "a", 0);
	assert_first_line(&links[7], JOINED("a", "3000", "8"));
	assert_got_messages(&links[7], 1, 3000);
	for (unsigned i = 0; i < 7; i++) {
		links[i].stuck = false;
		links[i].got_len = 0;
		do {
			while (take(&links[i], 5000))
				;
			flush();
		} while (chat_has_next(links[i].session));
		links[i].got_len -= sizeof JOINED("a", "3000", "1") - 1;
		memmove(links[i].got, strchr(links[i].got, '\n') + 1, links[i].got_len);
		assert_got_messages(&links[i], 400 * i + 1, 3000);
	}
}

/* A member who reads pages slowly is not closed for the log that goes on without it. */
static void a_slow_resume_is_not_a_slow_reader(void **state)
{
	uint64_t head = 200;

	limits.room_log_bytes = 4096;
	chat_start(2);
	store_holds("a", 1, head);
	join(&links[1], "a");
	links[0].stuck = true;
	join_since(&links[0], "a", 0);
	take(&links[0], 1000); /* joined */
	flush();
	for (unsigned i = 0; i < 400; i++)
		heard("a", ++head);
	assert_int_equal(links[0].closed, 0);
	links[0].stuck = false;
	do {
		while (take(&links[0], 700))
			;
		flush();
	} while (chat_has_next(links[0].session));
	assert_first_line(&links[0], JOINED("a", "200", "2"));
	assert_got_messages(&links[0], 1, head);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_resume_gets_exactly_what_was_missed),
		TEST(a_resume_from_the_beginning_gets_all),
		TEST(a_recent_resume_is_served_from_the_log),
		TEST(there_is_no_seam_between_store_and_log),
		TEST(a_hole_is_read_from_the_store),
		TEST(a_repeat_of_what_was_not_heard_is_read_from_the_store),
		TEST(a_look_finds_what_nobody_told),
		TEST(an_overrun_loses_nothing),
		TEST(a_store_that_fails_meanwhile_only_delays),
		TEST(history_that_is_trimmed_is_told),
		TEST(history_that_is_trimmed_under_a_reader_ends_its_link),
		TEST(who_has_seen_more_than_there_is_is_told_by_the_head),
		TEST(who_has_seen_more_than_is_heard_here_gets_nothing_twice),
		TEST(resumes_share_their_reads),
		TEST(a_long_resume_does_not_hold_up_a_short_one),
		TEST(who_does_not_read_costs_no_memory_and_harms_nobody),
		TEST(a_slow_resume_is_not_a_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
