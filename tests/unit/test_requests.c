/* Requests that the app answers, now or later: one at a time, in order, or never. */
#include "tests/unit/transport_bench.h"

#define ASK(method, path)                                      \
	say(b, method " " path " HTTP/1.1\r\nHost: h\r\n\r\n", \
	    strlen(method " " path " HTTP/1.1\r\nHost: h\r\n\r\n"))

static void until_asked(struct bench *b, const char *asked)
{
	while (!b->asking)
		turn(b);
	assert_string_equal(b->asked, asked);
}

static void give(struct bench *b, int status, const char *body)
{
	struct http_answer answer = { .status = status, .body_len = strlen(body) };
	struct link *link = b->asking;

	b->asking = NULL;
	link_answer(link, &answer, body);
}

static void a_request_is_answered_later(void **state)
{
	struct bench *b = *state;

	ASK("POST", "/api/x");
	until_asked(b, "POST /api/x");
	for (unsigned i = 0; i < 10; i++)
		turn(b);
	give(b, 201, "{1}\n");
	hear_answer(b, "HTTP/1.1 201 ");
	upgrade(b); /* the connection lives on */
}

static void pipelined_ones_are_asked_one_at_a_time(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	ASK("GET", "/api/2");
	say(b, PAGE, strlen(PAGE));
	until_asked(b, "GET /api/1");
	for (unsigned i = 0; i < 10; i++)
		turn(b);
	assert_int_equal(b->n_requests, 1);
	give(b, 200, "{1}\n");
	until_asked(b, "GET /api/2");
	give(b, 200, "{2}\n");
	hear_answer(b, "HTTP/1.1 200 ");
	hear_answer(b, "HTTP/1.1 200 ");
	hear_answer(b, "HTTP/1.1 404 ");
}

static void what_comes_while_one_waits_is_kept(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	until_asked(b, "GET /api/1");
	ASK("GET", "/api/2");
	for (unsigned i = 0; i < 10; i++)
		turn(b);
	assert_int_equal(b->n_requests, 1);
	give(b, 200, "{1}\n");
	until_asked(b, "GET /api/2");
	give(b, 200, "{2}\n");
	hear_answer(b, "HTTP/1.1 200 ");
	hear_answer(b, "HTTP/1.1 200 ");
}

static void head_gets_no_body(void **state)
{
	struct bench *b = *state;

	ASK("HEAD", "/api/1");
	until_asked(b, "HEAD /api/1");
	give(b, 200, "{no such thing}\n");
	ASK("GET", "/api/2");
	until_asked(b, "GET /api/2");
	give(b, 200, "{2}\n");
	hear_text(b, "HTTP/1.1 200 OK\r\n");
	hear_answer(b, "Date: ");
}

static void who_is_gone_is_answered_no_more(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	until_asked(b, "GET /api/1");
	close(b->client);
	give(b, 200, "{1}\n"); /* into the void */
	while (transport_links(b->transport))
		turn(b);
	assert_int_equal(b->n_gone, 0);
	b->client = adopt(b);
}

static void the_app_is_told_when_the_transport_ends(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	until_asked(b, "GET /api/1");
	transport_close(b->transport);
	b->closed_by_test = true;
	assert_int_equal(b->n_gone, 1);
}

static void an_app_that_does_not_answer_is_given_up(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	until_asked(b, "GET /api/1");
	hear_answer(b, "HTTP/1.1 503 ");
	assert_int_equal(b->n_gone, 1);
	ended(b);
}

static void a_drain_waits_for_answers_and_no_longer(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	until_asked(b, "GET /api/1");
	transport_drain(b->transport, 1);
	for (unsigned i = 0; i < 100; i++)
		uv_run(&b->loop, UV_RUN_ONCE);
	assert_int_equal(b->n_gone, 0);
	give(b, 200, "{1}\n");
	hear_answer(b, "HTTP/1.1 200 ");
	ended(b);
}

static void a_refused_answer_is_counted_as_such(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/api/1");
	until_asked(b, "GET /api/1");
	give(b, 401, "{1}\n");
	hear_answer(b, "HTTP/1.1 401 ");
	assert_int_equal(counter_get(&b->slot, COUNTER_refused_401), 1);
}

static void handshakes_are_paced(void **state)
{
	struct bench *b = *state;

	upgrade(b);
	close(b->client);
	b->client = adopt(b);
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_answer(b, "HTTP/1.1 503 ");
	assert_int_equal(counter_get(&b->slot, COUNTER_handshakes_late_worker), 1);
}

static void those_of_an_address_are(void **state)
{
	struct bench *b = *state;

	upgrade(b);
	close(b->client);
	b->client = adopt(b);
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_answer(b, "HTTP/1.1 429 ");
	assert_int_equal(counter_get(&b->slot, COUNTER_handshakes_late_address), 1);
}

static int set_up_pacing(void **state)
{
	handshakes_per_s = 1;
	return set_up(state);
}

static int set_up_pacing_addresses(void **state)
{
	handshakes_per_address = 1;
	return set_up(state);
}

static int tear_down_pacing(void **state)
{
	handshakes_per_s = handshakes_per_address = 0;
	return tear_down(state);
}

int main(void)
{
#define TEST_OF(f, up) cmocka_unit_test_setup_teardown(f, up, tear_down_pacing)
#define TEST(f)        TEST_OF(f, set_up)
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_answered_later),
		TEST(pipelined_ones_are_asked_one_at_a_time),
		TEST(what_comes_while_one_waits_is_kept),
		TEST(head_gets_no_body),
		TEST(who_is_gone_is_answered_no_more),
		TEST(the_app_is_told_when_the_transport_ends),
		TEST_OF(an_app_that_does_not_answer_is_given_up,
			set_up_short_of_patience),
		TEST(a_drain_waits_for_answers_and_no_longer),
		TEST(a_refused_answer_is_counted_as_such),
		TEST_OF(handshakes_are_paced, set_up_pacing),
		TEST_OF(those_of_an_address_are, set_up_pacing_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
