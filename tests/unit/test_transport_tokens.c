/* Who has no token does not get in, and who has one stays until it ends. */
#include "tests/unit/transport_bench.h"

#define EXPIRED            \
	"\x88\x17\x0f\xa1" \
	"the token has expired"

static void without_a_good_token_it_is_401_and_no_word_why(void **state)
{
	struct bench *b = *state;

	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_answer(b, "HTTP/1.1 401 ");
	ended(b);
	assert_int_equal(b->n_judged, 1);
	assert_int_equal(b->n_opened, 0);
	assert_int_equal(counter_get(&b->slot, COUNTER_refused_401), 1);
}

static void a_refusal_says_which_scheme_is_wanted(void **state)
{
	struct bench *b = *state;
	char got[1024] = { 0 };

	say(b, HANDSHAKE, strlen(HANDSHAKE));
	(void)hear(b, (uint8_t *)got, sizeof got - 1);
	assert_non_null(strstr(got, "\r\nWWW-Authenticate: Bearer\r\n"));
	assert_non_null(strstr(got, "\"error\":\"a valid token is needed\""));
}

static void who_is_refused_anyway_costs_no_signature(void **state)
{
	struct bench *b = *state;

	b->total = 100;
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_answer(b, "HTTP/1.1 503 ");
	assert_int_equal(b->n_judged, 0);
}

/* Answers pings until something else comes, which must be the end. */
static void hear_the_end(struct bench *b)
{
	uint8_t got[sizeof EXPIRED - 1];

	for (;;) {
		assert_int_equal(hear(b, got, 2), 2);
		if (got[0] != 0x89)
			break;
		say_frame(b, FRAME_PONG, "");
	}
	assert_int_equal(hear(b, got + 2, sizeof got - 2), sizeof got - 2);
	assert_memory_equal(got, EXPIRED, sizeof got);
}

static void a_link_is_told_and_closed_when_its_token_ends(void **state)
{
	struct bench *b = *state;
	int64_t from_ms = clock_wall_ms();

	b->ends_in_ms = 200;
	upgrade(b);
	hear_the_end(b);
	assert_true(clock_wall_ms() - from_ms >= 200);
	assert_true(clock_wall_ms() - from_ms < 1200);
	assert_int_equal(b->n_closed, 1);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_expired), 1);
	ended(b);
}

static void a_token_that_ended_meanwhile_ends_the_link_at_once(void **state)
{
	struct bench *b = *state;

	b->ends_in_ms = -1;
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	while (!b->n_closed)
		turn(b);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_expired), 1);
	assert_int_equal(b->n_opened, 1);
}

static void who_leaves_earlier_is_not_looked_for(void **state)
{
	struct bench *b = *state;

	b->ends_in_ms = 150;
	upgrade(b);
	close(b->client);
	b->client = adopt(b);
	while (!b->n_closed)
		turn(b);
	b->ends_in_ms = 300;
	upgrade(b);
	say_frame(b, FRAME_CLOSE, "");
	hear_text(b, "\x88");
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_expired), 0);
}

/* The ping falls due first, and its answer would have time until after the end. */
static void an_unanswered_ping_does_not_put_off_the_end(void **state)
{
	struct bench *b = *state;
	uint8_t got[sizeof EXPIRED - 1];

	b->ends_in_ms = 90;
	upgrade(b);
	do
		assert_int_equal(hear(b, got, 2), 2);
	while (got[0] == 0x89);
	assert_int_equal(got[0], 0x88);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_expired), 1);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_timeout), 0);
}

static void who_is_silent_leaves_long_before_his_token_ends(void **state)
{
	struct bench *b = *state;

	b->ends_in_ms = INT32_MAX;
	upgrade(b);
	while (!b->n_closed)
		turn(b);
	assert_int_equal(counter_get(&b->slot, COUNTER_pings_out), 1);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_timeout), 1);
}

static int set_up_without_pings(void **state)
{
	return set_up_with(state, 60000, 60000, true, NULL);
}

static void every_token_ends_in_its_time(void **state)
{
	static const int64_t ends_in_ms[] = { 300, 100, 200 };
	struct bench *b = *state;
	int clients[3] = { b->client, adopt(b), adopt(b) };
	int64_t from_ms = clock_wall_ms();
	unsigned n_ended = 0;

	for (unsigned i = 0; i < 3; i++) {
		b->ends_in_ms = ends_in_ms[i];
		b->client = clients[i];
		say(b, HANDSHAKE, strlen(HANDSHAKE));
		hear_upgrade(b);
	}
	while (n_ended < 3) {
		turn(b);
		for (unsigned i = 0; i < 3; i++) {
			uint8_t got[sizeof EXPIRED];

			if (recv(clients[i], got, sizeof got, 0) <= 0)
				continue;
			assert_memory_equal(got, EXPIRED, sizeof EXPIRED - 1);
			assert_true(clock_wall_ms() - from_ms >= ends_in_ms[i]);
			n_ended++;
		}
	}
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_expired), 3);
	close(clients[0]);
	close(clients[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_for_tokens, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_a_good_token_it_is_401_and_no_word_why),
		TEST(a_refusal_says_which_scheme_is_wanted),
		TEST(who_is_refused_anyway_costs_no_signature),
		TEST(a_link_is_told_and_closed_when_its_token_ends),
		TEST(a_token_that_ended_meanwhile_ends_the_link_at_once),
		TEST(who_leaves_earlier_is_not_looked_for),
		TEST(an_unanswered_ping_does_not_put_off_the_end),
		TEST(who_is_silent_leaves_long_before_his_token_ends),
		cmocka_unit_test_setup_teardown(every_token_ends_in_its_time,
						set_up_without_pings, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
