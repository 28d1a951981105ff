/* RFC 7692 6 in frames: the first bit, where it may stand and what it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/frame.h"

enum {
	MOST = 2000,
	FIN = 0x80
};

static struct frame_reader reader;
static uint8_t bytes[8192];
static size_t n_bytes;

static int setup(void **state)
{
	frame_reader_release(&reader); /* of the one before */
	memset(&reader, 0, sizeof reader);
	reader.deflate = true;
	n_bytes = 0;
	return 0;
}

static int teardown(void **state)
{
	frame_reader_release(&reader);
	return 0;
}

/* A masked frame with a mask of zeros. */
static void put(unsigned first, const void *payload, size_t len)
{
	uint8_t head[FRAME_HEAD_MAX];
	unsigned n = frame_head(head, FRAME_TEXT, len);

	head[0] = (uint8_t)first;
	head[1] |= 0x80;
	memcpy(bytes + n_bytes, head, n);
	memset(bytes + n_bytes + n, 0, 4);
	memcpy(bytes + n_bytes + n + 4, payload, len);
	n_bytes += n + 4 + len;
}

/* The next event of what was put; pieces of `step` bytes. */
static struct frame_in next(size_t step)
{
	struct frame_in in = { .event = FRAME_MORE };
	static uint8_t copy[sizeof bytes];
	size_t at = 0, used;

	memcpy(copy, bytes, n_bytes);
	while (in.event == FRAME_MORE && at < n_bytes) {
		size_t n = n_bytes - at < step ? n_bytes - at : step;

		frame_read(&reader, MOST, copy + at, n, &used, &in);
		at += used;
	}
	n_bytes -= at;
	memmove(bytes, bytes + at, n_bytes);
	return in;
}

static void assert_message(struct frame_in in, bool compressed, const char *text)
{
	assert_int_equal(in.event, FRAME_MESSAGE);
	assert_int_equal(in.compressed, compressed);
	assert_int_equal(in.len, strlen(text));
	assert_memory_equal(in.data, text, in.len);
}

static void assert_breach(unsigned code)
{
	struct frame_in in = next(sizeof bytes);

	assert_int_equal(in.event, FRAME_BREACH);
	assert_int_equal(in.code, code);
}

static void the_bit_marks_one_message(void **state)
{
	put(FIN | FRAME_RSV1 | FRAME_TEXT, "\xff\xfe is no text", 13);
	put(FIN | FRAME_TEXT, "plain", 5);
	put(FIN | FRAME_RSV1 | FRAME_BINARY, "xyz", 3);
	assert_message(next(sizeof bytes), true, "\xff\xfe is no text");
	assert_message(next(sizeof bytes), false, "plain");
	assert_message(next(sizeof bytes), true, "xyz");
}

static void fragments_belong_to_the_first_of_them(void **state)
{
	for (size_t step = 1; step < 40; step++) {
		put(FRAME_RSV1 | FRAME_TEXT, "\xc3", 1);
		put(FIN | FRAME_PING, "?", 1);
		put(FRAME_CONTINUATION, "", 0);
		put(FIN | FRAME_CONTINUATION, "\xff", 1);
		put(FRAME_TEXT, "pla", 3);
		put(FIN | FRAME_CONTINUATION, "in", 2);
		assert_int_equal(next(step).event, FRAME_GOT_PING);
		assert_message(next(step), true, "\xc3\xff");
		assert_message(next(step), false, "plain");
		setup(state);
	}
}

static void plain_text_is_judged_as_ever(void **state)
{
	put(FIN | FRAME_RSV1 | FRAME_TEXT, "\xff", 1);
	put(FIN | FRAME_TEXT, "\xff", 1);
	assert_message(next(sizeof bytes), true, "\xff");
	assert_breach(CLOSE_BAD_DATA);
}

static void the_bit_stands_nowhere_else(void **state)
{
	static const unsigned firsts[] = {
		FIN | FRAME_RSV1 | FRAME_PING,
		FIN | FRAME_RSV1 | FRAME_PONG,
		FIN | FRAME_RSV1 | FRAME_CLOSE,
		FIN | FRAME_RSV1 | FRAME_CONTINUATION,
		FIN | FRAME_RSV1 | 0x20 | FRAME_TEXT,
		FIN | FRAME_RSV1 | 0x10 | FRAME_TEXT,
		FIN | FRAME_RSV1 | 3,
	};

	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		setup(state);
		put(FRAME_RSV1 | FRAME_TEXT, "a", 1);
		if ((firsts[i] & 15) == FRAME_TEXT)
			n_bytes = 0;
		put(firsts[i], "", 0);
		assert_breach(CLOSE_PROTOCOL);
	}
}

static void who_agreed_on_nothing_sends_no_such_bit(void **state)
{
	reader.deflate = false;
	put(FIN | FRAME_RSV1 | FRAME_TEXT, "a", 1);
	assert_breach(CLOSE_PROTOCOL);
}

/* Compressed, what cannot be compressed may be a little longer than the longest message.
 */
static void the_limit_leaves_room_for_what_compression_adds(void **state)
{
	static const uint8_t much[MOST + 100];
	struct frame_in in;

	put(FIN | FRAME_RSV1 | FRAME_TEXT, much, MOST + 60);
	in = next(100);
	assert_int_equal(in.event, FRAME_MESSAGE);
	assert_int_equal(in.len, MOST + 60);
	put(FRAME_RSV1 | FRAME_TEXT, much, MOST);
	put(FIN | FRAME_CONTINUATION, much, 100);
	assert_breach(CLOSE_TOO_BIG);
	setup(state);
	put(FIN | FRAME_TEXT, much, MOST + 1);
	assert_breach(CLOSE_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_bit_marks_one_message),
		TEST(fragments_belong_to_the_first_of_them),
		TEST(plain_text_is_judged_as_ever),
		TEST(the_bit_stands_nowhere_else),
		TEST(who_agreed_on_nothing_sends_no_such_bit),
		TEST(the_limit_leaves_room_for_what_compression_adds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
