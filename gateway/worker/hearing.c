#include "gateway/worker/hearing.h"

#include "common/log.h"

enum {
	BUS_TURN_MAX = 1024
}; /* records read before the sockets have their turn */

/* ---- the other workers ---- */

/* Whose life in this slot has ended since it was looked at last. */
static void look_at_peer(struct worker *w, unsigned slot)
{
	const struct segment_child *child = segment_child(w->segment, slot);
	uint64_t generation = word_get(&child->generation), before = w->peers[slot];

	if (word_get(&child->state) == CHILD_free)
		generation = 0;
	w->peers[slot] = generation;
	if (before && before != generation)
		chat_peer_gone(w->chat, slot, before);
}

void hearing_look(struct worker *w)
{
	for (unsigned i = 0; i < worker_sequencer(w); i++)
		look_at_peer(w, i);
}

/* ---- what the sequencer says ---- */

static void hear_message(struct worker *w, const struct bus_record *record)
{
	struct record_message said;
	bool mine;

	if (record_read_message(record, &said) < 0)
		return; /* nonsense in shared memory harms nobody */
	mine = said.slot == w->inherited->slot &&
	       said.generation == w->inherited->generation;
	chat_sequenced(w->chat, &said.message, said.repeat, mine, said.ticket);
}

static void hear_refused(struct worker *w, const struct bus_record *record)
{
	struct record_refused said;

	if (record_read_refused(record, &said) == 0 && said.slot == w->inherited->slot &&
	    said.generation == w->inherited->generation)
		chat_refused(w->chat, said.ticket, said.reason);
}

/* What the sequencer did not take in the epoch that ends it never will. */
static void hear_epoch(struct worker *w, uint64_t epoch, bool all)
{
	if (epoch == w->epoch)
		return;
	w->epoch = epoch;
	chat_resubmit(w->chat, all);
}

static void hear_hello(struct worker *w, const struct bus_record *record)
{
	uint64_t epoch;

	if (record_read_hello(record, &epoch) < 0)
		return;
	hear_epoch(w, epoch, true);
	/* What its predecessor had committed may be untold. */
	chat_look(w->chat);
}

/* Said to this worker alone: one that is new does not know the epoch yet, and so what it
 * says first is never taken. */
static void hear_lost(struct worker *w, const struct bus_record *record)
{
	uint64_t epoch;
	uint32_t slot;

	if (record_read_lost(record, &slot, &epoch) == 0 && slot == w->inherited->slot)
		hear_epoch(w, epoch, false);
}

static void hear_cast(struct worker *w, const struct bus_record *record)
{
	struct record_cast said;

	if (record_read_cast(record, &said) < 0 || said.slot >= worker_sequencer(w))
		return;
	/* The last words of one that is gone by now would never be taken back. */
	look_at_peer(w, said.slot);
	if (w->peers[said.slot] == said.generation)
		chat_heard(w->chat, said.slot, said.generation, said.data, said.len);
}

static void hear(struct worker *w, const struct bus_record *record)
{
	counter_add(w->slot, COUNTER_bus_read, 1);
	switch (record->type) {
	case RECORD_MESSAGE: hear_message(w, record); break;
	case RECORD_REFUSED: hear_refused(w, record); break;
	case RECORD_LOST: hear_lost(w, record); break;
	case RECORD_HELLO: hear_hello(w, record); break;
	case RECORD_CAST: hear_cast(w, record); break;
	case RECORD_LOOK: chat_look(w->chat); break;
	default: break; /* a newer sequencer's; not for us */
	}
}

void hearing_turn(struct worker *w)
{
	struct bus_record record;
	int r = 1;

	for (int i = 0; i < BUS_TURN_MAX && r != 0; i++) {
		r = bus_read(w->bus, &w->sequenced, &record);
		if (r > 0) {
			hear(w, &record);
		} else if (r < 0) {
			counter_add(w->slot, COUNTER_bus_overruns, 1);
			segment_record(w->slot, EVENT_bus_overrun,
				       process_ms(&w->process), 0, 0);
			LOG(warning, "bus overrun");
			chat_overrun(w->chat);
		}
	}
	counter_set(w->slot, COUNTER_bus_at, w->sequenced.at);
}
