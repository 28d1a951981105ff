/* Streams: bounded, apart from requests, and no reader of one holds up anybody. */
#include "tests/unit/server_client.h"

#include <sys/resource.h>

static void say(struct bench *bench, const char *text)
{
	server_stream(bench->server, BENCH_STREAM, text, strlen(text));
}

static void listen_to(struct client *client, struct bench *bench)
{
	client_open(client, bench);
	client_get(client, "/stream");
	WAIT_FOR(client, client_ends(client, "\r\n\r\nbegins\n"));
}

static void expect_answered(struct bench *bench, const char *path, int status)
{
	struct client client;

	client_open(&client, bench);
	client_get(&client, path);
	WAIT_FOR(&client, client.len > 0);
	assert_true(client_has_status(&client, status));
	client_close(&client);
}

static void a_stream_goes_on_until_the_server_closes(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	listen_to(&client, &bench);
	assert_true(client_has_status(&client, 200));
	assert_int_equal(client_count(&client, "Content-Length"), 0);
	assert_int_equal(client_count(&client, "Connection: close\r\n"), 1);
	say(&bench, "one\n");
	server_stream(bench.server, BENCH_STREAM + 1, "not for it\n", 11);
	say(&bench, "two\n");
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\nbegins\none\ntwo\n"));
	assert_int_equal(server_counts(bench.server)->streams, 1);
	assert_int_equal(server_counts(bench.server)->connections, 0);
	server_close(bench.server);
	bench.server = NULL;
	WAIT_FOR(&client, client.is_over);
	assert_int_equal(client.error, 0);
	client_close(&client);
	bench_close(&bench);
}

static void head_of_a_stream_is_no_stream(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	client_open(&client, &bench);
	client_send(&client, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	client_get(&client, "/b");
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\nb"));
	assert_int_equal(client_count(&client, "begins"), 0);
	assert_int_equal(server_counts(bench.server)->streams_opened, 0);
	client_close(&client);
	bench_close(&bench);
}

static void there_are_no_more_streams_than_may_be(void **state)
{
	struct bench bench;
	struct client clients[2];

	bench_open(&bench, &LIMITS);
	listen_to(&clients[0], &bench);
	listen_to(&clients[1], &bench);
	expect_answered(&bench, "/stream", 503);
	assert_int_equal(server_counts(bench.server)->streams_refused, 1);
	client_close(&clients[0]);
	WAIT_FOR(&clients[1], server_counts(bench.server)->streams == 1);
	expect_answered(&bench, "/stream", 200);
	assert_int_equal(server_counts(bench.server)->streams_opened, 3);
	client_close(&clients[1]);
	bench_close(&bench);
}

static void streams_take_no_place_of_a_request(void **state)
{
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client clients[2];

	limits.connections_max = 1;
	bench_open(&bench, &limits);
	listen_to(&clients[0], &bench);
	listen_to(&clients[1], &bench);
	for (unsigned i = 0; i < 10; i++)
		expect_answered(&bench, "/a", 200);
	assert_int_equal(server_counts(bench.server)->streams, 2);
	client_forget(&clients[0]);
	say(&bench, "begins\non\n");
	for (unsigned i = 0; i < 2; i++) {
		WAIT_FOR(&clients[i], client_ends(&clients[i], "begins\non\n"));
		client_close(&clients[i]);
	}
	bench_close(&bench);
}

/* Says so much that a reader who does not read is behind: more than the kernel takes. */
static void fall_behind(struct client *slow)
{
	slow->budget = 0;
	for (unsigned n = 0; server_streams(slow->bench->server, BENCH_STREAM) > 0; n++) {
		server_stream(slow->bench->server, BENCH_STREAM, slow->bench->big,
			      1 << 20);
		assert_true(n < 16);
	}
}

static void a_reader_that_is_behind_is_dropped_and_the_others_go_on(void **state)
{
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client slow, client;

	limits.request_timeout_ms = 150;
	bench_open(&bench, &limits);
	listen_to(&slow, &bench);
	fall_behind(&slow);
	assert_int_equal(server_counts(bench.server)->streams, 1);
	listen_to(&client, &bench);
	say(&bench, "late\n"); /* the slow one is passed over */
	WAIT_FOR(&client, client_ends(&client, "begins\nlate\n"));
	WAIT_FOR(&client, server_counts(bench.server)->streams == 1);
	assert_int_equal(server_counts(bench.server)->streams_dropped, 1);
	assert_int_equal(server_counts(bench.server)->timeouts, 0);
	say(&bench, "on\n");
	WAIT_FOR(&client, client_ends(&client, "begins\nlate\non\n"));
	client_close(&slow);
	client_close(&client);
	bench_close(&bench);
}

static void a_reader_that_catches_up_goes_on(void **state)
{
	struct bench bench;
	struct client slow;

	bench_open(&bench, &LIMITS);
	listen_to(&slow, &bench);
	fall_behind(&slow);
	say(&bench, "passed over\n");
	slow.budget = SIZE_MAX;
	WAIT_FOR(&slow, server_streams(bench.server, BENCH_STREAM) == 1);
	say(&bench, "again\n");
	WAIT_FOR(&slow, client_ends(&slow, "bagain\n"));
	assert_true(slow.len > 1 << 20);
	assert_int_equal(client_count(&slow, "passed"), 0);
	client_close(&slow);
	bench_close(&bench);
}

static void who_talks_into_a_stream_is_closed_in_the_end(void **state)
{
	struct bench bench;
	struct client client;

	bench_open(&bench, &LIMITS);
	listen_to(&client, &bench);
	client_send(&client, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
	say(&bench, "on\n");
	WAIT_FOR(&client, client_ends(&client, "begins\non\n"));
	while (server_counts(bench.server)->streams == 1) {
		client_send(&client, "more and more and more and more and more\n");
		turn(&client);
	}
	client_close(&client);
	bench_close(&bench);
}

static void out_of_descriptors_a_stream_gives_way_to_a_request(void **state)
{
	struct rlimit limit, before;
	struct bench bench;
	struct client stream, client;
	int fd, next;

	bench_open(&bench, &LIMITS);
	listen_to(&stream, &bench);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	next = dup(fd);
	assert_true(next > fd);
	(void)close(next); /* was only to learn its number */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	client_connect(&client, &bench, fd);
	client_get(&client, "/a");
	WAIT_FOR(&client, client_ends(&client, "\r\n\r\na"));
	WAIT_FOR(&stream, stream.is_over);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(server_counts(bench.server)->shed, 1);
	client_close(&client);
	client_close(&stream);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_goes_on_until_the_server_closes),
		cmocka_unit_test(head_of_a_stream_is_no_stream),
		cmocka_unit_test(there_are_no_more_streams_than_may_be),
		cmocka_unit_test(streams_take_no_place_of_a_request),
		cmocka_unit_test(a_reader_that_is_behind_is_dropped_and_the_others_go_on),
		cmocka_unit_test(a_reader_that_catches_up_goes_on),
		cmocka_unit_test(who_talks_into_a_stream_is_closed_in_the_end),
		cmocka_unit_test(out_of_descriptors_a_stream_gives_way_to_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
