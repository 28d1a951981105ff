/* The server answers whoever asks, whatever all the others do. */
#include "tests/unit/server_client.h"

static void a_connection_is_kept_for_the_next_request(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	for (unsigned i = 0; i < 3; i++) {
		client_get(&client, "/hello");
		WAIT_FOR(&client, client_ends(&client, "\r\n\r\nhello"));
		assert_true(client_has_status(&client, 200));
		assert_int_equal(client_count(&client, "Content-Length: 5\r\n"), 1);
		assert_int_equal(client_count(&client, "Connection:"), 0);
		client_forget(&client);
	}
	assert_int_equal(server_counts(bench.server)->accepted, 1);
	assert_int_equal(server_counts(bench.server)->requests, 3);
	assert_int_equal(server_counts(bench.server)->connections, 1);
	client_close(&client);
	bench_close(&bench);
}

/* Sends, and expects one answer that ends in `end` and in the connection's end. */
static void expect_last_answer(const struct server_limits *limits, const char *text,
			       int status, const char *end)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, limits);
	client_open(&client, &bench);
	client_send(&client, text);
	WAIT_FOR(&client, client.is_over);
	assert_int_equal(client.error, 0);
	if (!client_has_status(&client, status))
		fail_msg("not %d: %s", status, client.in ? client.in : "");
	assert_true(client_ends(&client, end));
	assert_int_equal(client_count(&client, "Connection: close\r\n"), 1);
	client_close(&client);
	bench_close(&bench);
}

static void who_asks_for_close_is_answered_and_closed(void **state)
{
	expect_last_answer(&LIMITS,
			   "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
			   "GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
			   200, "\r\n\r\na");
	expect_last_answer(&LIMITS, "GET /a HTTP/1.0\r\n\r\n", 200, "\r\n\r\na");
}

static void http_1_0_is_told_when_its_connection_stays(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	for (unsigned i = 1; i <= 2; i++) {
		client_send(&client, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
		WAIT_FOR(&client, client_count(&client, "\r\n\r\na") == i);
		assert_int_equal(client_count(&client, "Connection: keep-alive\r\n"), i);
	}
	client_close(&client);
	bench_close(&bench);
}

static void head_is_answered_like_get_without_the_body(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	client_send(&client, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	client_get(&client, "/b");
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\nb"));
	assert_int_equal(client_count(&client, "Content-Length: 5\r\n"), 1);
	assert_int_equal(client_count(&client, "hello"), 0);
	client_close(&client);
	bench_close(&bench);
}

static void a_body_arrives_in_whatever_pieces(void **state)
{
	static const char text[] = "POST /a HTTP/1.1\r\nHost: a\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n"
				   "2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n";
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	for (const char *at = text; *at; at++) {
		client_send_bytes(&client, at, 1);
		turn(&client);
	}
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\nabcd"));
	client_forget(&client);
	client_send(&client, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
			     "Expect: 100-continue\r\n\r\n");
	WAIT_FOR(&client, client_ends(&client, "HTTP/1.1 100 Continue\r\n\r\n"));
	client_send(&client, "b");
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\nab"));
	client_close(&client);
	bench_close(&bench);
}

/* "GET /0 …GET /1 …", to be freed. */
static char *many_requests(unsigned n)
{
	char *text = malloc(n * 64u);
	size_t len = 0;

	assert_non_null(text);
	for (unsigned i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n",
				       i);
	return text;
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	enum {
		N = 5000
	};
	char *text = many_requests(N);
	struct bench bench;
	struct client client;
	const char *at;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	client_send(&client, text);
	WAIT_FOR(&client, server_counts(bench.server)->requests == N &&
				  client_ends(&client, "\r\n\r\n4999"));
	at = client.in;
	for (unsigned i = 0; i < N; i++) {
		char body[32];

		snprintf(body, sizeof body, "\r\n\r\n%u", i);
		at = strstr(at, "\r\n\r\n");
		assert_non_null(at);
		assert_memory_equal(at, body, strlen(body));
		at += 4;
	}
	free(text);
	client_close(&client);
	bench_close(&bench);
}

static void who_pipelines_does_not_hold_up_the_others(void **state)
{
	enum {
		N = 200
	};
	char *text = many_requests(N);
	struct bench bench;
	struct client greedy, client;

	bench_open(&bench, &LIMITS);
	client_open(&greedy, &bench);
	client_open(&client, &bench);
	client_send(&greedy, text);
	client_get(&client, "/me");
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\nme"));
	assert_true(server_counts(bench.server)->requests < N / 10);
	WAIT_FOR(&greedy, client_ends(&greedy, "\r\n\r\n199"));
	free(text);
	client_close(&greedy);
	client_close(&client);
	bench_close(&bench);
}

static void the_last_request_of_a_connection_is_told_so(void **state)
{
	struct server_limits limits = LIMITS;

	limits.requests_max = 1;
	expect_last_answer(&limits,
			   "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
			   "GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
			   200, "\r\n\r\na");
}

static void what_is_no_request_is_answered_and_closed(void **state)
{
	char text[4096];

	expect_last_answer(&LIMITS, "GET / HTTP/1.1\r\n\r\n", 400, "Bad Request\"}\n");
	expect_last_answer(&LIMITS, "\x16\x03\x01\x02", 400, "}\n");
	expect_last_answer(&LIMITS, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "}\n");
	expect_last_answer(&LIMITS, "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "}\n");
	expect_last_answer(&LIMITS,
			   "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n",
			   413, "}\n");
	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %02000d\r\n\r\n", 1);
	expect_last_answer(&LIMITS, text, 431, "}\n");
	snprintf(text, sizeof text, "GET /%02000d HTTP/1.1\r\nHost: a\r\n\r\n", 1);
	expect_last_answer(&LIMITS, text, 414, "}\n");
}

/* A close with unread bytes is a reset, which takes the answer from the client. */
static void who_goes_on_sending_still_gets_the_refusal(void **state)
{
	enum {
		MORE = 200 * 1024
	};
	char *more = calloc(1, MORE);
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	client.budget = 0;
	client_send(&client,
		    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 204800\r\n\r\n");
	client_send_bytes(&client, more, MORE);
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	client.budget = SIZE_MAX;
	WAIT_FOR(&client, client.is_over);
	assert_int_equal(client.error, 0);
	assert_true(client_has_status(&client, 413));
	assert_int_equal(server_counts(bench.server)->refused, 1);
	free(more);
	client_close(&client);
	bench_close(&bench);
}

static void who_closes_its_half_early_is_answered(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	client_get(&client, "/a");
	client_get(&client, "/b");
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	WAIT_FOR(&client, client.is_over);
	assert_int_equal(client_count(&client, "\r\n\r\na"), 1);
	assert_true(client_ends(&client, "\r\n\r\nb"));
	client_close(&client);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_kept_for_the_next_request),
		cmocka_unit_test(who_asks_for_close_is_answered_and_closed),
		cmocka_unit_test(http_1_0_is_told_when_its_connection_stays),
		cmocka_unit_test(head_is_answered_like_get_without_the_body),
		cmocka_unit_test(a_body_arrives_in_whatever_pieces),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(who_pipelines_does_not_hold_up_the_others),
		cmocka_unit_test(the_last_request_of_a_connection_is_told_so),
		cmocka_unit_test(what_is_no_request_is_answered_and_closed),
		cmocka_unit_test(who_goes_on_sending_still_gets_the_refusal),
		cmocka_unit_test(who_closes_its_half_early_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
