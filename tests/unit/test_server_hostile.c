/* Slow, silent and greedy clients, and no descriptors: others are answered. */
#include "tests/unit/server_client.h"

#include <sys/resource.h>

/* Until the server closes. */
static void send_now_and_then(struct client *client, const char *text)
{
	const uint64_t began_ns = clock_mono_ns();
	uint64_t last_ns = began_ns;

	while (!client->is_over) {
		assert_true(clock_mono_ns() - began_ns < WAIT_MS * MS_NS);
		if (clock_mono_ns() - last_ns > 10 * MS_NS) {
			client_send(client, text);
			last_ns = clock_mono_ns();
		}
		turn(client);
	}
}

static void a_request_that_takes_too_long_is_408(void **state)
{
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client client;
	uint64_t began_ns;

	limits.request_timeout_ms = 150;
	bench_open(&bench, &limits);
	client_open(&client, &bench);
	began_ns = clock_mono_ns();
	client_send(&client, "GET / HTTP/1.1\r\n");
	send_now_and_then(&client, "x"); /* wins no time */
	assert_true(clock_mono_ns() - began_ns >= 140 * MS_NS);
	assert_int_equal(client.error, 0);
	assert_true(client_has_status(&client, 408));
	assert_int_equal(client_count(&client, "Connection: close\r\n"), 1);
	assert_int_equal(server_counts(bench.server)->timeouts, 1);
	client_close(&client);
	bench_close(&bench);
}

static void silence_is_closed_without_a_word(void **state)
{
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client client;
	uint64_t began_ns;

	limits.idle_timeout_ms = 150;
	bench_open(&bench, &limits);
	client_open(&client, &bench);
	began_ns = clock_mono_ns(); /* before: this process may be kept from running */
	expect_echoed(&client, "/a");
	send_now_and_then(&client, "\r\n"); /* is silence */
	assert_true(clock_mono_ns() - began_ns >= 140 * MS_NS);
	assert_int_equal(client.len, 0);
	assert_int_equal(server_counts(bench.server)->timeouts, 0);
	client_close(&client);
	bench_close(&bench);
}

static void after_a_pause_of_the_process_nobody_is_late_who_was_not(void **state)
{
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client client;

	limits.request_timeout_ms = 300;
	bench_open(&bench, &limits);
	client_open(&client, &bench);
	client_send(&client, "GET /a HTTP/1.1\r\n");
	turn(&client);
	turn(&client);
	assert_int_equal(server_counts(bench.server)->connections, 1);
	client_send(&client, "Host: a\r\n\r\n");
	(void)poll(NULL, 0, 1000); /* the fault: the loop does not run */
	WAIT_FOR(&client, client.len > 0 && client_ends(&client, "\r\n\r\na"));
	assert_true(client_has_status(&client, 200));
	client_close(&client);
	bench_close(&bench);
}

static void a_slow_reader_gets_all_of_it_and_holds_up_nobody(void **state)
{
	struct bench bench;
	struct client slow, client;

	bench_open(&bench, &LIMITS);
	client_open(&slow, &bench);
	client_open(&client, &bench);
	slow.budget = 0;
	for (unsigned i = 0; i < 3; i++)
		client_get(&slow, "/big?n=8000000");
	client_get(&slow, "/end");
	for (unsigned i = 0; i < 10; i++)
		expect_echoed(&client, "/me");
	/* The first answer is not out, so the second is not even asked for. */
	assert_int_equal(server_counts(bench.server)->requests, 11);
	slow.budget = SIZE_MAX;
	WAIT_FOR(&slow, client_ends(&slow, "\r\n\r\nend"));
	assert_true(slow.len > 24000000 && slow.len < 24001000);
	assert_int_equal(client_count(&slow, "Content-Length: 8000000\r\n"), 3);
	client_close(&slow);
	client_close(&client);
	bench_close(&bench);
}

static void who_does_not_read_is_dropped_at_the_deadline(void **state)
{
	struct server_limits limits = LIMITS;
	struct bench bench;
	struct client slow, client;

	limits.request_timeout_ms = 150;
	bench_open(&bench, &limits);
	client_open(&slow, &bench);
	client_open(&client, &bench);
	slow.budget = 0;
	client_get(&slow, "/big?n=16000000");
	WAIT_FOR(&client, server_counts(bench.server)->timeouts == 1);
	assert_int_equal(server_counts(bench.server)->connections, 1);
	expect_echoed(&client, "/me");
	client_close(&slow);
	client_close(&client);
	bench_close(&bench);
}

static void who_lingers_is_closed_in_the_end(void **state)
{
	struct bench bench;
	struct client rude, client;

	bench_open(&bench, &LIMITS);
	client_open(&rude, &bench);
	client_open(&client, &bench);
	client_send(&rude, "\n");
	WAIT_FOR(&rude, rude.is_over);
	assert_int_equal(server_counts(bench.server)->connections, 2);
	WAIT_FOR(&client, server_counts(bench.server)->connections == 1);
	expect_echoed(&client, "/me");
	client_close(&rude);
	client_close(&client);
	bench_close(&bench);
}

/* ---- without descriptors --------------------------------------------------------- */

enum {
	FD_LIMIT = 200
};

struct scarcity {
	struct rlimit limit; /* as it was */
	int fds[FD_LIMIT];
	unsigned n_taken;
};

/* Takes all descriptors but `n_left`. */
static void scarcity_begin(struct scarcity *scarcity, unsigned n_left)
{
	struct rlimit limit;
	int fd;

	scarcity->n_taken = 0;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &scarcity->limit), 0);
	limit = scarcity->limit;
	limit.rlim_cur = FD_LIMIT;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		scarcity->fds[scarcity->n_taken++] = fd;
	assert_int_equal(errno, EMFILE);
	while (n_left-- > 0)
		(void)close(scarcity->fds[--scarcity->n_taken]); /* /dev/null */
}

static void scarcity_end(struct scarcity *scarcity)
{
	while (scarcity->n_taken > 0)
		(void)close(scarcity->fds[--scarcity->n_taken]); /* /dev/null */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &scarcity->limit), 0);
}

static void without_descriptors_each_new_client_is_served(void **state)
{
	struct scarcity scarcity;
	struct bench bench;
	struct client clients[3];

	bench_open(&bench, &LIMITS);
	for (unsigned i = 0; i < 3; i++)
		client_open(&clients[i], &bench);
	scarcity_begin(&scarcity, 0);
	/* The first gets the spare one, each other that of the one before. */
	WAIT_FOR(&clients[2], server_counts(bench.server)->accepted == 3);
	expect_echoed(&clients[2], "/c");
	assert_int_equal(server_counts(bench.server)->shed, 2);
	assert_int_equal(server_counts(bench.server)->connections, 1);
	scarcity_end(&scarcity);
	for (unsigned i = 0; i < 3; i++)
		client_close(&clients[i]);
	bench_close(&bench);
}

static void without_any_descriptor_the_server_waits_and_does_not_spin(void **state)
{
	struct scarcity scarcity;
	struct bench bench;
	struct client client;
	struct why why;
	uint64_t until_ns;
	unsigned n_turns = 0;
	int fd;

	/* Open the server with the last descriptor, so that it gets no spare one. */
	bench_open(&bench, &LIMITS);
	server_close(bench.server);
	assert_int_equal(uv_run(&bench.loop, UV_RUN_DEFAULT), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	scarcity_begin(&scarcity, 1);
	assert_int_equal(server_open(&bench.loop, "127.0.0.1:0", &LIMITS, handle, &bench,
				     &bench.server, &why),
			 0);
	client_connect(&client, &bench, fd);

	until_ns = clock_mono_ns() + 300 * MS_NS;
	for (; clock_mono_ns() < until_ns; n_turns++)
		turn(&client);
	assert_true(n_turns < 40);
	assert_int_equal(server_counts(bench.server)->accepted, 0);

	(void)close(scarcity.fds[--scarcity.n_taken]); /* /dev/null */
	expect_echoed(&client, "/a");
	scarcity_end(&scarcity);
	client_close(&client);
	bench_close(&bench);
}

static void an_address_that_cannot_be_had_is_told(void **state)
{
	static const struct {
		const char *address;
		int rc;
	} rows[] = {
		{ "127.0.0.1", -EINVAL },
		{ "nowhere:80", -EINVAL },
		{ "192.0.2.1:0", -EADDRNOTAVAIL },
	};
	char taken[32];
	struct bench bench;
	struct server *server = NULL;
	struct why why;

	bench_open(&bench, &LIMITS);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		why.text[0] = '\0';
		assert_int_equal(server_open(&bench.loop, rows[i].address, &LIMITS,
					     handle, &bench, &server, &why),
				 rows[i].rc);
		assert_non_null(strstr(why.text, rows[i].address));
	}
	snprintf(taken, sizeof taken, "127.0.0.1:%u", server_port(bench.server));
	assert_int_equal(
		server_open(&bench.loop, taken, &LIMITS, handle, &bench, &server, &why),
		-EADDRINUSE);
	assert_non_null(strstr(why.text, "Address already in use"));
	assert_null(server);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_that_takes_too_long_is_408),
		cmocka_unit_test(silence_is_closed_without_a_word),
		cmocka_unit_test(after_a_pause_of_the_process_nobody_is_late_who_was_not),
		cmocka_unit_test(a_slow_reader_gets_all_of_it_and_holds_up_nobody),
		cmocka_unit_test(who_does_not_read_is_dropped_at_the_deadline),
		cmocka_unit_test(who_lingers_is_closed_in_the_end),
		cmocka_unit_test(without_descriptors_each_new_client_is_served),
		cmocka_unit_test(
			without_any_descriptor_the_server_waits_and_does_not_spin),
		cmocka_unit_test(an_address_that_cannot_be_had_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
