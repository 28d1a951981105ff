/* The transport over real sockets, with a chat that only takes notes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

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
	uint64_t total;
	int client;
	bool closed_by_test;
};

static void *on_opened(void *app, struct link *link, const struct handshake *handshake)
{
	struct bench *b = app;

	assert_string_equal(handshake->user, "ann");
	b->n_opened++;
	b->link = link;
	return b;
}

static void on_message(void *conn, const char *data, size_t len)
{
	struct bench *b = conn;

	assert_true(len < sizeof b->last);
	memcpy(b->last, data, len);
	b->last[len] = 0;
	b->n_messages++;
	if (strcmp(b->last, "close me") == 0)
		link_close(b->link, CLOSE_POLICY, "as you wish");
}

static size_t on_next(void *conn, size_t max, const uint8_t **ret_data)
{
	struct bench *b = conn;
	size_t len = b->outgoing_len < max ? b->outgoing_len : max;

	*ret_data = b->outgoing;
	b->outgoing += len;
	b->outgoing_len -= len;
	return len;
}

static void on_closed(void *conn)
{
	struct bench *b = conn;

	b->n_closed++;
	b->link = NULL;
}

static uint64_t on_total(void *app)
{
	struct bench *b = app;

	return b->total;
}

static void turn(struct bench *b)
{
	uv_run(&b->loop, UV_RUN_NOWAIT);
	transport_turn(b->transport);
}

static int adopt(struct bench *b)
{
	static const uint8_t address[16] = { 1 };
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
		0);
	transport_adopt(b->transport, pair[0], address);
	return pair[1];
}

static int set_up(void **state)
{
	static const struct transport_events events = {
		.opened = on_opened,
		.message = on_message,
		.next = on_next,
		.closed = on_closed,
	};
	struct bench *b = calloc(1, sizeof *b);
	struct transport_events mine = events;
	struct transport_limits limits = {
		.rules = { .path = "/chat", .origins = "" },
		.connections_max = 100,
		.per_address_max = 3,
		.handshake_timeout_ms = 60,
		.http_idle_timeout_ms = 60,
		.close_timeout_ms = 60,
		.ping_interval_ms = 60,
		.ping_timeout_ms = 60,
		.message_max = 1000,
		.head_max = 4096,
		.body_max = 1000,
	};

	assert_non_null(b);
	mine.app = b;
	assert_int_equal(uv_loop_init(&b->loop), 0);
	assert_int_equal(transport_new(&b->loop, &limits, &mine, on_total, &b->slot,
				       &b->transport, NULL),
			 0);
	b->client = adopt(b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
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

static void say(struct bench *b, const void *data, size_t len)
{
	assert_int_equal(send(b->client, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void say_frame(struct bench *b, enum frame_opcode opcode, const char *text)
{
	uint8_t frame[256] = { (uint8_t)(0x80 | opcode), (uint8_t)(0x80 | strlen(text)) };

	memcpy(frame + 6, text, strlen(text)); /* a mask of zeros changes nothing */
	say(b, frame, 6 + strlen(text));
}

/* Reads until the connection ends or `wanted` bytes are there; turns the loop. */
static size_t hear(struct bench *b, uint8_t *out, size_t wanted)
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

static void hear_text(struct bench *b, const char *text)
{
	uint8_t got[512] = { 0 };

	assert_int_equal(hear(b, got, strlen(text)), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

/* An HTTP answer, up to the end of the connection or of its body. */
static void hear_answer(struct bench *b, const char *starts)
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

static void upgrade(struct bench *b)
{
	uint8_t byte;
	char got[1024] = { 0 };
	size_t len = 0;

	say(b, HANDSHAKE, strlen(HANDSHAKE));
	while (!strstr(got, "\r\n\r\n")) {
		assert_int_equal(hear(b, &byte, 1), 1);
		got[len++] = (char)byte;
	}
	assert_memory_equal(got, "HTTP/1.1 101 ", 13);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_active), 1);
}

static void ended(struct bench *b)
{
	uint8_t byte;

	assert_int_equal(hear(b, &byte, 1), 0);
}

static void messages_arrive_whole(void **state)
{
	struct bench *b = *state;

	upgrade(b);
	say_frame(b, FRAME_TEXT, "hello");
	while (!b->n_messages)
		turn(b);
	assert_string_equal(b->last, "hello");
}

static void frames_behind_the_handshake_in_one_segment_are_read(void **state)
{
	struct bench *b = *state;
	static const uint8_t both[] = HANDSHAKE "\x81\x85\0\0\0\0hello";

	say(b, both, sizeof both - 1);
	while (!b->n_messages)
		turn(b);
	assert_string_equal(b->last, "hello");
}

static void a_close_from_the_chat_goes_out_and_is_told_once(void **state)
{
	struct bench *b = *state;

	upgrade(b);
	say_frame(b, FRAME_TEXT, "close me");
	say_frame(b, FRAME_TEXT, "not heard any more");
	hear_text(b, "\x88\x0d\x03\xf0"
		     "as you wish");
	assert_int_equal(b->n_closed, 1);
	assert_int_equal(b->n_messages, 1);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_active), 0);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_closing), 1);
	ended(b); /* after close_timeout_ms: no Close came back */
	while (counter_get(&b->slot, COUNTER_links_closing))
		turn(b);
}

static void a_silent_peer_is_pinged_and_given_up(void **state)
{
	struct bench *b = *state;

	upgrade(b);
	hear_text(b, "\x89");
	assert_int_equal(counter_get(&b->slot, COUNTER_links_active), 1);
	while (!b->n_closed)
		turn(b);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_timeout), 1);
}

static void who_never_asks_is_let_go(void **state)
{
	struct bench *b = *state;

	assert_int_equal(counter_get(&b->slot, COUNTER_links_handshaking), 1);
	ended(b);
	close(b->client);
	while (transport_links(b->transport))
		turn(b);
	b->client = adopt(b);
}

static void who_asks_too_slowly_is_told_408(void **state)
{
	struct bench *b = *state;

	say(b, PAGE, 10);
	hear_answer(b, "HTTP/1.1 408 ");
	ended(b);
}

static void pages_are_answered_in_order_on_one_connection(void **state)
{
	struct bench *b = *state;

	say(b, PAGE PAGE, 2 * strlen(PAGE));
	hear_answer(b, "HTTP/1.1 404 ");
	hear_answer(b, "HTTP/1.1 404 ");
	upgrade(b);
}

static void who_does_not_read_answers_is_not_read_from(void **state)
{
	struct bench *b = *state;
	size_t n_asked = 0;

	/* Until the socket takes no more: answers wait, so requests do. */
	for (int quiet = 0; quiet < 50;) {
		if (send(b->client, PAGE, strlen(PAGE), MSG_NOSIGNAL) ==
		    (ssize_t)strlen(PAGE)) {
			n_asked++;
			quiet = 0;
		} else {
			quiet++;
		}
		turn(b);
		assert_true(n_asked < 100000);
	}
	for (size_t i = 0; i < n_asked - 1; i++)
		hear_answer(b, "HTTP/1.1 404 ");
}

static void a_full_gateway_says_503_and_a_greedy_address_429(void **state)
{
	struct bench *b = *state;
	int others[3] = { adopt(b), adopt(b), adopt(b) };

	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_answer(b, "HTTP/1.1 429 ");
	close(b->client);
	b->client = others[0];
	b->total = 100;
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	hear_answer(b, "HTTP/1.1 503 ");
	close(others[1]);
	close(others[2]);
	assert_int_equal(b->n_opened, 0);
}

static void much_goes_out_in_order_when_the_reader_is_slow(void **state)
{
	struct bench *b = *state;
	size_t len = 3000000;
	uint8_t *sent = malloc(len), *got = malloc(len);

	assert_non_null(sent);
	assert_non_null(got);
	for (size_t i = 0; i < len; i++)
		sent[i] = (uint8_t)(i * 2654435761u >> 13);
	upgrade(b);
	b->outgoing = sent;
	b->outgoing_len = len;
	link_wants_to_send(b->link);
	/* What was taken from the chat is bounded while the peer does not read. */
	assert_true(b->outgoing_len > len / 2);
	assert_int_equal(hear(b, got, len), len);
	assert_memory_equal(sent, got, len);
	free(sent);
	free(got);
}

static void a_drain_closes_everyone_with_1001(void **state)
{
	struct bench *b = *state;

	upgrade(b);
	transport_drain(b->transport, 30);
	hear_text(b, "\x88\x13\x03\xe9"
		     "the server leaves");
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_drain), 1);
	ended(b);
}

static void teardown_with_live_links_is_clean(void **state)
{
	struct bench *b = *state;
	int others[200];

	upgrade(b);
	for (unsigned i = 0; i < 200; i++)
		others[i] = adopt(b);
	turn(b);
	transport_close(b->transport);
	b->closed_by_test = true;
	for (unsigned i = 0; i < 200; i++)
		close(others[i]);
	assert_int_equal(b->n_closed, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(messages_arrive_whole),
		TEST(frames_behind_the_handshake_in_one_segment_are_read),
		TEST(a_close_from_the_chat_goes_out_and_is_told_once),
		TEST(a_silent_peer_is_pinged_and_given_up),
		TEST(who_never_asks_is_let_go),
		TEST(who_asks_too_slowly_is_told_408),
		TEST(pages_are_answered_in_order_on_one_connection),
		TEST(who_does_not_read_answers_is_not_read_from),
		TEST(a_full_gateway_says_503_and_a_greedy_address_429),
		TEST(much_goes_out_in_order_when_the_reader_is_slow),
		TEST(a_drain_closes_everyone_with_1001),
		TEST(teardown_with_live_links_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
