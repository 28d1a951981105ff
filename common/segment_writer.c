#include "common/segment_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_layout.h"
#include "common/segment_open.h"

/* ---- places ---- */

struct segment_header *segment_header(struct segment *segment)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	return (struct segment_header *)segment->memory;
}

static struct segment_sequences *sequences(struct segment *segment)
{
	return (struct segment_sequences *)(segment->memory +
					    segment->shape.sequences_offset);
}

struct segment_supervisor *segment_supervisor(struct segment *segment)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	return (struct segment_supervisor *)(segment->memory +
					     segment->shape.supervisor_offset);
}

struct segment_seat *segment_seat(struct segment *segment, unsigned seat)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	CHECK(seat < segment->shape.n_seats);
	return (struct segment_seat *)(segment->memory + segment->shape.seats_offset) +
	       seat;
}

struct segment_child *segment_child(struct segment *segment, unsigned slot)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	CHECK(slot < segment->shape.n_slots);
	return (struct segment_child *)(segment->memory +
					segment->shape.children_offset) +
	       slot;
}

struct segment_slot *segment_slot(struct segment *segment, unsigned slot)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	CHECK(slot < segment->shape.n_slots);
	return (struct segment_slot *)(segment->memory + segment->shape.slots_offset +
				       (size_t)slot * segment->shape.slot_stride);
}

int segment_fd(const struct segment *segment)
{
	return segment->fd;
}

/* ---- sequences: odd while a group changes ---- */

static void change_begins(word *sequence)
{
	/* From odd, which a dead predecessor left, to the next odd number. */
	word_set(sequence, (word_get(sequence) + 1) | 1);
	atomic_thread_fence(memory_order_seq_cst);
}

static void change_ends(word *sequence)
{
	atomic_thread_fence(memory_order_seq_cst);
	word_set(sequence, word_get(sequence) + 1);
}

/* ---- a process takes its slot ---- */

static uint64_t own_start_ticks(void)
{
	char text[1024], *after;
	unsigned long long ticks = 0;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return 0; /* only shown, never judged by */
	text[len] = 0;
	after = strrchr(text, ')');
	/* Field 22; the state behind the name is field 3. */
	for (int field = 2; after && field < 22; field++)
		after = strchr(after + 1, ' ');
	if (after)
		ticks = strtoull(after, NULL, 10);
	return ticks;
}

static void empty_slot(struct segment_slot *slot)
{
	word *words = (word *)slot;

	for (size_t i = 0; i < sizeof *slot / sizeof *words; i++)
		word_set(&words[i], 0);
}

int segment_attach(int fd, unsigned slot, uint64_t generation, enum role role,
		   unsigned seat, struct segment **ret_segment, struct why *why)
{
	struct segment *segment;
	struct segment_slot *own;
	int r = segment_map(fd, &segment, why);

	if (r < 0)
		return r;
	if (slot >= segment->shape.n_slots)
		r = why_set(why, -EPROTO, "the segment has no slot %u", slot);
	else
		r = segment_lock(fd, lock_slot(slot));
	if (r == -EAGAIN)
		r = why_set(why, -EBUSY, "slot %u is held by another process", slot);
	if (r < 0) {
		segment_unmap(segment);
		return r;
	}
	own = segment_slot(segment, slot);
	change_begins(&sequences(segment)->slot[slot]);
	empty_slot(own);
	word_set(&own->pid, (uint64_t)getpid());
	word_set(&own->start_ticks, own_start_ticks());
	word_set(&own->role, role);
	word_set(&own->seat, seat);
	word_set(&own->generation, generation);
	change_ends(&sequences(segment)->slot[slot]);
	*ret_segment = segment;
	return 0;
}

/* ---- the supervisor folds what a dead process left ---- */

void segment_retire(struct segment *segment, unsigned slot)
{
	struct segment_supervisor *supervisor = segment_supervisor(segment);
	struct segment_child *child = segment_child(segment, slot);
	struct segment_slot *left = segment_slot(segment, slot);
	uint64_t generation = word_get(&left->generation);
	word *slot_sequence = &sequences(segment)->slot[slot];

	/* It died while it took the slot: the slot is empty, in whole or in part, and
	 * what was in it had been retired before. */
	if (word_get(slot_sequence) & 1) {
		empty_slot(left);
		change_ends(slot_sequence);
		return;
	}
	if (generation == word_get(&child->retired))
		return;
	change_begins(&sequences(segment)->supervisor);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		if (counter_is_total(i))
			word_add(&supervisor->retired[i], counter_get(left, i));
	word_set(&child->retired, generation);
	change_ends(&sequences(segment)->supervisor);
}

void segment_record(struct segment_slot *slot, enum segment_event_kind kind,
		    uint64_t at_ms, uint64_t a, uint64_t b)
{
	uint64_t n = word_get(&slot->n_events);
	struct segment_event *event = &slot->events[n % SEGMENT_EVENTS];

	word_set(&event->at_ms, at_ms);
	word_set(&event->kind, kind);
	word_set(&event->a, a);
	word_set(&event->b, b);
	word_set(&slot->n_events, n + 1);
}
