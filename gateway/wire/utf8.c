#include "gateway/wire/utf8.h"

#include <string.h>

/* What is expected within a character; TAIL_n: n more bytes of 80..BF. The others
 * follow a lead byte whose second byte is narrower: no overlong forms (E0, F0), no
 * surrogates (ED), nothing beyond U+10FFFF (F4). */
enum utf8_state {
	TAIL_1 = UTF8_START + 1,
	TAIL_2,
	TAIL_3,
	AFTER_E0,
	AFTER_ED,
	AFTER_F0,
	AFTER_F4,
	STATE_COUNT
};

static const struct {
	uint8_t low, high, next;
} steps[STATE_COUNT] = {
	[TAIL_1] = { 0x80, 0xbf, UTF8_START }, [TAIL_2] = { 0x80, 0xbf, TAIL_1 },
	[TAIL_3] = { 0x80, 0xbf, TAIL_2 },     [AFTER_E0] = { 0xa0, 0xbf, TAIL_1 },
	[AFTER_ED] = { 0x80, 0x9f, TAIL_1 },   [AFTER_F0] = { 0x90, 0xbf, TAIL_2 },
	[AFTER_F4] = { 0x80, 0x8f, TAIL_2 },
};

static uint8_t lead(uint8_t byte)
{
	if (byte < 0x80)
		return UTF8_START;
	if (byte < 0xc2 || byte > 0xf4)
		return UTF8_BAD;
	if (byte < 0xe0)
		return TAIL_1;
	switch (byte) {
	case 0xe0: return AFTER_E0;
	case 0xed: return AFTER_ED;
	case 0xf0: return AFTER_F0;
	case 0xf4: return AFTER_F4;
	}
	return byte < 0xf0 ? TAIL_2 : TAIL_3;
}

/* How many bytes from the start are ASCII, in steps of eight. */
static size_t ascii_run(const uint8_t *data, size_t len)
{
	size_t at = 0;
	uint64_t word;

	for (; len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, data + at, sizeof(word));
		if (word & 0x8080808080808080ull)
			break;
	}
	return at;
}

uint8_t utf8_feed(uint8_t state, const uint8_t *data, size_t len)
{
	size_t at = 0;

	if (state == UTF8_BAD)
		return UTF8_BAD;
	while (at < len) {
		if (state == UTF8_START) {
			at += ascii_run(data + at, len - at);
			/* The bytes up to the next multiple of eight one by one. */
			while (at < len && data[at] < 0x80)
				at++;
			if (at == len)
				break;
			state = lead(data[at++]);
			if (state == UTF8_BAD)
				return UTF8_BAD;
			continue;
		}
		if (data[at] < steps[state].low || data[at] > steps[state].high)
			return UTF8_BAD;
		state = steps[state].next;
		at++;
	}
	return state;
}

bool utf8_valid(const void *data, size_t len)
{
	return utf8_feed(UTF8_START, data, len) == UTF8_START;
}
