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

static uint8_t step(uint8_t state, uint8_t byte)
{
	if (state == UTF8_START)
		return lead(byte);
	if (state == UTF8_BAD || byte < steps[state].low || byte > steps[state].high)
		return UTF8_BAD;
	return steps[state].next;
}

/* ---- many bytes at once ---------------------------------------------------------- */

enum {
	BLOCK = 64, /* a constant, so that the compiler makes vectors of the loops */
	BEFORE = 3, /* bytes that a byte is judged by */
};

static const uint64_t not_ascii = 0x8080808080808080ull;

static bool is_ascii(const uint8_t *block)
{
	uint64_t words[BLOCK / sizeof(uint64_t)], seen = 0;

	memcpy(words, block, BLOCK);
	for (unsigned i = 0; i < BLOCK / sizeof(uint64_t); i++)
		seen |= words[i];
	return !(seen & not_ascii);
}

/* The same as the table of states, without one: whether a byte is wrong is told by it and
 * the three before it. Those are read, too; of the first character they are zero. The
 * numbers are signed, since only such are compared in one instruction. */
static bool is_wrong(const uint8_t *block)
{
	uint8_t wrong = 0;

	for (int i = 0; i < BLOCK; i++) {
		uint8_t third = block[i - 3], second = block[i - 2], first = block[i - 1];
		int8_t byte = (int8_t)block[i];
		uint8_t tail_here = byte < (int8_t)0xc0;
		uint8_t tail_due = ((first & 0xc0) == 0xc0) | ((second & 0xe0) == 0xe0) |
				   ((third & 0xf0) == 0xf0);
		uint8_t no_lead = ((block[i] & 0xfe) == 0xc0) | (block[i] >= 0xf5);
		/* Of what is no tail at all the line above has told it. */
		uint8_t too_low = ((first == 0xe0) & (byte < (int8_t)0xa0)) |
				  ((first == 0xf0) & (byte < (int8_t)0x90));
		uint8_t too_high = ((first == 0xed) & (byte >= (int8_t)0xa0)) |
				   ((first == 0xf4) & (byte >= (int8_t)0x90));

		wrong |= (tail_here ^ tail_due) | no_lead | too_low | too_high;
	}
	return wrong;
}

/* How many bytes from the start are ASCII, or up to seven fewer. */
static size_t ascii_run(const uint8_t *data, size_t len)
{
	size_t at = 0;
	uint64_t word;

	while (len - at >= BLOCK && is_ascii(data + at))
		at += BLOCK;
	for (; len - at >= sizeof word; at += sizeof word) {
		memcpy(&word, data + at, sizeof word);
		if (word & not_ascii)
			break;
	}
	return at;
}

/* One that begins the text or ends within the block: with zeros around it. */
static bool is_wrong_at_edge(const uint8_t *data, size_t at, size_t len)
{
	uint8_t around[BEFORE + BLOCK] = { 0 };
	size_t before = at < BEFORE ? at : BEFORE;
	size_t n = len - at < BLOCK ? len - at : BLOCK;

	memcpy(around + BEFORE - before, data + at - before, before + n);
	return is_wrong(around + BEFORE);
}

/* Whole characters. */
static bool are_wrong(const uint8_t *data, size_t len)
{
	bool ascii = true, before, wrong = false;

	for (size_t at = 0; at < len; at += BLOCK) {
		bool edge = !at || len - at < BLOCK;

		before = ascii;
		ascii = !edge && is_ascii(data + at);
		if (edge)
			wrong |= is_wrong_at_edge(data, at, len);
		else if (!ascii || !before)
			wrong |= is_wrong(data + at);
	}
	return wrong;
}

/* Where the last character begins; what is longer than one is wrong before it. */
static size_t last_character(const uint8_t *data, size_t len)
{
	size_t at = len, tails = 0;

	while (at > 0 && tails <= BEFORE && (data[at - 1] & 0xc0) == 0x80) {
		at--;
		tails++;
	}
	return at > 0 && data[at - 1] >= 0xc0 ? at - 1 : at;
}

uint8_t utf8_feed(uint8_t state, const uint8_t *data, size_t len)
{
	size_t at = 0, last;

	while (at < len && state != UTF8_START && state != UTF8_BAD)
		state = step(state, data[at++]);
	if (state == UTF8_BAD)
		return UTF8_BAD;
	at += ascii_run(data + at, len - at);
	data += at;
	len -= at;
	last = last_character(data, len);
	if (are_wrong(data, last))
		return UTF8_BAD;
	while (last < len)
		state = step(state, data[last++]);
	return state;
}

bool utf8_valid(const void *data, size_t len)
{
	return utf8_feed(UTF8_START, data, len) == UTF8_START;
}
