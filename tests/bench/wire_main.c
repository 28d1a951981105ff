/*
 * wire - what it costs to take the mask off a payload and to judge its text, each beside
 * a plain loop over the bytes.
 *
 * Prints for each text and length nanoseconds a KiB and gigabytes a second, of the
 * fastest of some rounds, in which the ways take turns: what else runs here only slows a
 * round down.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/wire/mask.h"
#include "gateway/wire/utf8.h"

enum {
	ROUNDS = 40,
	ROUND_BYTES = 1 << 21,
	LEN_MAX = 65536,
};

struct sample {
	const char *name;
	const char *piece; /* repeated, whole pieces only, filled up with blanks */
	uint8_t text[LEN_MAX];
};

typedef bool way(uint8_t *data, size_t len);

/* ---- the ways --------------------------------------------------------------------- */

static uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

static bool unmask_by_bytes(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] ^= mask[i & 3];
	return true;
}

static bool unmask(uint8_t *data, size_t len)
{
	(void)mask_off(data, len, mask);
	return true;
}

/* The bytes that may follow within a character (RFC 3629 4), else NULL. */
static const uint8_t *tail_of(uint8_t lead)
{
	static const uint8_t tails[][3] = {
		/* how many, and within what the first one is */
		{ 1, 0x80, 0xbf }, { 2, 0xa0, 0xbf }, { 2, 0x80, 0xbf },
		{ 2, 0x80, 0x9f }, { 3, 0x90, 0xbf }, { 3, 0x80, 0xbf },
		{ 3, 0x80, 0x8f },
	};

	if (lead < 0xc2 || lead > 0xf4)
		return NULL;
	if (lead < 0xe0)
		return tails[0];
	if (lead < 0xf0)
		return tails[lead == 0xe0 ? 1 : lead == 0xed ? 3 : 2];
	return tails[lead == 0xf0 ? 4 : lead == 0xf4 ? 6 : 5];
}

static bool is_utf8(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint8_t lead = data[i++];
		const uint8_t *tail;

		if (lead < 0x80)
			continue;
		tail = tail_of(lead);
		if (!tail || len - i < tail[0] || data[i] < tail[1] || data[i] > tail[2])
			return false;
		for (unsigned k = 1; k < tail[0]; k++)
			if ((data[i + k] & 0xc0) != 0x80)
				return false;
		i += tail[0];
	}
	return true;
}

static bool judge_by_bytes(uint8_t *data, size_t len)
{
	return is_utf8(data, len);
}

static bool judge(uint8_t *data, size_t len)
{
	return utf8_valid(data, len);
}

/* ---- measuring -------------------------------------------------------------------- */

static void fill(struct sample *sample, size_t len)
{
	size_t piece_len = strlen(sample->piece), at = 0;

	memset(sample->text, ' ', len);
	for (; len - at >= piece_len; at += piece_len)
		memcpy(sample->text + at, sample->piece, piece_len);
}

/* Nanoseconds for one call. Through a pointer that the compiler cannot see through, so
 * that nothing is done once for all calls. */
static double once(way *volatile how, uint8_t *data, size_t len)
{
	size_t calls = ROUND_BYTES / len;
	uint64_t before = clock_mono_ns();

	for (size_t i = 0; i < calls; i++)
		CHECK(how(data, len));
	return (double)(clock_mono_ns() - before) / (double)calls;
}

static void compare(const char *what, const char *name, way *ours, way *plain,
		    uint8_t *data, size_t len)
{
	double best[2] = { 1e9, 1e9 };

	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < 2; k++) {
			double ns = once(k ? plain : ours, data, len);

			best[k] = ns < best[k] ? ns : best[k];
		}
	}
	printf("%s %s bytes=%zu ns_per_kib=%.1f gb_per_s=%.1f by_bytes_ns_per_kib=%.1f "
	       "by_bytes_gb_per_s=%.2f times=%.1f\n",
	       what, name, len, best[0] * 1024 / (double)len, (double)len / best[0],
	       best[1] * 1024 / (double)len, (double)len / best[1], best[1] / best[0]);
}

int main(void)
{
	static struct sample samples[] = {
		{ "ascii", "The quick brown fox jumps over the lazy dog. ", "" },
		{ "mixed",
		  "Gr\xc3\xbc\xc3\x9f dich, \xe4\xb8\x96\xe7\x95\x8c! 5 \xe2\x82\xac "
		  "for \xd1\x87\xd0\xb0\xd0\xb9 and \xf0\x9f\x8e\x89 ",
		  "" },
	};
	static const size_t lens[] = { 64, 1024, LEN_MAX };

	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		fill(&samples[0], lens[i]);
		compare("unmask", "any", unmask, unmask_by_bytes, samples[0].text,
			lens[i]);
	}
	for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
		for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
			fill(&samples[s], lens[i]);
			compare("utf8", samples[s].name, judge, judge_by_bytes,
				samples[s].text, lens[i]);
		}
	}
	return EXIT_SUCCESS;
}
