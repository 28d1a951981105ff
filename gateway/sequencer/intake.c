#include "common/log.h"
#include "gateway/sequencer/inside.h"

enum {
	TURN_MAX = 256 /* records of one worker before the next has its turn */
};

/* ---- what workers say ---- */

static void submitted(struct sequencer *s, uint32_t slot, const struct bus_record *record)
{
	struct record_submit submit;

	if (record_read_submit(record, &submit) < 0)
		LOG(warning, "bus nonsense slot=%u type=%u", slot, record->type);
	else if (submit.epoch != s->epochs[slot])
		s->lost[slot] = true;
	else
		committer_submit(&s->committer, slot, &submit);
}

/* Relayed at once: casts wait for no commit. */
static void cast(struct sequencer *s, uint32_t slot, const struct bus_record *record)
{
	struct record_cast cast;

	if (record_read_cast(record, &cast) < 0) {
		LOG(warning, "bus nonsense slot=%u type=%u", slot, record->type);
		return;
	}
	if (cast.epoch != s->epochs[slot]) {
		s->lost[slot] = true;
		return;
	}
	cast.slot = slot;
	cast.epoch = 0;
	sequencer_wrote(s, record_write_cast(s->bus, &cast));
}

static void heard(struct sequencer *s, uint32_t slot, const struct bus_record *record)
{
	counter_add(s->slot, COUNTER_bus_read, 1);
	if (s->leaving)
		return; /* a successor has it submitted again */
	switch (record->type) {
	case RECORD_SUBMIT: submitted(s, slot, record); break;
	case RECORD_CAST: cast(s, slot, record); break;
	default: break; /* a newer worker's; not for us */
	}
}

/* Ends the slot's epoch: what it submitted meanwhile must not overtake what was lost. */
static void lapped(struct sequencer *s, uint32_t slot)
{
	counter_add(s->slot, COUNTER_bus_overruns, 1);
	segment_record(s->slot, EVENT_bus_overrun, process_ms(&s->process), slot, 0);
	LOG(warning, "bus overrun slot=%u", slot);
	s->epochs[slot]++;
	s->lost[slot] = true;
}

static bool read_one(struct sequencer *s, struct bus_reader *reader)
{
	struct bus_record record;
	int r = bus_read(s->bus, reader, &record);

	if (r > 0)
		heard(s, reader->end, &record);
	else if (r < 0)
		lapped(s, reader->end);
	return r != 0;
}

static void tell_lost(struct sequencer *s)
{
	for (uint32_t slot = 0; slot < s->n_readers; slot++) {
		if (s->lost[slot])
			sequencer_wrote(s,
					record_write_lost(s->bus, slot, s->epochs[slot]));
		s->lost[slot] = false;
	}
}

/* ---- for the others ---- */

uint64_t intake_first_epoch(const struct sequencer *s)
{
	return (s->inherited->generation + 1) << 32;
}

void intake_start(struct sequencer *s)
{
	s->n_readers = s->inherited->n_slots - 1; /* all but our own, the last */
	for (unsigned i = 0; i < s->n_readers; i++) {
		bus_reader_from_now(&s->readers[i], s->bus, i);
		s->epochs[i] = intake_first_epoch(s);
	}
}

void intake_turn(struct sequencer *s)
{
	for (unsigned i = 0; i < s->n_readers; i++)
		for (int n = 0; n < TURN_MAX && read_one(s, &s->readers[i]); n++)
			;
	tell_lost(s);
}
