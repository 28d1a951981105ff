/*
 * transport_bench - a transport over real sockets, with a chat that only takes notes.
 *
 * For test_transport.c and test_pages.c: the client's end, and the loop, both in the
 * test's hands.
 */
#ifndef TRANSPORT_BENCH_H
#define TRANSPORT_BENCH_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "gateway/transport/transport.h"
#include "gateway/wire/frame.h"

#define HANDSHAKE                                                           \
	"GET /chat?user=ann HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define PAGE "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"

struct bench {
	uv_loop_t loop;
	struct segment_slot slot;
	struct transport *transport;
	struct link *link; /* the last one opened */
	unsigned n_opened, n_closed, n_messages;
	char last[64];
	const uint8_t *outgoing;
	size_t outgoing_len;
	size_t run_max; /* of what goes out, at a time; 0: all at once */
	uint64_t total;
	int client;
	bool closed_by_test;
	unsigned n_judged;   /* tokens */
	int64_t ends_in_ms;  /* of a token that is taken; 0: none is */
	struct link *asking; /* its request waits for the test to answer it */
	char asked[64];      /* method and path of the last request */
	unsigned n_requests, n_gone;
};

static inline int on_authorize(void *app, struct handshake *handshake)
{
	struct bench *b = app;

	b->n_judged++;
	if (!b->ends_in_ms)
		return 401;
	strcpy(handshake->user, "ann");
	handshake->ends_ms = clock_wall_ms() + b->ends_in_ms;
	return 0;
}

static inline void *on_request(void *app, struct link *link,
			       const struct http_request *request)
{
	struct bench *b = app;

	assert_null(b->asking);
	snprintf(b->asked, sizeof b->asked, "%s %s", request->method, request->path);
	b->asking = link;
	b->n_requests++;
	return &b->asking;
}

static inline void on_request_gone(void *app, void *request)
{
	struct bench *b = app;

	assert_ptr_equal(request, &b->asking);
	assert_non_null(b->asking);
	b->asking = NULL;
	b->n_gone++;
}

static inline void *on_opened(void *app, struct link *link,
			      const struct handshake *handshake)
{
	struct bench *b = app;

	assert_string_equal(handshake->user, "ann");
	b->n_opened++;
	b->link = link;
	return b;
}

static inline void on_message(void *conn, const char *data, size_t len)
{
	struct bench *b = conn;

	assert_true(len < sizeof b->last);
	memcpy(b->last, data, len);
	b->last[len] = 0;
	b->n_messages++;
	if (strcmp(b->last, "close me") == 0)
		link_close(b->link, CLOSE_POLICY, "as you wish");
}

static inline size_t on_next(void *conn, size_t max, const uint8_t **ret_data)
{
	struct bench *b = conn;
	size_t len = b->outgoing_len < max ? b->outgoing_len : max;

	if (b->run_max && len > b->run_max)
		len = b->run_max;
	*ret_data = b->outgoing;
	b->outgoing += len;
	b->outgoing_len -= len;
	return len;
}

static inline void on_closed(void *conn)
{
	struct bench *b = conn;

	b->n_closed++;
	b->link = NULL;
}

static inline uint64_t on_total(void *app)
{
	struct bench *b = app;

	return b->total;
}

static inline void turn(struct bench *b)
{
	uv_run(&b->loop, UV_RUN_NOWAIT);
	transport_turn(b->transport);
}

/* With SOCK_SEQPACKET each write is heard apart. */
static inline int adopt_of(struct bench *b, int type)
{
	static const uint8_t address[16] = { 1 };
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	transport_adopt(b->transport, pair[0], address);
	return pair[1];
}

static inline int adopt(struct bench *b)
{
	return adopt_of(b, SOCK_STREAM);
}

/* What a test is not about must not end it on a busy machine: a minute. `tokens` as in
 * struct handshake_rules, `page` as in struct transport_events. */
static uint64_t handshakes_per_s, handshakes_per_address; /* of benches to be made */

static inline int set_up_with(void **state, uint64_t ask_ms, uint64_t ping_ms,
			      bool tokens,
			      const struct page *(*page)(void *app, const char *path))
{
	static const struct transport_events events = {
		.authorize = on_authorize,
		.request = on_request,
		.request_gone = on_request_gone,
		.opened = on_opened,
		.message = on_message,
		.next = on_next,
		.closed = on_closed,
	};
	struct bench *b = calloc(1, sizeof *b);
	struct transport_events mine = events;
	struct transport_limits limits = {
		.rules = { .path = "/chat",
			   .origins = "",
			   .tokens = tokens,
			   .canary = "key" },
		.connections_max = 100,
		.per_address_max = 3,
		.handshakes_per_s = handshakes_per_s,
		.handshakes_per_address = handshakes_per_address,
		.handshake_timeout_ms = ask_ms,
		.answer_timeout_ms = ask_ms,
		.http_idle_timeout_ms = ask_ms,
		.close_timeout_ms = 500,
		.ping_interval_ms = ping_ms,
		.ping_timeout_ms = ping_ms,
		.message_max = 1000,
		.head_max = 4096,
		.body_max = 1000,
	};

	assert_non_null(b);
	mine.app = b;
	mine.page = page;
	assert_int_equal(uv_loop_init(&b->loop), 0);
	assert_int_equal(transport_new(&b->loop, &limits, &mine, on_total, &b->slot,
				       &b->transport, NULL),
			 0);
	b->client = adopt(b);
	*state = b;
	return 0;
}

static inline int set_up(void **state)
{
	return set_up_with(state, 60000, 60000, false, NULL);
}

static inline int set_up_short_of_patience(void **state)
{
	return set_up_with(state, 60, 60000, false, NULL);
}

static inline int set_up_pinging(void **state)
{
	return set_up_with(state, 60000, 60, false, NULL);
}

static inline int set_up_for_tokens(void **state)
{
	return set_up_with(state, 60000, 60, true, NULL);
}

static inline int tear_down(void **state)
{
	struct bench *b = *state;

	close(b->client);
	transport_close(b->closed_by_test ? NULL : b->transport);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	transport_free(b->transport);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	assert_int_equal(b->n_opened, b->n_closed);
	free(b);
	return 0;
}

static inline void say(struct bench *b, const void *data, size_t len)
{
	assert_int_equal(send(b->client, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void say_frame(struct bench *b, enum frame_opcode opcode, const char *text)
{
	uint8_t frame[256] = { (uint8_t)(0x80 | opcode), (uint8_t)(0x80 | strlen(text)) };

	memcpy(frame + 6, text, strlen(text)); /* a mask of zeros changes nothing */
	say(b, frame, 6 + strlen(text));
}

/* Reads until the connection ends or `wanted` bytes are there; turns the loop. */
static inline size_t hear(struct bench *b, uint8_t *out, size_t wanted)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(b->client, out + len, wanted - len, 0);

		if (n > 0)
			len += (size_t)n;
		else if (n == 0 || errno != EAGAIN || len == wanted)
			return len;
		if (len == wanted)
			return len;
		turn(b);
	}
}

static inline void hear_text(struct bench *b, const char *text)
{
	uint8_t got[512] = { 0 };

	assert_int_equal(hear(b, got, strlen(text)), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

/* An HTTP answer, up to the end of the connection or of its body. */
static inline void hear_answer(struct bench *b, const char *starts)
{
	char got[1024] = { 0 };
	size_t len = 0;

	while (!strstr(got, "\r\n\r\n") || !strchr(strstr(got, "\r\n\r\n"), '}')) {
		assert_int_equal(hear(b, (uint8_t *)got + len, 1), 1);
		len++;
	}
	assert_int_equal(recv(b->client, got + len, 1, 0), 1); /* its newline */
	if (strncmp(got, starts, strlen(starts)) != 0)
		fail_msg("%s", got);
}

static inline void hear_upgrade(struct bench *b)
{
	uint8_t byte;
	char got[1024] = { 0 };
	size_t len = 0;

	while (!strstr(got, "\r\n\r\n")) {
		assert_int_equal(hear(b, &byte, 1), 1);
		got[len++] = (char)byte;
	}
	assert_memory_equal(got, "HTTP/1.1 101 ", 13);
}

static inline void upgrade(struct bench *b)
{
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_upgrade(b);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_active), 1);
}

static inline void ended(struct bench *b)
{
	uint8_t byte;

	assert_int_equal(hear(b, &byte, 1), 0);
}

#endif
