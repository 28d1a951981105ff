#include "common/segment_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_chronicle.h"
#include "common/segment_open.h"

enum {
	LOCK_TRIES = 8, /* locks of readers come and go */
};

/* ---- places ---- */

struct segment_header *segment_header(struct segment *segment)
{
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	return (struct segment_header *)segment->memory;
}

struct segment_sequences *segment_sequences(struct segment *segment)
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

void segment_change_begins(word *sequence)
{
	/* From odd, which a dead predecessor left, to the next odd number. */
	word_set(sequence, (word_get(sequence) + 1) | 1);
	/* Not a full barrier: only stores must not overtake the number. */
	atomic_thread_fence(memory_order_release);
}

void segment_change_ends(word *sequence)
{
	atomic_store_explicit(sequence, word_get(sequence) + 1, memory_order_release);
}

void segment_tell_begins(struct segment *segment)
{
	segment_change_begins(&segment_sequences(segment)->supervisor);
}

void segment_tell_ends(struct segment *segment)
{
	segment_change_ends(&segment_sequences(segment)->supervisor);
}

/* ---- a process takes its slot ---- */

static void empty(void *part, size_t size)
{
	word *words = part;

	for (size_t i = 0; i < size / sizeof *words; i++)
		word_set(&words[i], 0);
}

/* The counters of other builds, too. */
static void empty_slot(struct segment *segment, unsigned slot)
{
	empty(segment_slot(segment, slot), segment->shape.slot_stride);
	empty(segment->memory + segment->shape.returns_offset +
		      (size_t)slot * segment->shape.returns_stride,
	      segment->shape.returns_stride);
}

/*
 * A reader may hold a read lock where this process wants its write lock: 0640 lets the
 * group do that. It must not keep a worker from starting, so the process then goes
 * without, says so, and readers believe the supervisor instead. A write lock is another
 * process of the gateway.
 */
static int take_lock(int fd, unsigned slot, bool *ret_unlocked, struct why *why)
{
	struct flock lock;
	int r;

	for (int i = 0; i < LOCK_TRIES; i++) {
		*ret_unlocked = false;
		r = segment_lock(fd, lock_slot(slot));
		if (r == 0)
			return 0;
		if (r != -EAGAIN)
			return why_set(why, r, "cannot lock slot %u: %s", slot,
				       strerror(-r));
		lock = (struct flock){ .l_type = F_WRLCK,
				       .l_whence = SEEK_SET,
				       .l_start = (off_t)lock_slot(slot),
				       .l_len = 1 };
		if (fcntl(fd, F_GETLK, &lock) < 0)
			return why_set(why, -errno, "cannot ask for the lock of slot %u",
				       slot);
		*ret_unlocked = lock.l_type == F_RDLCK;
		if (lock.l_type == F_WRLCK)
			break;
	}
	return *ret_unlocked ? 0
			     : why_set(why, -EBUSY, "slot %u is held by process %ld",
				       slot, (long)lock.l_pid);
}

int segment_attach(int fd, unsigned slot, uint64_t generation, enum role role,
		   unsigned seat, struct segment **ret_segment, struct why *why)
{
	struct segment *segment;
	struct segment_slot *own;
	bool unlocked = false;
	int r = segment_map(fd, true, &segment, why);

	if (r < 0)
		return r;
	if (slot >= segment->shape.n_slots)
		r = why_set(why, -EPROTO, "the segment has no slot %u", slot);
	else
		r = take_lock(fd, slot, &unlocked, why);
	if (r < 0) {
		segment_unmap(segment);
		return r;
	}
	own = segment_slot(segment, slot);
	segment_change_begins(&segment_sequences(segment)->slot[slot]);
	empty_slot(segment, slot);
	word_set(&own->pid, (uint64_t)getpid());
	word_set(&own->start_ticks, segment_start_ticks());
	word_set(&own->role, role);
	word_set(&own->seat, seat);
	word_set(&own->unlocked, unlocked);
	word_set(&own->generation, generation);
	segment_change_ends(&segment_sequences(segment)->slot[slot]);
	*ret_segment = segment;
	return 0;
}

/* ---- the supervisor folds what a dead process left ---- */

bool segment_slot_counts(struct segment *segment, unsigned slot)
{
	uint64_t generation = word_get(&segment_slot(segment, slot)->generation);

	return !(word_get(&segment_sequences(segment)->slot[slot]) & 1) && generation &&
	       generation != word_get(&segment_child(segment, slot)->retired);
}

/* Those of other builds lie behind ours, beyond the arrays as this build has them. */
static void fold(struct segment *segment, struct segment_slot *left)
{
	word *counters = (word *)((char *)left + segment->shape.counters_offset);
	word *retired = (word *)((char *)segment_supervisor(segment) +
				 segment->shape.retired_offset);

	for (unsigned i = 0; i < segment->shape.n_counters; i++)
		if (segment->is_total[i])
			word_add(&retired[i], word_get(&counters[i]));
}

void segment_retire(struct segment *segment, unsigned slot)
{
	struct segment_child *child = segment_child(segment, slot);
	struct segment_slot *left = segment_slot(segment, slot);
	uint64_t generation = word_get(&left->generation);
	word *slot_sequence = &segment_sequences(segment)->slot[slot];

	/* It died while it took the slot: what was in it had been retired before, and of
	 * its own there is nothing yet. */
	if (word_get(slot_sequence) & 1) {
		empty_slot(segment, slot);
		segment_change_ends(slot_sequence);
		return;
	}
	if (generation == word_get(&child->retired))
		return;
	segment_change_begins(&segment_sequences(segment)->supervisor);
	fold(segment, left);
	segment_retire_returns(segment, slot);
	word_set(&child->retired, generation);
	segment_change_ends(&segment_sequences(segment)->supervisor);
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
	/* Last, also when the process dies right here. */
	atomic_store_explicit(&slot->n_events, n + 1, memory_order_release);
}
