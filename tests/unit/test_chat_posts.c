/* Who has no connection sends messages all the same, and asks who is in a room. */
#include "tests/unit/fake_links.h"

static struct cast_out out;

static struct text text(const char *of)
{
	return (struct text){ of, (uint32_t)strlen(of) };
}

/* ---- posts ---------------------------------------------------------------------- */

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

/* ---- census --------------------------------------------------------------------- */

static struct counted_users {
	unsigned n;
	char users[256]; /* each with a blank behind it */
	uint64_t total;
	bool complete;
} counted;

static void on_census(void *app, const struct chat_census *census)
{
	assert_ptr_equal(app, &counted);
	counted.n++;
	counted.total = census->total;
	counted.complete = census->complete;
	*counted.users = '\0';
	for (uint32_t i = 0; i < census->n && i < 8; i++) {
		size_t len = strlen(counted.users);

		snprintf(counted.users + len, sizeof counted.users - len, "%.*s ",
			 (int)census->users[i].len, census->users[i].at);
	}
}

static struct census *census;

static void begin(void)
{
	memset(&counted, 0, sizeof counted);
	n_casts = 0;
	assert_int_equal(census_begin(chat, text("a"), on_census, &counted, &census), 0);
	assert_int_equal(counted.n, 0);
}

/* The worker in this slot answers the question that was cast last. */
static void counted_heard(unsigned from, uint32_t n, const char *names, bool last)
{
	struct cast_in question;
	uint32_t asker, number;
	char copy[256], *save, *name;

	assert_true(cast_read(&question, casts[0].bytes, casts[0].len));
	assert_int_equal(question.kind, CAST_CENSUS);
	assert_true(cast_next_number(&question, &asker) &&
		    cast_next_number(&question, &number));
	cast_begin(&out, CAST_COUNTED, last ? CAST_LAST : 0);
	assert_true(cast_put_number(&out, asker) && cast_put_number(&out, number) &&
		    cast_put_number(&out, n));
	snprintf(copy, sizeof copy, "%s", names);
	for (name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
		assert_true(cast_put_name(&out, text(name), false));
	chat_heard(chat, from, 40 + from, out.bytes, out.len);
	flush();
}

static void alone_it_is_known_at_once(void **state)
{
	chat_start(3);
	join(&links[0], "a");
	join(&links[2], "a");
	begin();
	flush();
	assert_int_equal(counted.n, 1);
	assert_string_equal(counted.users, "u0 u2 ");
	assert_int_equal(counted.total, 2);
	assert_true(counted.complete);
	assert_int_equal(n_casts, 0);
}

static void a_room_that_nobody_is_in_is_empty(void **state)
{
	chat_start(0);
	begin();
	flush();
	assert_int_equal(counted.n, 1);
	assert_int_equal(counted.total, 0);
}

static void others_are_asked_and_a_user_of_two_counts_once(void **state)
{
	n_peers = 2;
	chat_start(1);
	join(&links[0], "a");
	begin();
	flush();
	assert_int_equal(counted.n, 0);
	counted_heard(0, 3, "u0 ann", false);
	counted_heard(0, 3, "bob", true);
	assert_int_equal(counted.n, 0);
	counted_heard(1, 0, "", true);
	assert_int_equal(counted.n, 1);
	assert_string_equal(counted.users, "u0 ann bob ");
	assert_int_equal(counted.total, 3);
	assert_true(counted.complete);
}

static void those_without_a_name_are_counted(void **state)
{
	n_peers = 1;
	chat_start(0);
	begin();
	counted_heard(0, 5000, "ann bob", true);
	assert_int_equal(counted.total, 5000);
	assert_string_equal(counted.users, "ann bob ");
}

static void who_does_not_answer_in_time_is_missing(void **state)
{
	n_peers = 2;
	chat_start(0);
	begin();
	counted_heard(0, 1, "ann", true);
	now_ms += 499;
	flush();
	assert_int_equal(counted.n, 0);
	now_ms++;
	flush();
	assert_int_equal(counted.n, 1);
	assert_int_equal(counted.total, 1);
	assert_false(counted.complete);
	counted_heard(1, 1, "bob", true); /* too late */
	assert_int_equal(counted.n, 1);
}

static void who_is_gone_is_not_waited_for(void **state)
{
	n_peers = 2;
	chat_start(0);
	begin();
	counted_heard(0, 1, "ann", true);
	chat_peer_gone(chat, 1, 40); /* an earlier life */
	flush();
	assert_int_equal(counted.n, 0);
	chat_peer_gone(chat, 1, 41);
	flush();
	assert_int_equal(counted.n, 1);
	assert_true(counted.complete);
}

static void another_s_question_is_answered(void **state)
{
	struct cast_in answer;
	struct text name;
	uint32_t number[3];
	bool flag;

	chat_start(1);
	join(&links[0], "a");
	for (unsigned i = 0; i < 2; i++) {
		n_casts = 0;
		cast_begin(&out, CAST_CENSUS, 0);
		assert_true(cast_put_number(&out, 9) && cast_put_number(&out, 77));
		assert_true(cast_put_name(&out, text(i ? "b" : "a"), false));
		chat_heard(chat, 3, 9, out.bytes, out.len);
		assert_int_equal(n_casts, 1);
		assert_true(cast_read(&answer, casts[0].bytes, casts[0].len));
		assert_int_equal(answer.kind, CAST_COUNTED);
		assert_int_equal(answer.flags, CAST_LAST);
		for (unsigned k = 0; k < 3; k++)
			assert_true(cast_next_number(&answer, &number[k]));
		assert_int_equal(number[0], 9);
		assert_int_equal(number[1], 77);
		assert_int_equal(number[2], !i);
		assert_int_equal(cast_next_name(&answer, &name, &flag), !i);
	}
}

static void many_are_named_in_as_many_casts_as_it_takes(void **state)
{
	static struct link many[200];
	unsigned before;

	chat_start(0);
	for (unsigned i = 0; i < 200; i++) {
		char user[65];

		snprintf(user, sizeof user, "%060u", i);
		many[i].session = chat_opened(chat, &many[i], "s", user, NULL);
		join(&many[i], "a");
	}
	before = n_casts;
	cast_begin(&out, CAST_CENSUS, 0);
	assert_true(cast_put_number(&out, 9) && cast_put_number(&out, 77));
	assert_true(cast_put_name(&out, text("a"), false));
	chat_heard(chat, 3, 9, out.bytes, out.len);
	assert_int_equal(n_casts - before, 4);
	assert_int_equal(casts[before].bytes[1], 0);
	assert_int_equal(casts[before + 3].bytes[1], CAST_LAST);
	for (unsigned i = 0; i < 200; i++)
		hang_up(&many[i]);
}

static void they_are_bounded_and_can_be_forgotten(void **state)
{
	struct census *some[64];

	n_peers = 1;
	chat_start(0);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(
			census_begin(chat, text("a"), on_census, &counted, &some[i]), 0);
	assert_int_equal(census_begin(chat, text("a"), on_census, &counted, &census),
			 -EAGAIN);
	counted.n = 0;
	for (unsigned i = 0; i < 63; i++)
		census_forget(chat, some[i]);
	now_ms += 500;
	flush();
	assert_int_equal(counted.n, 1);
	begin(); /* one that the end of the chat finds */
}

static void without_casts_others_cannot_be_asked(void **state)
{
	n_peers = 1;
	chat_start(0);
	cast_answer = -EAGAIN;
	assert_int_equal(census_begin(chat, text("a"), on_census, &counted, &census),
			 -EAGAIN);
}

static void nonsense_is_passed_over(void **state)
{
	n_peers = 1;
	chat_start(0);
	begin();
	for (unsigned i = 0; i < 64; i++) {
		out.bytes[0] = i % 2 ? CAST_CENSUS : CAST_COUNTED;
		out.len = 2 + i / 2 % 16;
		chat_heard(chat, 0, 40, out.bytes, out.len);
		flush();
	}
	assert_int_equal(counted.n, 0);
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
		TEST(alone_it_is_known_at_once),
		TEST(a_room_that_nobody_is_in_is_empty),
		TEST(others_are_asked_and_a_user_of_two_counts_once),
		TEST(those_without_a_name_are_counted),
		TEST(who_does_not_answer_in_time_is_missing),
		TEST(who_is_gone_is_not_waited_for),
		TEST(another_s_question_is_answered),
		TEST(many_are_named_in_as_many_casts_as_it_takes),
		TEST(they_are_bounded_and_can_be_forgotten),
		TEST(without_casts_others_cannot_be_asked),
		TEST(nonsense_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
