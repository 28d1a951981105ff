/* test_utf8 - what is UTF-8 and what is not, and how early that is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/utf8.h"

/* The definition, spelt out the long way: decode, then look at the number. */
static bool plainly_valid(const uint8_t *text, size_t len)
{
	static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
	size_t at = 0;

	while (at < len) {
		uint8_t first = text[at++];
		unsigned more = first < 0x80             ? 0
				: (first & 0xe0) == 0xc0 ? 1
				: (first & 0xf0) == 0xe0 ? 2
				: (first & 0xf8) == 0xf0 ? 3
							 : 9;
		uint32_t point = more ? first & (0x3fu >> more) : first;

		if (more == 9 || len - at < more)
			return false;
		for (unsigned i = 0; i < more; i++, at++) {
			if ((text[at] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (text[at] & 0x3f);
		}
		if (point < smallest[more] || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff))
			return false;
	}
	return true;
}

static void agrees_with_the_definition_on_all_edges(void **state)
{
	static const uint8_t edges[] = {
		0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
		0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
	};
	const size_t n = sizeof(edges);
	size_t n_valid = 0;

	for (size_t i = 0; i < n * n * n * n; i++) {
		uint8_t text[4] = { edges[i % n], edges[i / n % n], edges[i / n / n % n],
				    edges[i / n / n / n] };

		for (size_t len = 1; len <= 4; len++) {
			bool valid = utf8_valid(text, len);

			n_valid += valid;
			if (valid != plainly_valid(text, len))
				fail_msg("%02x %02x %02x %02x, %zu bytes: %d", text[0],
					 text[1], text[2], text[3], len, valid);
		}
	}
	assert_true(n_valid > 1000);
}

static void refuses_at_the_first_impossible_byte(void **state)
{
	static const struct {
		const char *text;
		size_t bad_at; /* index of the byte that makes it wrong */
	} rows[] = {
		{ "\x80", 0 },
		{ "a\xc0\x80", 1 },
		{ "\xc1\xbf", 0 },
		{ "\xc2(", 1 },
		{ "\xe0\x80\x80", 1 },
		{ "\xe2\x82(", 2 },
		{ "\xed\xa0\x80", 1 },
		{ "\xf0\x8f\xbf", 1 },
		{ "\xf4\x90\x80", 1 },
		{ "\xf5\x80", 0 },
		{ "\xf1\x80\x80z", 3 },
		{ "\xff", 0 },
		{ "eightby8\xed\xa0", 9 },
		{ "12345678abc\xfe", 11 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *text = (const uint8_t *)rows[i].text;

		assert_int_not_equal(utf8_feed(UTF8_START, text, rows[i].bad_at),
				     UTF8_BAD);
		assert_int_equal(utf8_feed(UTF8_START, text, rows[i].bad_at + 1),
				 UTF8_BAD);
	}
}

static void stays_wrong_once_wrong(void **state)
{
	assert_int_equal(utf8_feed(UTF8_BAD, (const uint8_t *)"fine", 4), UTF8_BAD);
	assert_int_equal(utf8_feed(UTF8_BAD, NULL, 0), UTF8_BAD);
}

static void judges_the_same_however_the_bytes_are_split(void **state)
{
	static const char *const texts[] = {
		"plain ASCII that is longer than eight bytes",
		"gr\xc3\xbc\xc3\x9f dich, \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x8e\x89!",
		"\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89\xe2\x82\xac\xe2\x82",
		"12345678\xe2\x82\xac"
		"12345678\xed\xa0\x80",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const uint8_t *text = (const uint8_t *)texts[i];
		size_t len = strlen(texts[i]);
		uint8_t whole = utf8_feed(UTF8_START, text, len);

		for (size_t at = 0; at <= len; at++) {
			uint8_t half = utf8_feed(UTF8_START, text, at);

			assert_int_equal(utf8_feed(half, text + at, len - at), whole);
		}
	}
}

/* ---- long texts, in which many bytes are looked at at once ------------------------ */

enum {
	LONG = 300,
	TEXTS = 20000
};

/* Whether valid text may begin so: then one of these goes on with it. */
static bool plainly_possible(const uint8_t *text, size_t len)
{
	static const char *const ends[] = {
		"",         "\x80",     "\x90",         "\xa0",         "\x80\x80",
		"\x90\x80", "\xa0\x80", "\x80\x80\x80", "\x90\x80\x80",
	};
	uint8_t whole[LONG + 4];

	memcpy(whole, text, len);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		memcpy(whole + len, ends[i], strlen(ends[i]));
		if (plainly_valid(whole, len + strlen(ends[i])))
			return true;
	}
	return false;
}

/* Characters of all lengths, sometimes many of one kind, and now and then a fault. */
static size_t make_text(uint8_t text[LONG])
{
	static const char *const pieces[] = {
		"a",
		"eight by",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
	};
	const size_t n_pieces = sizeof(pieces) / sizeof(pieces[0]);
	size_t len = 0, wanted = (size_t)random() % (LONG - 8), i = 0;

	while (len < wanted) {
		if (random() % 4 == 0)
			i = (size_t)random() % n_pieces;
		memcpy(text + len, pieces[i], strlen(pieces[i]));
		len += strlen(pieces[i]);
	}
	if (len && random() % 3)
		text[(size_t)random() % len] = (uint8_t)(0x70 + random() % 0x90);
	if (len && random() % 3 == 0)
		len -= (size_t)random() % (len < 4 ? len : 4);
	return len;
}

static void agrees_with_the_definition_on_long_texts_in_any_pieces(void **state)
{
	size_t n_valid = 0, n_bad = 0;
	uint8_t room[LONG + 16];

	srandom(7);
	for (size_t i = 0; i < TEXTS; i++) {
		uint8_t *text = room + random() % 16; /* lying anywhere */
		size_t len = make_text(text), at = 0;
		uint8_t whole = utf8_feed(UTF8_START, text, len), pieces = UTF8_START;

		while (at < len) {
			size_t n = 1 + (size_t)random() % (len - at);

			pieces = utf8_feed(pieces, text + at, n);
			at += n;
		}
		assert_int_equal(whole, pieces);
		assert_int_equal(whole == UTF8_START, plainly_valid(text, len));
		assert_int_equal(whole != UTF8_BAD, plainly_possible(text, len));
		n_valid += whole == UTF8_START;
		n_bad += whole == UTF8_BAD;
	}
	assert_true(n_valid > TEXTS / 8 && n_bad > TEXTS / 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_definition_on_all_edges),
		cmocka_unit_test(refuses_at_the_first_impossible_byte),
		cmocka_unit_test(stays_wrong_once_wrong),
		cmocka_unit_test(judges_the_same_however_the_bytes_are_split),
		cmocka_unit_test(agrees_with_the_definition_on_long_texts_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
