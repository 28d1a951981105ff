/* A send is answered once: with its sequence, or with why there is none. */
#include "tests/unit/fake_links.h"

#define SENT(id, seq)                                                              \
	"{\"op\":\"sent\",\"ref\":9,\"room\":\"a\",\"id\":\"" id "\",\"seq\":" seq \
	",\"at\":1000}\n"

static void start_in_room(unsigned n)
{
	chat_start(n);
	for (unsigned i = 0; i < n; i++) {
		join(&links[i], "a");
		links[i].got_len = links[i].n_events = 0;
	}
}

static void a_send_is_answered_when_it_has_its_sequence(void **state)
{
	start_in_room(2);
	send_id(&links[0], "a", "x");
	assert_got(&links[0], "");
	assert_int_equal(n_submits, 1);
	assert_string_equal(submits[0].id, "x");
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 1);
	said("a", 1, "1", true, submits[0].ticket);
	flush();
	assert_got(&links[0], SENT("x", "1") MESSAGE("a", "1"));
	assert_got(&links[1], MESSAGE("a", "1"));
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
	assert_int_equal(counter_get(&slot, COUNTER_sends_acknowledged), 1);
}

/* Tickets of one worker mean nothing in another's messages. */
static void messages_of_others_answer_nobody(void **state)
{
	start_in_room(1);
	send_id(&links[0], "a", "x");
	said("a", 1, "1", false, submits[0].ticket);
	flush();
	assert_got(&links[0], MESSAGE("a", "1"));
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 1);
}

static void a_send_is_answered_after_leaving_too(void **state)
{
	start_in_room(1);
	send_id(&links[0], "a", "x");
	leave(&links[0], "a");
	said("a", 1, "1", true, submits[0].ticket);
	flush();
	assert_got(&links[0], LEFT("a") SENT("x", "1"));
}

static void sends_that_wait_are_bounded(void **state)
{
	limits.sends_pending = 2;
	start_in_room(1);
	send_id(&links[0], "a", "x");
	send_id(&links[0], "a", "y");
	assert_got(&links[0], "");
	send_id(&links[0], "a", "z");
	assert_got(&links[0], "{\"op\":\"error\",\"ref\":9,\"code\":\"busy\",\"message\":"
			      "\"too much waits; send it later\"}\n");
	assert_int_equal(n_submits, 2);
	assert_int_equal(counter_get(&slot, COUNTER_sends_refused), 1);
	said("a", 1, "1", true, submits[0].ticket);
	send_id(&links[0], "a", "z");
	assert_int_equal(n_submits, 3);
}

static void their_bytes_are_bounded_too(void **state)
{
	limits.sends_pending_bytes = 700;
	start_in_room(1);
	send_id(&links[0], "a", "x");
	send_id(&links[0], "a", "y");
	send_id(&links[0], "a", "z");
	send_id(&links[0], "a", "w");
	assert_non_null(strstr(links[0].got, "\"code\":\"busy\""));
	for (unsigned i = 0; i < n_submits; i++)
		said("a", i + 1, "1", true, submits[i].ticket);
	flush();
	links[0].got_len = 0;
	send_id(&links[0], "a", "w");
	assert_got(&links[0], "");
}

static void a_send_that_cannot_be_handed_over_is_told(void **state)
{
	start_in_room(1);
	submit_answer = -EAGAIN;
	send_id(&links[0], "a", "x");
	assert_non_null(strstr(links[0].got, "\"ref\":9,\"code\":\"busy\""));
	links[0].got_len = 0;
	submit_answer = -EMSGSIZE;
	send_id(&links[0], "a", "x");
	assert_non_null(strstr(links[0].got, "\"ref\":9,\"code\":\"too_long\""));
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
}

static void a_refused_send_is_told(void **state)
{
	start_in_room(1);
	send_id(&links[0], "a", "x");
	chat_refused(chat, submits[0].ticket + 1, REFUSED_busy); /* of nobody */
	flush();
	assert_got(&links[0], "");
	chat_refused(chat, submits[0].ticket, REFUSED_unavailable);
	flush();
	assert_non_null(strstr(links[0].got, "\"ref\":9,\"code\":\"unavailable\""));
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
}

static void a_new_sequencer_gets_what_is_unanswered_in_order(void **state)
{
	uint64_t tickets[3];

	start_in_room(2);
	send_id(&links[0], "a", "x");
	send_id(&links[1], "a", "y");
	send_id(&links[0], "a", "z");
	for (unsigned i = 0; i < 3; i++)
		tickets[i] = submits[i].ticket;
	said("a", 1, "1", true, tickets[1]);
	hang_up(&links[0]); /* its sends stay, and answer nobody */
	n_submits = 0;
	chat_resubmit(chat, true);
	assert_int_equal(n_submits, 2);
	assert_int_equal(submits[0].ticket, tickets[0]);
	assert_string_equal(submits[0].id, "x");
	assert_int_equal(submits[1].ticket, tickets[2]);
	assert_string_equal(submits[1].id, "z");
	said("a", 2, "1", true, tickets[0]);
	said("a", 3, "1", true, tickets[2]);
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
}

static void a_new_sequencer_without_room_makes_sends_fail_in_words(void **state)
{
	start_in_room(1);
	send_id(&links[0], "a", "x");
	send_id(&links[0], "a", "y");
	submit_answer = -EAGAIN;
	chat_resubmit(chat, true);
	flush();
	assert_int_equal(links[0].n_events, 2);
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
}

static void after_an_overrun_sends_are_submitted_again(void **state)
{
	start_in_room(1);
	send_id(&links[0], "a", "x");
	n_submits = 0;
	chat_overrun(chat);
	assert_int_equal(n_submits, 1);
	said("a", 1, "1", true, submits[0].ticket);
	flush();
	assert_got(&links[0], SENT("x", "1") MESSAGE("a", "1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_send_is_answered_when_it_has_its_sequence),
		TEST(messages_of_others_answer_nobody),
		TEST(a_send_is_answered_after_leaving_too),
		TEST(sends_that_wait_are_bounded),
		TEST(their_bytes_are_bounded_too),
		TEST(a_send_that_cannot_be_handed_over_is_told),
		TEST(a_refused_send_is_told),
		TEST(a_new_sequencer_gets_what_is_unanswered_in_order),
		TEST(a_new_sequencer_without_room_makes_sends_fail_in_words),
		TEST(after_an_overrun_sends_are_submitted_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
