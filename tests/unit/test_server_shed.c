/* Beyond the cap somebody goes: whoever can best be spared, and never a new client. */
#include "tests/unit/server_client.h"

/* Clients that have each begun a request, in the order in which they came. */
static void fill_with_half_requests(struct bench *bench, struct client *clients,
				    unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		client_open(&clients[i], bench);
		client_send(&clients[i], "GET /");
		WAIT_FOR(&clients[i], server_counts(bench->server)->accepted == i + 1);
		turn(&clients[i]);
	}
}

static void beyond_the_cap_the_longest_idle_goes(void **state)
{
	enum {
		MAX = 8
	};
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client clients[MAX], last;

	limits.connections_max = MAX;
	bench_open(&bench, &limits);
	for (unsigned i = 0; i < MAX; i++) {
		client_open(&clients[i], &bench);
		expect_echoed(&clients[i], "/a");
	}
	expect_echoed(&clients[0], "/a"); /* now 1 is the longest idle but for … */
	client_send(&clients[1], "GET");  /* … that it begins a request */
	turn(&clients[1]);
	turn(&clients[1]);
	client_open(&last, &bench);
	expect_echoed(&last, "/b");
	WAIT_FOR(&clients[2], clients[2].is_over);
	assert_int_equal(server_counts(bench.server)->connections, MAX);
	assert_int_equal(server_counts(bench.server)->shed, 1);
	expect_echoed(&clients[0], "/c");
	client_send(&clients[1], " /d HTTP/1.1\r\nHost: a\r\n\r\n");
	WAIT_FOR(&clients[1], client_ends(&clients[1], "\r\n\r\nd"));
	for (unsigned i = 0; i < MAX; i++)
		client_close(&clients[i]);
	client_close(&last);
	bench_close(&bench);
}

static void if_none_is_idle_the_oldest_request_goes(void **state)
{
	enum {
		MAX = 8
	};
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client clients[MAX], last;

	limits.connections_max = MAX;
	bench_open(&bench, &limits);
	fill_with_half_requests(&bench, clients, MAX);
	client_open(&last, &bench);
	expect_echoed(&last, "/b");
	WAIT_FOR(&clients[0], clients[0].is_over);
	assert_false(clients[1].is_over);
	assert_int_equal(server_counts(bench.server)->shed, 1);
	for (unsigned i = 0; i < MAX; i++)
		client_close(&clients[i]);
	client_close(&last);
	bench_close(&bench);
}

/* Both come in one turn of the loop: the first is not idle because it has said nothing.
 */
static void half_requests_keep_nobody_from_an_answer(void **state)
{
	enum {
		MAX = 8
	};
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client clients[MAX], me, other;

	limits.connections_max = MAX;
	bench_open(&bench, &limits);
	fill_with_half_requests(&bench, clients, MAX);
	client_open(&me, &bench);
	client_open(&other, &bench);
	expect_echoed(&me, "/me");
	assert_int_equal(server_counts(bench.server)->shed, 2);
	for (unsigned i = 0; i < MAX; i++)
		client_close(&clients[i]);
	client_close(&me);
	client_close(&other);
	bench_close(&bench);
}

static void five_thousand_idle_connections_keep_nobody_from_an_answer(void **state)
{
	enum {
		N = 5000
	};
	struct server_limits limits = LIMITS;
	struct client *idle = calloc(N, sizeof *idle);
	struct bench bench;
	struct client client;

	limits.connections_max = 256;
	bench_open(&bench, &limits);
	for (unsigned i = 0; i < N; i++) {
		client_open(&idle[i], &bench);
		/* All wait to be accepted, a thousand at a time. */
		if (i % 1000 < 999)
			continue;
		client_open(&client, &bench);
		expect_echoed(&client, "/me");
		client_close(&client);
	}
	client_open(&client, &bench);
	expect_echoed(&client, "/me");
	assert_true(server_counts(bench.server)->connections <= 256);
	assert_true(server_counts(bench.server)->shed >= N - 256);
	client_close(&client);
	for (unsigned i = 0; i < N; i++)
		client_close(&idle[i]);
	free(idle);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_the_cap_the_longest_idle_goes),
		cmocka_unit_test(if_none_is_idle_the_oldest_request_goes),
		cmocka_unit_test(half_requests_keep_nobody_from_an_answer),
		cmocka_unit_test(
			five_thousand_idle_connections_keep_nobody_from_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
