/* What the canary writes is what a gateway takes; what it hears is bounded and checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/http.h"
#include "gateway/wire/frame.h"
#include "gateway/wire/handshake.h"
#include "healthd/canary_wire.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define ANSWER                                          \
	"HTTP/1.1 101 Switching Protocols\r\n"          \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* Feeds it in pieces of `step` bytes; the first thing it says that is not "more". */
static struct canary_in hear(struct canary_reader *reader, const void *bytes, size_t len,
			     size_t step)
{
	const uint8_t *from = bytes;
	struct canary_in in = { .heard = CANARY_MORE };

	for (size_t i = 0; i < len && in.heard == CANARY_MORE;) {
		uint8_t *at;
		size_t n = canary_space(reader, &at);

		n = n < step ? n : step;
		n = n < len - i ? n : len - i;
		assert_true(n > 0);
		memcpy(at, from + i, n);
		canary_added(reader, n);
		canary_next(reader, &in);
		i += n;
	}
	return in;
}

static struct canary_in hear_text(const char *text)
{
	static struct canary_reader reader;

	memset(&reader, 0, sizeof reader);
	return hear(&reader, text, strlen(text), 7);
}

static struct canary_in hear_frame(const void *bytes, size_t len)
{
	static struct canary_reader reader;

	memset(&reader, 0, sizeof reader);
	reader.upgraded = true;
	return hear(&reader, bytes, len, 1);
}

static void its_handshake_is_one_that_the_gateway_takes(void **state)
{
	const struct handshake_rules rules = {
		.path = "/chat", .origins = "", .tokens = true, .canary = KEY
	};
	const struct canary_handshake said = { "127.0.0.1:8080", KEY, "a.b.c" };
	struct http_limits limits = { .head_max = 8192 };
	struct http_parser *parser = http_parser_new(&limits);
	const struct http_request *request;
	struct handshake judged;
	struct canary_in in;
	char text[1024];
	size_t used;
	int len = canary_write_handshake(&said, text, sizeof text);

	assert_true(len > 0);
	assert_int_equal(http_feed(parser, text, (size_t)len, &used, &request),
			 HTTP_REQUEST);
	handshake_judge(request, &rules, &judged);
	assert_int_equal(judged.status, 101);
	assert_true(judged.canary && judged.protocol);
	assert_int_equal(judged.token.len, 5);
	judged.worker = 12;
	assert_true(handshake_answer(&judged, text, sizeof text) > 0);
	in = hear_text(text);
	assert_int_equal(in.heard, CANARY_ANSWER);
	assert_int_equal(in.status, 101);
	assert_int_equal(in.worker, 12);
	assert_int_equal(canary_write_handshake(&said, text, 40), -ENOSPC);
	http_parser_free(parser);
}

static void its_frames_are_ones_that_the_gateway_takes(void **state)
{
	struct frame_reader reader = { 0 };
	struct frame_in in;
	uint8_t frame[256];
	size_t used;
	int len = canary_write_send("a \"room\"", "id-1", frame, sizeof frame);

	assert_true(len > 0);
	frame_read(&reader, 1000, frame, (size_t)len, &used, &in);
	assert_int_equal(in.event, FRAME_MESSAGE);
	assert_memory_equal(
		in.data,
		"{\"op\":\"send\",\"room\":\"a \\\"room\\\"\",\"id\":\"id-1\","
		"\"body\":\"canary\"}",
		in.len);
	len = canary_write_close(frame, sizeof frame);
	frame_read(&reader, 1000, frame, (size_t)len, &used, &in);
	assert_int_equal(in.event, FRAME_GOT_CLOSE);
	assert_int_equal(in.code, 1000);
	frame_reader_release(&reader);
	assert_int_equal(canary_write_join("room", frame, 10), -ENOSPC);
}

static void an_answer_says_status_and_worker(void **state)
{
	static const struct {
		const char *text;
		enum canary_heard heard;
		unsigned status;
		int worker;
	} rows[] = {
		{ ANSWER "Parley-Worker: 3\r\n\r\n", CANARY_ANSWER, 101, 3 },
		{ ANSWER "\r\n", CANARY_ANSWER, 101, -1 },
		{ ANSWER "Parley-Worker: 64\r\n\r\n", CANARY_ANSWER, 101, -1 },
		{ ANSWER "Parley-Worker: 1x\r\n\r\n", CANARY_ANSWER, 101, -1 },
		{ ANSWER "Parley-Worker:\r\n\r\n", CANARY_ANSWER, 101, -1 },
		{ ANSWER, CANARY_MORE, 0, -1 },
		{ "HTTP/1.1 401 Unauthorized\r\n\r\n", CANARY_ANSWER, 401, -1 },
		{ "HTTP/1.1 101 Switching Protocols\r\n"
		  "Sec-WebSocket-Accept: AAAA\r\n\r\n",
		  CANARY_BREACH, 0, -1 },
		{ "HTTP/1.1 101 Switching Protocols\r\n\r\n", CANARY_BREACH, 0, -1 },
		{ "SSH-2.0-OpenSSH_9.2\r\n\r\n", CANARY_BREACH, 0, -1 },
		{ "HTTP/1.1 x01 \r\n\r\n", CANARY_BREACH, 0, -1 },
		{ "\r\n\r\n", CANARY_BREACH, 0, -1 },
		{ "\x15\x03\x03", CANARY_TLS, 0, -1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct canary_in in = hear_text(rows[i].text);

		if (in.heard != rows[i].heard)
			fail_msg("row %zu: %d (%s)", i, in.heard, in.why ? in.why : "");
		if (in.heard != CANARY_ANSWER)
			continue;
		assert_int_equal(in.status, rows[i].status);
		assert_int_equal(in.worker, rows[i].worker);
	}
}

static void frames_are_heard_whole_however_they_are_cut(void **state)
{
	static uint8_t longer[4 + 300] = { 0x81, 126, 300 >> 8, 300 & 255 };
	struct canary_in in = hear_frame("\x81\x05hello", 7);

	assert_int_equal(in.heard, CANARY_TEXT);
	assert_int_equal(in.len, 5);
	assert_memory_equal(in.data, "hello", 5);
	in = hear_frame(longer, sizeof longer);
	assert_int_equal(in.heard, CANARY_TEXT);
	assert_int_equal(in.len, 300);
	in = hear_frame("\x89\x02hi", 4);
	assert_int_equal(in.heard, CANARY_PING);
	in = hear_frame("\x88\x02\x03\xe9", 4);
	assert_int_equal(in.heard, CANARY_CLOSE);
	assert_int_equal(in.status, 1001);
	in = hear_frame("\x88\x00", 2);
	assert_int_equal(in.status, 0);
}

static void what_no_gateway_sends_is_a_breach(void **state)
{
	static const char *const frames[] = {
		"\x01\x05hello",     /* a fragment */
		"\xc1\x05hello",     /* a reserved bit */
		"\x81\x85xxxxhello", /* masked */
		"\x82\x05hello",     /* binary */
		"\x81\x7fxxxxxxxx",  /* a length of 64 bits */
		"\x81\x7e\xff\xff",  /* more than is kept */
		"\x8a\x01x",         /* an answer to nothing */
	};

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
		if (hear_frame(frames[i], strlen(frames[i])).heard != CANARY_BREACH)
			fail_msg("frame %zu", i);
}

static void an_endless_gateway_is_left(void **state)
{
	static struct canary_reader reader;
	struct canary_in in = { .heard = CANARY_MORE };
	char head[256];
	unsigned n = 0;

	memset(head, 'x', sizeof head);
	memset(&reader, 0, sizeof reader);
	while (in.heard == CANARY_MORE && n++ < 1000)
		in = hear(&reader, head, sizeof head, sizeof head);
	assert_int_equal(in.heard, CANARY_BREACH);
	assert_true(n * sizeof head <= CANARY_ITEM_MAX);
	memset(&reader, 0, sizeof reader);
	reader.upgraded = true;
	for (n = 0; n < 100000; n++) {
		in = hear(&reader, "\x81\x05hello", 7, 7);
		if (in.heard != CANARY_TEXT)
			break;
	}
	assert_int_equal(in.heard, CANARY_BREACH);
	assert_true(n * 7 <= CANARY_TOTAL_MAX);
}

static enum canary_op op_of(const char *text)
{
	char code[CANARY_CODE_SIZE];

	return canary_understand((const uint8_t *)text, strlen(text), "r", "i", code);
}

static void only_its_own_message_counts(void **state)
{
	char code[CANARY_CODE_SIZE];
	static const char error[] = "{\"op\":\"error\",\"code\":\"un\\u001b[31mavailable_"
				    "and_much_longer_than_fits\"}";

	assert_int_equal(op_of("{\"op\":\"welcome\"}"), CANARY_SAYS_welcome);
	assert_int_equal(op_of("{\"op\":\"joined\",\"room\":\"r\"}"), CANARY_SAYS_joined);
	assert_int_equal(op_of("{\"op\":\"joined\",\"room\":\"x\"}"), CANARY_SAYS_other);
	assert_int_equal(op_of("{\"op\":\"sent\",\"room\":\"r\",\"id\":\"i\"}"),
			 CANARY_SAYS_sent);
	assert_int_equal(op_of("{\"op\":\"message\",\"room\":\"r\",\"id\":\"i\"}"),
			 CANARY_SAYS_message);
	assert_int_equal(op_of("{\"op\":\"message\",\"room\":\"r\",\"id\":\"j\"}"),
			 CANARY_SAYS_other);
	assert_int_equal(op_of("{\"op\":\"presence\",\"room\":\"r\"}"),
			 CANARY_SAYS_other);
	assert_int_equal(op_of("{\"op\":7}"), CANARY_SAYS_other);
	assert_int_equal(op_of("[]"), CANARY_SAYS_garbage);
	assert_int_equal(op_of("{\"op\":\"welcome\""), CANARY_SAYS_garbage);
	assert_int_equal(op_of(""), CANARY_SAYS_garbage);
	assert_int_equal(
		canary_understand((const uint8_t *)error, strlen(error), "r", "i", code),
		CANARY_SAYS_error);
	assert_string_equal(code, "un31mavailable_and_much");
}

static void a_token_has_no_place_for_headers_of_its_own(void **state)
{
	char good[] = " \ta.b-c_d\n", lines[] = "a\r\nX: y", empty[] = " \n",
	     eight[] = "a\xc3\xa4";

	assert_int_equal(canary_token(good, strlen(good)), 0);
	assert_string_equal(good, "a.b-c_d");
	assert_int_equal(canary_token(lines, strlen(lines)), -EINVAL);
	assert_int_equal(canary_token(empty, strlen(empty)), -EINVAL);
	assert_int_equal(canary_token(eight, strlen(eight)), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_handshake_is_one_that_the_gateway_takes),
		cmocka_unit_test(its_frames_are_ones_that_the_gateway_takes),
		cmocka_unit_test(an_answer_says_status_and_worker),
		cmocka_unit_test(frames_are_heard_whole_however_they_are_cut),
		cmocka_unit_test(what_no_gateway_sends_is_a_breach),
		cmocka_unit_test(an_endless_gateway_is_left),
		cmocka_unit_test(only_its_own_message_counts),
		cmocka_unit_test(a_token_has_no_place_for_headers_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
