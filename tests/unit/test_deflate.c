/* Messages are compressed and restored one by one; what is hostile is found out early. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/deflate.h"
#include "gateway/wire/frame.h"

enum {
	MOST = 65536
};

static struct deflater *deflater;
static struct inflater *inflater;
static uint8_t text[4 * MOST], packed[4 * MOST];

static int setup(void **state)
{
	assert_int_equal(deflater_new(&deflater), 0);
	return inflater_new(MOST, &inflater);
}

static int teardown(void **state)
{
	deflater_free(deflater);
	inflater_free(inflater);
	return 0;
}

static void assert_restores(const void *data, size_t len, const void *to, size_t to_len)
{
	uint8_t *copy = malloc(len ? len : 1); /* so that a sanitizer sees its end */
	const uint8_t *got;
	size_t got_len;

	memcpy(copy, data, len);
	assert_int_equal(inflater_run(inflater, copy, len, &got, &got_len), 0);
	assert_int_equal(got_len, to_len);
	assert_memory_equal(got, to, to_len);
	free(copy);
}

static int restore(const void *data, size_t len)
{
	const uint8_t *got;
	size_t got_len;

	return inflater_run(inflater, data, len, &got, &got_len);
}

/* Text of which about one byte in `rare` is random. */
static void make_text(size_t len, unsigned rare)
{
	unsigned seed = (unsigned)len;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		text[i] = (seed >> 16) % rare ? (uint8_t) "the same again; "[i % 16]
					      : (uint8_t)(seed >> 20);
	}
}

/* ---- vectors ----------------------------------------------------------------------- */

static void the_examples_of_rfc_7692_are_restored(void **state)
{
	/* 7.2.3.1, 7.2.3.3 (stored), 7.2.3.4 (a final block), 7.2.3.5 (two blocks) */
	assert_restores("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
	assert_restores("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello", 5);
	assert_restores("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello", 5);
	assert_restores("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13,
			"Hello", 5);
	assert_restores("\x00", 1, "", 0); /* 7.2.3.6 */
}

static void what_is_compressed_is_restored(void **state)
{
	static const size_t lengths[] = { 1,    2,    16,   100,   1000,  4095,
					  4096, 4097, 5000, 32768, 40000, MOST };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (unsigned rare = 1; rare < 100; rare *= 7) {
			size_t n;

			make_text(lengths[i], rare);
			n = deflater_run(deflater, text, lengths[i], packed);
			assert_restores(packed, n, text, lengths[i]);
		}
}

static void a_message_depends_on_none_before(void **state)
{
	uint8_t first[100];
	size_t n;

	make_text(1000, 20);
	n = deflater_run(deflater, text, 1000, packed);
	memcpy(first, packed, 100);
	assert_int_equal(deflater_run(deflater, text, 1000, packed), n);
	assert_memory_equal(first, packed, 100);
	assert_int_equal(restore("\xf2\x48", 2), -EBADMSG);
	assert_restores("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello", 5);
}

static void what_is_compressed_keeps_to_the_bound(void **state)
{
	for (size_t len = 1; len < 3000; len++) {
		size_t bound = deflater_bound(deflater, len);
		uint8_t *out = malloc(bound); /* so that a sanitizer sees its end */

		make_text(len, len % 2 ? 1 : 9);
		assert_true(deflater_run(deflater, text, len, out) < bound);
		free(out);
	}
}

/* Any distance in it is within a window of 4 KB: zlib itself keeps to a smaller one. */
static void our_window_is_as_small_as_we_say(void **state)
{
	size_t near, far;

	make_text(3000, 1);
	memcpy(text + 3000, text, 3000);
	near = deflater_run(deflater, text, 6000, packed);
	make_text(5000, 1);
	memcpy(text + 5000, text, 1000);
	far = deflater_run(deflater, text, 6000, packed);
	assert_true(near < 3300);
	assert_true(far > 5900);
}

/* ---- hostile ------------------------------------------------------------------------
 */

static void a_bomb_is_given_up_at_the_limit(void **state)
{
	static uint8_t zeros[4 * MOST];
	size_t n = deflater_run(deflater, zeros, sizeof zeros, packed);

	assert_in_range(n, 1, 1000);
	assert_int_equal(restore(packed, n), -EMSGSIZE);
	n = deflater_run(deflater, zeros, MOST, packed);
	assert_restores(packed, n, zeros, MOST);
	n = deflater_run(deflater, zeros, MOST + 1, packed);
	assert_int_equal(restore(packed, n), -EMSGSIZE);
}

static void what_has_lost_its_end_is_no_message(void **state)
{
	size_t n;

	make_text(2000, 10);
	n = deflater_run(deflater, text, 2000, packed);
	for (size_t len = 1; len < n; len++)
		assert_int_equal(restore(packed, len), -EBADMSG);
	assert_int_equal(restore("", 0), -EBADMSG);
}

static void nonsense_is_no_message(void **state)
{
	assert_int_equal(restore("\xff\xff\xff\xff", 4), -EBADMSG);
	assert_int_equal(restore("\x06", 1), -EBADMSG);
	/* A distance beyond what there is. */
	assert_int_equal(restore("\x4a\x04\x42\x00", 4), -EBADMSG);
}

static void blocks_without_end_cost_no_more_than_their_bytes(void **state)
{
	/* 65,000 final blocks that hold nothing. */
	for (size_t i = 0; i < 65000; i += 2) {
		packed[i] = 0x03;
		packed[i + 1] = 0x00;
	}
	packed[65000] = 0x00;
	assert_restores(packed, 65001, "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_examples_of_rfc_7692_are_restored),
		TEST(what_is_compressed_is_restored),
		TEST(a_message_depends_on_none_before),
		TEST(what_is_compressed_keeps_to_the_bound),
		TEST(our_window_is_as_small_as_we_say),
		TEST(a_bomb_is_given_up_at_the_limit),
		TEST(what_has_lost_its_end_is_no_message),
		TEST(nonsense_is_no_message),
		TEST(blocks_without_end_cost_no_more_than_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
