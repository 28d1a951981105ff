/* What the transport promises to the chat and to clients. */
#include "tests/unit/transport_bench.h"

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
	assert_int_equal(counter_get(&b->slot, COUNTER_links_slow), 1);
	assert_int_equal(hear(b, got, len), len);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_slow), 0);
	assert_memory_equal(sent, got, len);
	free(sent);
	free(got);
}

/* The next write; the loop turns until it comes. */
static ssize_t hear_write(struct bench *b, uint8_t *out, size_t size)
{
	ssize_t n;

	while ((n = recv(b->client, out, size, 0)) < 0)
		turn(b);
	return n;
}

static void what_is_said_at_once_is_one_write(void **state)
{
	static uint8_t said[8000], got[16000];
	struct bench *b = *state;
	ssize_t n;

	for (size_t i = 0; i < sizeof said; i++)
		said[i] = (uint8_t)(i * 2654435761u >> 13);
	close(b->client);
	b->client = adopt_of(b, SOCK_SEQPACKET);
	/* The answer to the upgrade takes what the chat says first along. */
	b->outgoing = said;
	b->outgoing_len = 100;
	b->run_max = 40;
	say(b, HANDSHAKE, strlen(HANDSHAKE));
	n = hear_write(b, got, sizeof got);
	assert_true(n > 100 && memcmp(got, "HTTP/1.1 101 ", 13) == 0);
	assert_memory_equal(got + n - 100, said, 100);
	/* Short runs leave together, as far as they are short. */
	b->outgoing = said;
	b->outgoing_len = 4000;
	b->run_max = 1000;
	link_wants_to_send(b->link);
	assert_int_equal(hear_write(b, got, sizeof got), 4000);
	assert_memory_equal(got, said, 4000);
	b->outgoing = said;
	b->outgoing_len = sizeof said;
	link_wants_to_send(b->link);
	for (size_t len = 0; len < sizeof said; len += (size_t)n) {
		n = hear_write(b, got, sizeof got);
		assert_true((size_t)n >= 1000);
		assert_memory_equal(got, said + len, n);
	}
	assert_int_equal(b->outgoing_len, 0);
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

#define CANARY_HANDSHAKE                                                              \
	"GET /chat?user=ann&canary=key HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                        \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void a_canary_is_counted_apart_and_let_into_a_full_gateway(void **state)
{
	struct bench *b = *state;

	b->total = 100;
	say(b, CANARY_HANDSHAKE, strlen(CANARY_HANDSHAKE));
	hear_upgrade(b);
	assert_int_equal(b->n_opened, 1);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_active), 0);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_opened), 0);
	assert_int_equal(counter_get(&b->slot, COUNTER_links_canary), 1);
	say_frame(b, FRAME_TEXT, "hello");
	while (!b->n_messages)
		turn(b);
	transport_drain(b->transport, 0);
	hear_text(b, "\x88\x13\x03\xe9"
		     "the server leaves");
	assert_int_equal(counter_get(&b->slot, COUNTER_links_canary), 0);
	assert_int_equal(counter_get(&b->slot, COUNTER_closed_drain), 0);
	assert_int_equal(counter_get(&b->slot, COUNTER_canary_opened), 1);
}

/* Who learns the key can hide so many among them, and no more. */
static void canaries_are_few(void **state)
{
	struct bench *b = *state;
	int first = b->client, more[4] = { 0 };

	for (unsigned i = 0; i < 5; i++) {
		if (i > 0)
			b->client = more[i - 1] = adopt(b);
		say(b, CANARY_HANDSHAKE, strlen(CANARY_HANDSHAKE));
		if (i < 4)
			hear_upgrade(b);
		else
			hear_answer(b, "HTTP/1.1 429 ");
	}
	for (unsigned i = 0; i < 4; i++)
		close(more[i]);
	b->client = first;
	while (transport_links(b->transport) > 1)
		turn(b);
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
#define TEST_OF(f, up) cmocka_unit_test_setup_teardown(f, up, tear_down)
#define TEST(f)        TEST_OF(f, set_up)
	const struct CMUnitTest tests[] = {
		TEST(messages_arrive_whole),
		TEST(frames_behind_the_handshake_in_one_segment_are_read),
		TEST(a_close_from_the_chat_goes_out_and_is_told_once),
		TEST_OF(a_silent_peer_is_pinged_and_given_up, set_up_pinging),
		TEST_OF(who_never_asks_is_let_go, set_up_short_of_patience),
		TEST_OF(who_asks_too_slowly_is_told_408, set_up_short_of_patience),
		TEST(pages_are_answered_in_order_on_one_connection),
		TEST(who_does_not_read_answers_is_not_read_from),
		TEST(a_full_gateway_says_503_and_a_greedy_address_429),
		TEST(much_goes_out_in_order_when_the_reader_is_slow),
		TEST(what_is_said_at_once_is_one_write),
		TEST(a_drain_closes_everyone_with_1001),
		TEST(a_canary_is_counted_apart_and_let_into_a_full_gateway),
		TEST(canaries_are_few),
		TEST(teardown_with_live_links_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
