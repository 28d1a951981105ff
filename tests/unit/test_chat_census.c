/* Who is in a room is asked of all workers, by who has no connection. */
#include "tests/unit/fake_links.h"

static struct cast_out out;

static struct text text(const char *of)
{
	return (struct text){ of, (uint32_t)strlen(of) };
}

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
static void counted_heard(unsigned from, uint32_t n, const char *names, uint8_t flags)
{
	struct cast_in question;
	uint32_t asker, number;
	char copy[256], *save, *name;

	assert_true(cast_read(&question, casts[0].bytes, casts[0].len));
	assert_int_equal(question.kind, CAST_CENSUS);
	assert_true(cast_next_number(&question, &asker) &&
		    cast_next_number(&question, &number));
	cast_begin(&out, CAST_COUNTED, flags);
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
	counted_heard(0, 3, "u0 ann", CAST_FIRST);
	counted_heard(0, 3, "bob", CAST_LAST);
	assert_int_equal(counted.n, 0);
	counted_heard(1, 0, "", CAST_FIRST | CAST_LAST);
	assert_int_equal(counted.n, 1);
	assert_string_equal(counted.users, "bob u0 ann "); /* in no order */
	assert_int_equal(counted.total, 3);
	assert_true(counted.complete);
}

static void those_without_a_name_are_counted(void **state)
{
	n_peers = 1;
	chat_start(0);
	begin();
	counted_heard(0, 5000, "ann bob", CAST_FIRST | CAST_LAST);
	assert_int_equal(counted.total, 5000);
	assert_string_equal(counted.users, "bob ann ");
}

static void who_does_not_answer_in_time_is_missing(void **state)
{
	n_peers = 2;
	chat_start(0);
	begin();
	counted_heard(0, 1, "ann", CAST_FIRST | CAST_LAST);
	now_ms += 499;
	flush();
	assert_int_equal(counted.n, 0);
	now_ms++;
	flush();
	assert_int_equal(counted.n, 1);
	assert_int_equal(counted.total, 1);
	assert_false(counted.complete);
	counted_heard(1, 1, "bob", CAST_FIRST | CAST_LAST); /* too late */
	assert_int_equal(counted.n, 1);
}

/* The first cast of a worker's life is, when the sequencer is older than it. */
static void what_was_lost_is_asked_for_again(void **state)
{
	n_peers = 2;
	chat_start(0);
	begin();
	counted_heard(0, 3, "ann bob", CAST_FIRST); /* and the rest is lost */
	chat_tick(chat, now_ms);
	assert_int_equal(n_casts, 2);
	assert_int_equal(casts[1].len, casts[0].len);
	assert_memory_equal(casts[1].bytes, casts[0].bytes, casts[0].len);
	chat_resubmit(chat, false);
	assert_int_equal(n_casts, 3);
	counted_heard(0, 3, "ann bob cy", CAST_FIRST | CAST_LAST);
	counted_heard(0, 3, "ann bob cy", CAST_FIRST | CAST_LAST); /* once more */
	counted_heard(1, 0, "", CAST_FIRST | CAST_LAST);
	assert_int_equal(counted.n, 1);
	assert_int_equal(counted.total, 3);
	assert_true(counted.complete);
	n_casts = 0;
	chat_tick(chat, now_ms);
	assert_int_equal(n_casts, 0);
}

static void who_is_gone_is_not_waited_for(void **state)
{
	n_peers = 2;
	chat_start(0);
	begin();
	counted_heard(0, 1, "ann", CAST_FIRST | CAST_LAST);
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
		assert_int_equal(answer.flags, CAST_FIRST | CAST_LAST);
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
	assert_int_equal(casts[before].bytes[1], CAST_FIRST);
	assert_int_equal(casts[before + 1].bytes[1], 0);
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
#define TEST(f) cmocka_unit_test_setup_teardown(f, links_setup, links_teardown)
	const struct CMUnitTest tests[] = {
		TEST(alone_it_is_known_at_once),
		TEST(a_room_that_nobody_is_in_is_empty),
		TEST(others_are_asked_and_a_user_of_two_counts_once),
		TEST(those_without_a_name_are_counted),
		TEST(who_does_not_answer_in_time_is_missing),
		TEST(what_was_lost_is_asked_for_again),
		TEST(who_is_gone_is_not_waited_for),
		TEST(another_s_question_is_answered),
		TEST(many_are_named_in_as_many_casts_as_it_takes),
		TEST(they_are_bounded_and_can_be_forgotten),
		TEST(without_casts_others_cannot_be_asked),
		TEST(nonsense_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
