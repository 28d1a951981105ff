/*
 * segment_chronicle - the gateway's side of drains, rolls and deaths.
 *
 * The chronicle has one writer, the supervisor; what of it is told between
 * segment_tell_begins and segment_tell_ends is seen whole or not at all. Returns are
 * counted by workers, each in words of its own, without a lock: who came back is known to
 * the worker that it came to. Once that is gone too, segment_retire adds its counts to
 * the records, as it does with totals.
 */
#ifndef SEGMENT_CHRONICLE_H
#define SEGMENT_CHRONICLE_H

#include "common/segment_writer.h"

struct segment_chronicle *segment_chronicle(struct segment *segment);

void segment_tell_begins(struct segment *segment);
void segment_tell_ends(struct segment *segment);

/* Supervisor: puts the record, which names a generation, in place of the oldest one. */
void segment_bury(struct segment *segment, const struct segment_death *death);

/* The newest events of a flight recorder, oldest first. Returns how many. */
unsigned segment_last_events(const struct segment_slot *slot,
			     struct segment_event ret_events[SEGMENT_DEATH_EVENTS]);

/* Whether the process of this generation is dead, and did not just leave as asked: there
 * is a record of it, or the kernel says so before the supervisor has heard. */
bool segment_is_dead(struct segment *segment, uint64_t generation);

/* Links that came back from one generation, and what became of them. */
struct segment_came_back {
	uint64_t links, whole, trimmed;
};

/* Worker, of its own slot: one more link of that generation came back. In a table that is
 * full, the oldest generation gives way. */
void segment_count_return(struct segment *segment, unsigned slot, uint64_t generation);

/* The same link had everything, or not; with -1 what was said of it is taken back. */
void segment_count_whole(struct segment *segment, unsigned slot, uint64_t generation,
			 int n);
void segment_count_trimmed(struct segment *segment, unsigned slot, uint64_t generation,
			   int n);

/* Supervisor: over all processes, gone and living. False: there is no record any more. */
bool segment_came_back(struct segment *segment, uint64_t generation,
		       struct segment_came_back *ret_sum);

/* Supervisor, within a change: what a dead process counted goes into the records. */
void segment_retire_returns(struct segment *segment, unsigned slot);

#endif
