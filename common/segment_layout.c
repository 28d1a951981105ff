#include "common/segment_layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *id, *metric, *label, *unit, *help;
	enum counter_kind kind;
} rows[COUNTER_COUNT] = {
#define COUNTER(id, KIND, unit, metric, label, help) \
	[COUNTER_##id] = { #id, metric, label, unit, help, COUNTER_##KIND },
#include "common/counters.def"
#undef COUNTER
};

/* They are found by name: none may be cut off in the description. */
enum {
	NAME_SIZE = sizeof((struct segment_about){ 0 }.id)
};
#define COUNTER(id, KIND, unit, metric, label, help) \
	_Static_assert(sizeof #id <= NAME_SIZE, "a counter's name fits");
#include "common/counters.def"
#undef COUNTER

int segment_path(const char *name, char ret_path[SEGMENT_PATH_MAX])
{
	if (!*name || strchr(name, '/') || strlen(name) > SEGMENT_NAME_MAX ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	snprintf(ret_path, SEGMENT_PATH_MAX, "/dev/shm/%s", name);
	return 0;
}

static uint32_t at_next(uint64_t *at, uint64_t len)
{
	uint64_t here = *at;

	*at = (here + len + 63) & ~63ull; /* a cache line of its own */
	return (uint32_t)here;
}

void segment_layout(struct segment_header *header, unsigned n_workers, unsigned room)
{
	uint64_t at = 0, spare = (room - COUNTER_COUNT) * sizeof(word);

	header->version = SEGMENT_VERSION;
	header->header_size = sizeof *header;
	header->layout = segment_layout_hash();
	snprintf(header->build, sizeof header->build, "%s", PARLEY_VERSION);
	header->n_workers = n_workers;
	header->n_seats = n_workers + 1;
	header->n_slots = 2 * n_workers + 1;
	header->n_counters = COUNTER_COUNT;
	header->counters_room = room;
	header->supervisor_size = (uint32_t)(sizeof(struct segment_supervisor) + spare);
	header->retired_offset = offsetof(struct segment_supervisor, retired);
	header->seat_stride = sizeof(struct segment_seat);
	header->child_stride = sizeof(struct segment_child);
	header->slot_stride = (uint32_t)(sizeof(struct segment_slot) + spare + 63) & ~63u;
	header->counters_offset = offsetof(struct segment_slot, counters);
	header->about_stride = sizeof(struct segment_about);
	header->chronicle_size = sizeof(struct segment_chronicle);
	header->returns_stride = sizeof(struct segment_returns);
	at_next(&at, sizeof *header);
	header->sequences_offset = at_next(&at, sizeof(struct segment_sequences));
	header->supervisor_offset = at_next(&at, header->supervisor_size);
	header->chronicle_offset = at_next(&at, header->chronicle_size);
	header->seats_offset = at_next(&at,
				       (uint64_t)header->n_seats * header->seat_stride);
	header->children_offset = at_next(&at, (uint64_t)header->n_slots *
						       header->child_stride);
	header->slots_offset = at_next(&at,
				       (uint64_t)header->n_slots * header->slot_stride);
	header->returns_offset = at_next(&at, (uint64_t)header->n_slots *
						      header->returns_stride);
	header->about_offset = at_next(&at, (uint64_t)room * header->about_stride);
	header->size = at;
}

int segment_same_layout(const struct segment_header *a, const struct segment_header *b)
{
	size_t first = offsetof(struct segment_header, counters_room);
	size_t end = offsetof(struct segment_header, connections_max);

	return a->version == b->version && a->header_size == b->header_size &&
	       a->size == b->size &&
	       memcmp((const char *)a + first, (const char *)b + first, end - first) == 0;
}

uint64_t segment_layout_hash(void)
{
	uint64_t hash = FNV_START;

	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		hash = segment_hash(hash, rows[i].id, strlen(rows[i].id));
		hash = segment_hash(hash, &rows[i].kind, sizeof rows[i].kind);
	}
	return hash;
}

void segment_describe(struct segment_about about[COUNTER_COUNT])
{
	memset(about, 0, COUNTER_COUNT * sizeof *about);
	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		struct segment_about *a = &about[i];

		snprintf(a->id, sizeof a->id, "%s", rows[i].id);
		snprintf(a->metric, sizeof a->metric, "%s", rows[i].metric);
		snprintf(a->label, sizeof a->label, "%s", rows[i].label);
		snprintf(a->unit, sizeof a->unit, "%s", rows[i].unit);
		snprintf(a->help, sizeof a->help, "%s", rows[i].help);
		a->kind = rows[i].kind;
		a->offset = i * (uint32_t)sizeof(word);
	}
}

int segment_agrees(const struct segment_about *about, unsigned n)
{
	struct segment_about mine[COUNTER_COUNT];
	int agree = 1;

	segment_describe(mine);
	for (unsigned i = 0; agree && i < n && i < COUNTER_COUNT; i++)
		agree = memcmp(about[i].id, mine[i].id, sizeof mine[i].id) == 0 &&
			about[i].kind == mine[i].kind &&
			about[i].offset == mine[i].offset;
	return agree;
}

uint64_t segment_checksum(const struct segment_header *header, const void *about,
			  size_t about_len)
{
	struct segment_header copy = *header;
	uint64_t hash;

	copy.checksum = 0;
	hash = segment_hash(FNV_START, &copy, sizeof copy);
	return segment_hash(hash, about, about_len);
}

int counter_is_total(enum counter id)
{
	return rows[id].kind == COUNTER_TOTAL;
}
