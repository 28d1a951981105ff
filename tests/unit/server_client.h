/*
 * server_client - a server and clients of it on one loop, for test_server.c.
 *
 * Everything runs in one thread: each wait runs the loop until what is waited for has
 * come, and fails after WAIT_MS. /N answers with N, /big?n=N with N bytes, a body
 * with itself; /stream is one, that begins with "begins\n".
 */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "healthd/server.h"

enum {
	WAIT_MS = 60000, /* of a busy machine under a sanitizer */
	BIG_MAX = 16 << 20,
	BENCH_STREAM = 7 /* the kind */
};

struct bench {
	uv_loop_t loop;
	struct server *server;
	char *big;
	char body[256];
};

struct client {
	struct bench *bench;
	int fd;
	char *in; /* all that came, terminated */
	size_t len;
	bool is_over;  /* the server has closed */
	int error;     /* errno if not gracefully */
	size_t budget; /* bytes it may still read */
};

static const struct server_limits LIMITS = {
	.connections_max = 64,
	.streams_max = 2,
	.request_timeout_ms = 60000,
	.idle_timeout_ms = 60000,
	.requests_max = 1000000,
	.head_max = 1024,
	.body_max = 128,
};

static void handle(void *app, const struct http_request *request,
		   struct server_answer *ret_answer)
{
	struct bench *bench = app;
	char n[16];

	ret_answer->head.status = 200;
	ret_answer->head.type = "text/plain";
	ret_answer->body = bench->body;
	if (strcmp(request->path, "/big") == 0) {
		assert_true(http_query(request->query, "n", n, sizeof n) > 0);
		ret_answer->body = bench->big;
		ret_answer->body_len = (size_t)atol(n);
		return;
	}
	if (strcmp(request->path, "/stream") == 0) {
		ret_answer->stream = BENCH_STREAM;
		ret_answer->body = "begins\n";
		ret_answer->body_len = 7;
		return;
	}
	ret_answer->body_len = (size_t)snprintf(bench->body, sizeof bench->body, "%s%s",
						request->path + 1, request->body);
}

static void bench_open(struct bench *bench, const struct server_limits *limits)
{
	struct why why = { "" };

	memset(bench, 0, sizeof *bench);
	bench->big = malloc(BIG_MAX);
	assert_non_null(bench->big);
	memset(bench->big, 'b', BIG_MAX);
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	if (server_open(&bench->loop, "127.0.0.1:0", limits, handle, bench,
			&bench->server, &why) < 0)
		fail_msg("%s", why.text);
}

/* That the loop closes proves that no handle is left. */
static void bench_close(struct bench *bench)
{
	server_close(bench->server);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench->big);
}

/* Takes a socket that is not yet connected. */
static void client_connect(struct client *client, struct bench *bench, int fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	memset(client, 0, sizeof *client);
	client->bench = bench;
	client->budget = SIZE_MAX;
	client->fd = fd;
	address.sin_port = htons((uint16_t)server_port(bench->server));
	assert_true(client->fd >= 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof address),
			 0);
	assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
}

static void client_open(struct client *client, struct bench *bench)
{
	client_connect(client, bench, socket(AF_INET, SOCK_STREAM, 0));
}

static void client_close(struct client *client)
{
	(void)close(client->fd); /* a test's socket */
	free(client->in);
	client->in = NULL;
}

/* Reads what is there. */
static void client_read(struct client *client)
{
	char bytes[65536];

	while (!client->is_over && client->budget > 0) {
		size_t max = client->budget < sizeof bytes ? client->budget
							   : sizeof bytes;
		ssize_t n = recv(client->fd, bytes, max, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		client->is_over = n <= 0;
		if (n < 0)
			client->error = errno;
		if (n <= 0)
			return;
		client->budget -= (size_t)n;
		client->in = realloc(client->in, client->len + (size_t)n + 1);
		assert_non_null(client->in);
		memcpy(client->in + client->len, bytes, (size_t)n);
		client->len += (size_t)n;
		client->in[client->len] = '\0';
	}
}

/* One turn of the loop, after waiting for something to do. */
static void turn(struct client *client)
{
	struct pollfd fds[] = {
		{ .fd = client->budget && !client->is_over ? client->fd : -1,
		  .events = POLLIN },
		{ .fd = uv_backend_fd(&client->bench->loop), .events = POLLIN },
	};
	int timeout_ms;

	uv_update_time(&client->bench->loop);
	timeout_ms = uv_backend_timeout(&client->bench->loop);
	if (timeout_ms < 0 || timeout_ms > 20)
		timeout_ms = 20;
	(void)poll(fds, 2, timeout_ms); /* if it fails, the wait fails */
	(void)uv_run(&client->bench->loop, UV_RUN_NOWAIT); /* says that handles live */
	client_read(client);
}

#define WAIT_FOR(client, condition)                                                     \
	do {                                                                            \
		uint64_t until_ns_ = clock_mono_ns() + WAIT_MS * MS_NS;                 \
		while (!(condition)) {                                                  \
			if (clock_mono_ns() > until_ns_)                                \
				fail_msg("waited in vain for %s; came: %.2000s",        \
					 #condition, (client)->in ? (client)->in : ""); \
			turn(client);                                                   \
		}                                                                       \
	} while (0)

/* Sends all, running the loop while the server does not read. */
static void client_send_bytes(struct client *client, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(client->fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* what was answered is looked at elsewhere */
		if (n < 0)
			turn(client);
		else
			bytes += n, len -= (size_t)n;
	}
}

static void client_send(struct client *client, const char *text)
{
	client_send_bytes(client, text, strlen(text));
}

static void client_get(struct client *client, const char *target)
{
	char text[256];

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	client_send(client, text);
}

/* How many times `text` came. */
static inline size_t client_count(const struct client *client, const char *text)
{
	size_t n = 0;

	for (const char *at = client->in; at && (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* Whether what came ends in `text`. */
static bool client_ends(const struct client *client, const char *text)
{
	size_t len = strlen(text);

	return client->len >= len &&
	       memcmp(client->in + client->len - len, text, len) == 0;
}

/* Whether the first answer has this status. */
static bool client_has_status(const struct client *client, int status)
{
	char line[32];

	snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	return client->in && strncmp(client->in, line, strlen(line)) == 0;
}

static void client_forget(struct client *client)
{
	free(client->in);
	client->in = NULL;
	client->len = 0;
}

static inline void expect_echoed(struct client *client, const char *path)
{
	char end[64];

	snprintf(end, sizeof end, "\r\n\r\n%s", path + 1);
	client_get(client, path);
	WAIT_FOR(client, client_ends(client, end));
	assert_true(client_has_status(client, 200));
	client_forget(client);
}

#endif
