/* test_frame_writing - the frames we send, and the close codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/frame.h"

static void writes_the_shortest_header(void **state)
{
	static const struct {
		uint64_t len;
		unsigned head_len;
		uint8_t head[FRAME_HEAD_MAX];
	} rows[] = {
		{ 0, 2, { 0x81, 0 } },
		{ 125, 2, { 0x81, 125 } },
		{ 126, 4, { 0x81, 126, 0, 126 } },
		{ 65535, 4, { 0x81, 126, 0xff, 0xff } },
		{ 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
		{ 0x0102030405060708, 10, { 0x81, 127, 1, 2, 3, 4, 5, 6, 7, 8 } },
	};
	uint8_t head[FRAME_HEAD_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n = frame_head(head, FRAME_TEXT, rows[i].len);

		assert_int_equal(n, rows[i].head_len);
		assert_memory_equal(head, rows[i].head, n);
	}
	assert_int_equal(frame_head(head, FRAME_PONG, 1), 2);
	assert_int_equal(head[0], 0x8a);
}

static void writes_a_close_that_fits(void **state)
{
	uint8_t out[FRAME_CLOSE_MAX];
	char reason[200];

	assert_int_equal(frame_close(out, CLOSE_NORMAL, "bye"), 7);
	assert_memory_equal(out,
			    "\x88\x05\x03\xe8"
			    "bye",
			    7);
	assert_int_equal(frame_close(out, CLOSE_NORMAL, NULL), 4);
	assert_int_equal(frame_close(out, CLOSE_NONE, "dropped"), 2);
	assert_memory_equal(out, "\x88\x00", 2);

	/* 122 bytes and then a character of three: it does not fit, not even partly. */
	memset(reason, 'a', 122);
	memcpy(reason + 122, "\xe2\x82\xac", 4);
	assert_int_equal(frame_close(out, CLOSE_NORMAL, reason), 4 + 122);
	assert_int_equal(out[1], 124);
	memcpy(reason + 120, "\xe2\x82\xacmore", 8);
	assert_int_equal(frame_close(out, CLOSE_NORMAL, reason), FRAME_CLOSE_MAX);
	assert_int_equal(out[1], 125);
	assert_memory_equal(out + 124, "\xe2\x82\xac", 3);
}

static void knows_the_close_codes_a_peer_may_send(void **state)
{
	static const uint16_t good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
					 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
	static const uint16_t bad[] = { 0,    1,    999,  1004, 1005, 1006, 1015,
					1016, 1100, 2000, 2999, 5000, 65535 };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(frame_close_code_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(frame_close_code_valid(bad[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_shortest_header),
		cmocka_unit_test(writes_a_close_that_fits),
		cmocka_unit_test(knows_the_close_codes_a_peer_may_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
