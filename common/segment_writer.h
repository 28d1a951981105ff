/*
 * segment_writer - the gateway's side of the segment: create, take a slot, publish.
 *
 * A process has at most one struct segment and never opens the file a second
 * time (see segment.h on locks). The mapping stays until segment_close.
 */
#ifndef SEGMENT_WRITER_H
#define SEGMENT_WRITER_H

#include <stdbool.h>

#include "common/segment.h"
#include "common/why.h"

struct segment; /* a mapped segment; one per process */

struct segment_shape {
	unsigned n_workers; /* 1..64; seats = workers + 1, slots = 2 * workers + 1 */
	const char *group;  /* may read; "" for the process's own */
	uint64_t connections_max, hang_report_ms, hang_act_ms;
};

static inline unsigned segment_seats(unsigned n_workers)
{
	return n_workers + 1;
}
static inline unsigned segment_slots(unsigned n_workers)
{
	return 2 * n_workers + 1;
}

/*
 * Supervisor: makes a segment whole under a temporary name, locks it, and only
 * then gives it its name (and a second hard link, `<name>.kept`, from which a
 * deleted name is put back). A stale one (no lock) is replaced.
 * -EBUSY: a living gateway has the name; it is untouched. -ENOSPC: no memory for it.
 */
int segment_create(const char *name, const struct segment_shape *shape,
		   struct segment **ret_segment, struct why *why);

/* Whether this build's supervisor could take over the segment: all lies where it has it,
 * and one of the two lists of counters only goes on where the other ends. -EPROTO with
 * the reason. */
int segment_check(int fd, struct why *why);

/*
 * Supervisor: the same process goes on as this program, with the segment's descriptor, of
 * the name that it has; its counters are described in it from now on. -EPROTO as above;
 * -EAGAIN: it is not this process's. The descriptor stays the caller's then.
 */
int segment_take_over(int fd, const char *name, struct segment **ret_segment,
		      struct why *why);

/* The descriptor to hand to children; the segment keeps it. Not close-on-exec. */
int segment_fd(const struct segment *segment);

/*
 * Child: maps the inherited descriptor (and keeps it), takes the slot's lock,
 * empties the slot under its sequence and says who it is.
 * Only for a slot whose former process was retired, or its totals are lost.
 * -EBUSY: another process still holds the slot. -EPROTO: not a segment of ours; one that
 * a later build has taken over since it was made is.
 */
int segment_attach(int fd, unsigned slot, uint64_t generation, enum role role,
		   unsigned seat, struct segment **ret_segment, struct why *why);

/* Supervisor, each tick: puts the name back if someone removed or replaced it.
 * Returns 1 if it had to, 0 if not, negative errno if it could not; -ENOENT: both names
 * are gone, -EIO: the file was cut short (nothing dies of it, but readers can read it no
 * longer, and no process can attach): neither can be mended but by a restart. */
int segment_keep_name(struct segment *segment);

/* Supervisor, once a process is reaped: its totals join the retired ones, in one
 * step for every reader; the slot counts as empty from then on. Idempotent. */
void segment_retire(struct segment *segment, unsigned slot);

/* Whether what stands in the slot is not among what was retired. */
bool segment_slot_counts(struct segment *segment, unsigned slot);

/* Gives the memory back; `forget` (supervisor at a clean end) also removes both names. */
void segment_close(struct segment *segment, bool forget);

struct segment_header *segment_header(struct segment *segment);
struct segment_supervisor *segment_supervisor(struct segment *segment);
struct segment_seat *segment_seat(struct segment *segment, unsigned seat);
struct segment_child *segment_child(struct segment *segment, unsigned slot);
struct segment_slot *segment_slot(struct segment *segment, unsigned slot);

static inline void counter_add(struct segment_slot *slot, enum counter id, uint64_t n)
{
	word_add(&slot->counters[id], n);
}
static inline void counter_set(struct segment_slot *slot, enum counter id, uint64_t v)
{
	word_set(&slot->counters[id], v);
}
static inline uint64_t counter_get(const struct segment_slot *slot, enum counter id)
{
	return word_get(&slot->counters[id]);
}

/* The bucket for so many microseconds: the first whose bound is not less. */
static inline unsigned histogram_bucket(uint64_t us)
{
	unsigned bucket = 0;

	if (us > 1u << HISTOGRAM_FIRST_BITS)
		bucket = 64 - HISTOGRAM_FIRST_BITS - (unsigned)__builtin_clzll(us - 1);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}
static inline void histogram_observe(struct segment_slot *slot, enum histogram id,
				     uint64_t us)
{
	word_add(&slot->counters[id + histogram_bucket(us)], 1);
	word_add(&slot->counters[id + HISTOGRAM_BUCKETS], us);
}

/* Flight recorder; at_ms is the process's own milliseconds since its start. */
void segment_record(struct segment_slot *slot, enum segment_event_kind kind,
		    uint64_t at_ms, uint64_t a, uint64_t b);

#endif
