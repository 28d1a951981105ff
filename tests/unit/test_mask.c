/* test_mask - taking the mask off many bytes at once, against a loop over the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/mask.h"

enum {
	LONG = 300,
	GUARD = 16
};

static uint8_t any_byte(bool ascii)
{
	return (uint8_t)(random() & (ascii ? 0x7f : 0xff));
}

/* Every length, lying anywhere, in one piece and in any pieces. */
static void does_what_a_loop_over_the_bytes_does(void **state)
{
	uint8_t room[GUARD + LONG + GUARD], before[sizeof(room)], plain[LONG];

	srandom(7);
	for (size_t i = 0; i < LONG * GUARD * 4; i++) {
		size_t len = i / GUARD % LONG, at = 0;
		uint8_t *data = room + i % GUARD, mask[4], turned[4];
		bool ascii = true, said = true, text = random() % 2;

		for (size_t k = 0; k < 4; k++)
			mask[k] = any_byte(false);
		for (size_t k = 0; k < sizeof(room); k++)
			room[k] = any_byte(false);
		for (size_t k = 0; k < len; k++) {
			plain[k] = any_byte(text && (k + 1 < len || random() % 2));
			ascii = ascii && plain[k] < 0x80;
			data[k] = plain[k] ^ mask[k & 3];
		}
		memcpy(before, room, sizeof(room));
		memcpy(turned, mask, 4);
		while (at < len) {
			size_t n = i % 2 ? len : 1 + (size_t)random() % (len - at);

			said = mask_off(data + at, n, turned) && said;
			at += n;
		}
		assert_int_equal(said, ascii);
		assert_memory_equal(data, plain, len);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(turned[k], mask[(len + k) & 3]);
		/* Nothing beside it is touched. */
		memcpy(before + (data - room), data, len);
		assert_memory_equal(room, before, sizeof(room));
	}
}

static void takes_nothing_of_nothing(void **state)
{
	uint8_t mask[4] = { 1, 2, 3, 4 }, none;

	assert_true(mask_off(&none, 0, mask));
	assert_memory_equal(mask, "\1\2\3\4", 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_what_a_loop_over_the_bytes_does),
		cmocka_unit_test(takes_nothing_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
