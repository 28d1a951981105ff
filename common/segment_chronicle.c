#include "common/segment_chronicle.h"

#include <fcntl.h>
#include <string.h>

#include "common/check.h"
#include "common/segment_open.h"

/* ---- places ---- */

struct segment_chronicle *segment_chronicle(struct segment *segment)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	return (struct segment_chronicle *)(segment->memory +
					    segment->shape.chronicle_offset);
}

static struct segment_returns *returns_of(struct segment *segment, unsigned slot)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	CHECK(slot < segment->shape.n_slots);
	return (struct segment_returns *)(segment->memory +
					  segment->shape.returns_offset +
					  (size_t)slot * segment->shape.returns_stride);
}

static struct segment_death *death_of(struct segment *segment, uint64_t generation)
{
	struct segment_chronicle *chronicle = segment_chronicle(segment);

	for (unsigned i = 0; generation && i < SEGMENT_DEATHS; i++)
		if (word_get(&chronicle->deaths[i].generation) == generation)
			return &chronicle->deaths[i];
	return NULL;
}

/* ---- deaths ---- */

void segment_bury(struct segment *segment, const struct segment_death *death)
{
	struct segment_chronicle *chronicle = segment_chronicle(segment);
	uint64_t n = word_get(&chronicle->n_deaths);
	word *to = (word *)&chronicle->deaths[n % SEGMENT_DEATHS];
	const word *from = (const word *)death;

	segment_tell_begins(segment);
	for (size_t i = 0; i < sizeof *death / sizeof *to; i++)
		word_set(&to[i], word_get(&from[i]));
	word_set(&chronicle->n_deaths, n + 1);
	segment_tell_ends(segment);
}

unsigned segment_last_events(const struct segment_slot *slot,
			     struct segment_event ret_events[SEGMENT_DEATH_EVENTS])
{
	uint64_t end = word_get(&slot->n_events);
	unsigned n = end < SEGMENT_DEATH_EVENTS ? (unsigned)end : SEGMENT_DEATH_EVENTS;

	for (unsigned i = 0; i < n; i++) {
		const struct segment_event *from =
			&slot->events[(end - n + i) % SEGMENT_EVENTS];

		word_set(&ret_events[i].at_ms, word_get(&from->at_ms));
		word_set(&ret_events[i].kind, word_get(&from->kind));
		word_set(&ret_events[i].a, word_get(&from->a));
		word_set(&ret_events[i].b, word_get(&from->b));
	}
	return n;
}

/* Of another process than the one that asks. */
static bool is_locked(const struct segment *segment, unsigned slot)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = (off_t)lock_slot(slot),
			      .l_len = 1 };

	return fcntl(segment->fd, F_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

bool segment_is_dead(struct segment *segment, uint64_t generation)
{
	for (unsigned i = 0; i < segment->shape.n_slots; i++) {
		const struct segment_child *child = segment_child(segment, i);
		uint64_t state = word_get(&child->state);

		if (word_get(&child->generation) != generation || state == CHILD_free)
			continue;
		return state == CHILD_aborting ||
		       (!word_get(&segment_slot(segment, i)->unlocked) &&
			!is_locked(segment, i));
	}
	return death_of(segment, generation) != NULL;
}

/* ---- returns ---- */

static struct segment_return *find_return(struct segment_returns *returns,
					  uint64_t generation)
{
	for (unsigned i = 0; i < SEGMENT_RETURNS; i++)
		if (word_get(&returns->of[i].generation) == generation)
			return &returns->of[i];
	return NULL;
}

/* For a reader no number of the one may stand beside the name of the other. */
static struct segment_return *take_oldest(struct segment_returns *returns,
					  uint64_t generation)
{
	struct segment_return *oldest = &returns->of[0];

	for (unsigned i = 1; i < SEGMENT_RETURNS; i++)
		if (word_get(&returns->of[i].generation) < word_get(&oldest->generation))
			oldest = &returns->of[i];
	word_set(&oldest->generation, 0);
	atomic_thread_fence(memory_order_release);
	word_set(&oldest->back, 0);
	word_set(&oldest->whole, 0);
	word_set(&oldest->trimmed, 0);
	atomic_store_explicit(&oldest->generation, generation, memory_order_release);
	return oldest;
}

void segment_count_return(struct segment *segment, unsigned slot, uint64_t generation)
{
	struct segment_returns *returns = returns_of(segment, slot);
	struct segment_return *found = find_return(returns, generation);

	CHECK(generation);
	if (!found)
		found = take_oldest(returns, generation);
	word_add(&found->back, 1);
}

void segment_count_whole(struct segment *segment, unsigned slot, uint64_t generation,
			 int n)
{
	struct segment_return *found = find_return(returns_of(segment, slot), generation);

	if (found)
		word_add(&found->whole, (uint64_t)(int64_t)n);
}

void segment_count_trimmed(struct segment *segment, unsigned slot, uint64_t generation,
			   int n)
{
	struct segment_return *found = find_return(returns_of(segment, slot), generation);

	if (found)
		word_add(&found->trimmed, (uint64_t)(int64_t)n);
}

bool segment_came_back(struct segment *segment, uint64_t generation,
		       struct segment_came_back *ret_sum)
{
	const struct segment_death *death = death_of(segment, generation);
	struct segment_came_back *sum = ret_sum;

	if (!death)
		return false;
	*sum = (struct segment_came_back){ word_get(&death->back),
					   word_get(&death->whole),
					   word_get(&death->trimmed) };
	for (unsigned i = 0; i < segment->shape.n_slots; i++) {
		const struct segment_return *found = find_return(returns_of(segment, i),
								 generation);

		if (!found || !segment_slot_counts(segment, i))
			continue;
		sum->links += word_get(&found->back);
		sum->whole += word_get(&found->whole);
		sum->trimmed += word_get(&found->trimmed);
	}
	return true;
}

void segment_retire_returns(struct segment *segment, unsigned slot)
{
	const struct segment_returns *returns = returns_of(segment, slot);

	for (unsigned i = 0; i < SEGMENT_RETURNS; i++) {
		const struct segment_return *r = &returns->of[i];
		struct segment_death *death = death_of(segment, word_get(&r->generation));

		if (!death)
			continue;
		word_add(&death->back, word_get(&r->back));
		word_add(&death->whole, word_get(&r->whole));
		word_add(&death->trimmed, word_get(&r->trimmed));
	}
}
