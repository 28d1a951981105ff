#include "gateway/worker/returns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/segment_chronicle.h"

static uint32_t proof(struct worker *w, uint64_t random, uint32_t generation)
{
	const struct segment_header *header = segment_header(w->segment);
	const uint64_t parts[4] = { header->instance[0], header->instance[1], random,
				    generation };
	uint64_t hash = segment_hash(FNV_START, parts, sizeof parts);

	return (uint32_t)(hash ^ hash >> 32);
}

static void write_name(struct worker *w, uint64_t random, uint32_t generation,
		       char name[SESSION_NAME_MAX + 1])
{
	snprintf(name, SESSION_NAME_MAX + 1, "%016" PRIx64 "%08" PRIx32 "%08" PRIx32,
		 random, generation, proof(w, random, generation));
}

/* Many for one call of the system; 256 bytes it gives whole. */
static int take_random(struct worker *w, uint64_t *ret_random)
{
	_Static_assert(sizeof w->randoms <= 256, "more may be cut short");
	if (!w->n_randoms) {
		if (getrandom(w->randoms, sizeof w->randoms, 0) != sizeof w->randoms)
			return -EIO;
		w->n_randoms = sizeof w->randoms / sizeof w->randoms[0];
	}
	*ret_random = w->randoms[--w->n_randoms];
	w->randoms[w->n_randoms] = 0;
	return 0;
}

int returns_name(struct worker *w, char ret_name[SESSION_NAME_MAX + 1])
{
	uint64_t random;
	int r = take_random(w, &random);

	if (r == 0)
		write_name(w, random, (uint32_t)w->inherited->generation, ret_name);
	return r;
}

uint64_t returns_from(struct worker *w, const char *was)
{
	char digits[17] = "", again[SESSION_NAME_MAX + 1];
	uint64_t random, generation;

	if (strlen(was) != SESSION_NAME_MAX)
		return 0;
	memcpy(digits, was, 16);
	random = strtoull(digits, NULL, 16);
	memcpy(digits, was + 16, 8);
	digits[8] = '\0';
	generation = strtoull(digits, NULL, 16);
	/* Whatever else those digits could be read as. */
	write_name(w, random, (uint32_t)generation, again);
	if (strcmp(was, again) != 0 || generation == (uint32_t)w->inherited->generation ||
	    !generation || !segment_is_dead(w->segment, generation))
		return 0;
	return generation;
}

void returns_count(struct worker *w, uint64_t generation)
{
	segment_count_return(w->segment, w->inherited->slot, generation);
}

void returns_resumed(void *app, uint64_t generation, enum resumed how, int n)
{
	struct worker *w = app;

	if (how == RESUMED_whole)
		segment_count_whole(w->segment, w->inherited->slot, generation, n);
	else
		segment_count_trimmed(w->segment, w->inherited->slot, generation, n);
}
