#include "gateway/wire/mask.h"

#include <string.h>

/* Vectors of the compiler's: SSE2 or what there is. */
typedef uint64_t vector __attribute__((vector_size(16)));

enum {
	VECTOR = sizeof(vector),
	BLOCK = 4 * VECTOR
};

static const uint64_t not_ascii = 0x8080808080808080ull;

/* Through memcpy what is read and written may lie anywhere. Both return the bits that
 * they saw. */
static vector vector_off(uint8_t *data, vector mask)
{
	vector bytes;

	memcpy(&bytes, data, sizeof bytes);
	bytes ^= mask;
	memcpy(data, &bytes, sizeof bytes);
	return bytes;
}

static uint64_t word_off(uint8_t *data, uint64_t mask)
{
	uint64_t word;

	memcpy(&word, data, sizeof word);
	word ^= mask;
	memcpy(data, &word, sizeof word);
	return word;
}

bool mask_off(uint8_t *data, size_t len, uint8_t mask[4])
{
	uint64_t mask8, seen = 0;
	vector mask16, all = { 0 };
	uint8_t turned[4];
	size_t at = 0;

	memcpy(&mask8, mask, 4);
	memcpy((uint8_t *)&mask8 + 4, mask, 4);
	mask16 = (vector){ mask8, mask8 };
	for (; len - at >= BLOCK; at += BLOCK)
		all |= vector_off(data + at, mask16) |
		       vector_off(data + at + VECTOR, mask16) |
		       vector_off(data + at + 2 * VECTOR, mask16) |
		       vector_off(data + at + 3 * VECTOR, mask16);
	seen = all[0] | all[1];
	for (; len - at >= sizeof mask8; at += sizeof mask8)
		seen |= word_off(data + at, mask8);
	for (; at < len; at++) {
		data[at] ^= mask[at & 3];
		seen |= data[at];
	}
	for (unsigned i = 0; i < 4; i++)
		turned[i] = mask[(len + i) & 3];
	memcpy(mask, turned, 4);
	return !(seen & not_ascii);
}
