/* Who has no connection sends messages all the same. */
#include "tests/unit/fake_links.h"

static struct text text(const char *of)
{
	return (struct text){ of, (uint32_t)strlen(of) };
}

static struct posted {
	unsigned n;
	int status;
	uint64_t seq;
	bool repeat;
} posted;

static void on_posted(void *app, int status, const struct message *message, bool repeat)
{
	assert_ptr_equal(app, &posted);
	posted.n++;
	posted.status = status;
	posted.seq = message->seq;
	posted.repeat = repeat;
}

static uint64_t ticket;

static int post(const char *id)
{
	struct message message = { .room = text("a"),
				   .id = text(id),
				   .from = text("backend"),
				   .body = text("1") };

	return chat_post(chat, &message, on_posted, &posted, &ticket);
}

static int setup(void **state)
{
	links_setup(state);
	memset(&posted, 0, sizeof posted);
	return 0;
}

static void a_post_is_answered_when_it_has_its_sequence(void **state)
{
	chat_start(1);
	join(&links[0], "a");
	links[0].got_len = 0;
	assert_int_equal(post("x"), 0);
	assert_int_equal(posted.n, 0);
	assert_int_equal(submits[0].ticket, ticket);
	said("a", 1, "1", true, ticket);
	flush();
	assert_int_equal(posted.n, 1);
	assert_int_equal(posted.status, 0);
	assert_int_equal(posted.seq, 1);
	assert_false(posted.repeat);
	assert_got(&links[0], MESSAGE("a", "1"));
}

static void a_repeat_is_told_as_such(void **state)
{
	struct message message;

	chat_start(0);
	assert_int_equal(post("x"), 0);
	message = stored_message("a", 7);
	chat_sequenced(chat, &message, true, true, ticket);
	assert_int_equal(posted.n, 1);
	assert_int_equal(posted.seq, 7);
	assert_true(posted.repeat);
}

static void a_post_that_is_refused_is_told_why(void **state)
{
	static const struct {
		enum refusal reason;
		int status;
	} rows[] = { { REFUSED_unavailable, -ENOTCONN },
		     { REFUSED_busy, -EAGAIN },
		     { REFUSED_too_long, -EMSGSIZE } };

	chat_start(0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(post("x"), 0);
		chat_refused(chat, ticket, rows[i].reason);
		assert_int_equal(posted.n, i + 1);
		assert_int_equal(posted.status, rows[i].status);
	}
}

static void a_post_that_cannot_be_handed_over_is_not_sent(void **state)
{
	limits.sends_pending = 1;
	chat_start(0);
	submit_answer = -EMSGSIZE;
	assert_int_equal(post("x"), -EMSGSIZE);
	submit_answer = -EAGAIN;
	assert_int_equal(post("x"), -EAGAIN);
	submit_answer = 0;
	assert_int_equal(post("x"), 0);
	assert_int_equal(post("y"), -EAGAIN); /* too much waits */
	assert_int_equal(posted.n, 0);
}

static void a_new_sequencer_gets_posts_again(void **state)
{
	chat_start(0);
	assert_int_equal(post("x"), 0);
	chat_resubmit(chat, true);
	assert_int_equal(n_submits, 2);
	assert_int_equal(submits[1].ticket, ticket);
	said("a", 1, "1", true, ticket);
	said("a", 1, "1", true, ticket);
	assert_int_equal(posted.n, 1);
}

static void one_that_is_forgotten_is_sent_and_answers_nobody(void **state)
{
	chat_start(0);
	assert_int_equal(post("x"), 0);
	chat_post_forget(chat, ticket);
	said("a", 1, "1", true, ticket);
	chat_post_forget(chat, ticket);
	assert_int_equal(posted.n, 0);
	assert_int_equal(counter_get(&slot, COUNTER_sends_acknowledged), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, links_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_post_is_answered_when_it_has_its_sequence),
		TEST(a_repeat_is_told_as_such),
		TEST(a_post_that_is_refused_is_told_why),
		TEST(a_post_that_cannot_be_handed_over_is_not_sent),
		TEST(a_new_sequencer_gets_posts_again),
		TEST(one_that_is_forgotten_is_sent_and_answers_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
