/*
 * inside - the sequencer's own struct, and what its files do for each other.
 *
 * Internal to the sequencer. In reading order: sequencer.c (the loop and its life),
 * intake.c (what workers say), keeping.c (the store, and what is answered), on top of
 * commit.c and queue.c, which know neither loop nor bus.
 */
#ifndef SEQUENCER_INSIDE_H
#define SEQUENCER_INSIDE_H

#include "gateway/bus/records.h"
#include "gateway/process.h"
#include "gateway/sequencer/commit.h"
#include "gateway/sequencer/sequencer.h"

struct sequencer {
	const struct inherited *inherited;
	const struct settings *settings;
	uv_loop_t loop;
	struct process process;
	uv_timer_t leave;
	struct segment *segment;
	struct segment_slot *slot;
	struct bus *bus;
	struct store *store;
	struct committer committer;
	struct bus_reader readers[SEGMENT_SLOTS_MAX]; /* one per worker's slot */
	uint64_t epochs[SEGMENT_SLOTS_MAX];           /* see records.h */
	bool lost[SEGMENT_SLOTS_MAX]; /* to be told its epoch at the end of the turn */
	unsigned n_readers;
	bool wrote; /* since who sleeps was woken last */
	bool looping, leaving, stopping;
};

/* ---- sequencer.c ---- */

/* Something was written to the own ring, with this result; who sleeps is woken soon. */
void sequencer_wrote(struct sequencer *sequencer, int r);

/* ---- intake.c ---- */

/* Places every reader at the newest of its ring, in the first epoch. */
void intake_start(struct sequencer *sequencer);

/* Reads what is new in all rings, and tells who lost something. */
void intake_turn(struct sequencer *sequencer);

/* The epoch that a new sequencer tells. Epochs of one life are no other's. */
uint64_t intake_first_epoch(const struct sequencer *sequencer);

/* ---- keeping.c ---- */

/* Opens the store and makes the committer ready. */
int keeping_start(struct sequencer *sequencer, struct why *why);

/* Closes the store; its memory goes when the loop has run, and keeping_release follows.
 */
void keeping_stop(struct sequencer *sequencer);
void keeping_release(struct sequencer *sequencer);

#endif
