#include "common/segment_snapshot.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

_Static_assert(SEGMENT_SLOTS_MAX *(sizeof(struct segment_slot) +
				   sizeof(struct segment_returns) + 64 +
				   8 * SEGMENT_SPARE_COUNTERS) +
			       sizeof(struct segment_chronicle) +
			       SEGMENT_ROOM * sizeof(struct segment_about) + 65536 <
		       SEGMENT_BYTES_MAX,
	       "the reader's buffer holds the largest segment");

static bool fits(const struct segment_header *h, uint64_t offset, uint64_t stride,
		 uint64_t count, uint64_t least_stride)
{
	return offset % 8 == 0 && stride % 8 == 0 && stride >= least_stride &&
	       stride < SEGMENT_BYTES_MAX && count < SEGMENT_BYTES_MAX &&
	       offset <= h->size && stride * count <= h->size - offset;
}

static bool is_word(const char *text, size_t size)
{
	size_t len = 0;

	while (len < size && isgraph((unsigned char)text[len]))
		len++;
	return len > 0 && len < size && !text[len];
}

const char *snapshot_check_header(const struct segment_header *h)
{
	uint64_t events = offsetof(struct segment_slot, counters);

	if (h->size > SEGMENT_BYTES_MAX || h->size < sizeof *h ||
	    h->header_size != sizeof *h)
		return "claims an impossible size";
	if (h->n_workers < 1 || h->n_workers >= SEGMENT_SEATS_MAX ||
	    h->n_seats != h->n_workers + 1 || h->n_slots != 2 * h->n_workers + 1 ||
	    h->n_slots > SEGMENT_SLOTS_MAX || h->n_counters > 4096)
		return "claims an impossible number of workers";
	if (!is_word(h->build, sizeof h->build))
		return "names an impossible version";
	if (!fits(h, h->sequences_offset, sizeof(struct segment_sequences), 1, 0) ||
	    !fits(h, h->supervisor_offset, h->supervisor_size, 1,
		  h->retired_offset + 8ull * h->n_counters) ||
	    h->retired_offset % 8 != 0 ||
	    h->retired_offset < offsetof(struct segment_supervisor, retired) ||
	    !fits(h, h->seats_offset, h->seat_stride, h->n_seats,
		  sizeof(struct segment_seat)) ||
	    !fits(h, h->children_offset, h->child_stride, h->n_slots,
		  sizeof(struct segment_child)) ||
	    !fits(h, h->slots_offset, h->slot_stride, h->n_slots,
		  events + 8ull * h->n_counters) ||
	    h->counters_offset != events ||
	    !fits(h, h->chronicle_offset, h->chronicle_size, 1,
		  sizeof(struct segment_chronicle)) ||
	    !fits(h, h->returns_offset, h->returns_stride, h->n_slots,
		  sizeof(struct segment_returns)) ||
	    !fits(h, h->about_offset, h->about_stride, h->n_counters,
		  sizeof(struct segment_about)))
		return "has parts that lie outside of it";
	return NULL;
}

/* ---- counters, by name: the writer may be of another build ---- */

static void find_counters(const unsigned char *bytes, const struct segment_header *h,
			  int place[COUNTER_COUNT])
{
	struct segment_about mine[COUNTER_COUNT];

	segment_describe(mine);
	for (unsigned id = 0; id < COUNTER_COUNT; id++) {
		place[id] = -1;
		for (unsigned k = 0; k < h->n_counters; k++) {
			/* The same build has it in the same place. */
			unsigned at = (id + k) % h->n_counters;
			const struct segment_about *about =
				(const void *)(bytes + h->about_offset +
					       (size_t)at * h->about_stride);

			if (memcmp(about->id, mine[id].id, sizeof about->id) != 0)
				continue;
			if (about->kind == mine[id].kind && about->offset % 8 == 0 &&
			    about->offset / 8 < h->n_counters)
				place[id] = (int)(about->offset / 8);
			break;
		}
	}
}

/* False: the checksum is not that of the bytes. */
static bool get_to_know(const unsigned char *bytes, struct snapshot_known *known)
{
	const struct segment_header *h = (const void *)bytes;
	const unsigned char *about = bytes + h->about_offset;
	size_t len = (size_t)h->n_counters * h->about_stride;

	if (memcmp(&known->header, h, sizeof *h) == 0 && len <= sizeof known->about &&
	    memcmp(known->about, about, len) == 0)
		return true;
	if (segment_checksum(h, about, len) != h->checksum)
		return false;
	find_counters(bytes, h, known->place);
	known->header = *h;
	if (len <= sizeof known->about)
		memcpy(known->about, about, len);
	return true;
}

static void take_counters(const word *from, const int place[COUNTER_COUNT],
			  uint64_t to[COUNTER_COUNT])
{
	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		to[id] = place[id] < 0 ? 0 : word_get(&from[place[id]]);
}

/* ---- parts ---- */

static const char *take_supervisor(const struct segment_supervisor *from,
				   struct snapshot *s)
{
	if (word_get(&from->state) >= GATEWAY_STATE_COUNT)
		return "names a state of the gateway that there is not";
	s->state = (enum gateway_state)word_get(&from->state);
	s->pid = word_get(&from->pid);
	s->beat = word_get(&from->beat);
	s->uptime_ms = word_get(&from->uptime_ms);
	s->port = word_get(&from->port);
	s->ever_ready = word_get(&from->ever_ready);
	s->reloads = word_get(&from->reloads);
	s->late_ticks = word_get(&from->late_ticks);
	s->aborts = word_get(&from->aborts);
	s->upgrades = word_get(&from->upgrades);
	return NULL;
}

static const char *take_seat(const struct segment_seat *from, unsigned n_slots,
			     struct snapshot_seat *seat)
{
	uint64_t slot = word_get(&from->slot);

	if (word_get(&from->state) >= SEAT_STATE_COUNT)
		return "names a state of a seat that there is not";
	if (slot > n_slots)
		return "names a slot that there is not";
	if (word_get(&from->role) > ROLE_SEQUENCER)
		return "names a role of a seat that there is not";
	if (word_get(&from->last_reason) >= EXIT_REASON_COUNT)
		return "names a reason of an exit that there is not";
	seat->state = (enum seat_state)word_get(&from->state);
	seat->role = (enum role)word_get(&from->role);
	seat->slot = (int)slot - 1;
	seat->restarts = word_get(&from->restarts);
	for (unsigned i = 0; i < EXIT_REASON_COUNT; i++)
		seat->deaths[i] = word_get(&from->deaths[i]);
	seat->last_reason = word_get(&from->last_reason);
	seat->last_signal = word_get(&from->last_signal);
	seat->last_code = word_get(&from->last_code);
	seat->since_ms = word_get(&from->since_ms);
	seat->retry_at_ms = word_get(&from->retry_at_ms);
	return NULL;
}

static void take_events(const struct segment_event *from, unsigned n,
			struct snapshot_event *to)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (struct snapshot_event){ word_get(&from[i].at_ms),
						 word_get(&from[i].kind),
						 word_get(&from[i].a),
						 word_get(&from[i].b) };
}

static const char *take_slot(const struct segment_child *child,
			     const struct segment_slot *from, uint64_t sequence,
			     const int *place, unsigned n_seats,
			     struct snapshot_slot *slot)
{
	memset(slot, 0, sizeof *slot);
	if (word_get(&child->state) >= CHILD_STATE_COUNT)
		return "names a state of a process that there is not";
	if (word_get(&child->hang) >= HANG_KIND_COUNT)
		return "names a kind of hanging that there is not";
	if (word_get(&child->role) > ROLE_SEQUENCER)
		return "names a role of a process that there is not";
	if (word_get(&child->seat) >= n_seats)
		return "names a seat that there is not";
	slot->state = (enum child_state)word_get(&child->state);
	slot->hang = (enum hang_kind)word_get(&child->hang);
	slot->role = (enum role)word_get(&child->role);
	slot->seat = (unsigned)word_get(&child->seat);
	if (sequence & 1)
		return NULL; /* died while it took the slot: nothing in it counts */
	slot->generation = word_get(&from->generation);
	slot->counted = slot->generation && slot->generation != word_get(&child->retired);
	slot->pid = word_get(&from->pid);
	slot->beat = word_get(&from->beat);
	slot->phase = word_get(&from->phase);
	slot->ready = word_get(&from->ready);
	slot->unlocked = word_get(&from->unlocked) == 1;
	take_counters(from->counters, place, slot->counters);
	slot->n_events = word_get(&from->n_events);
	take_events(from->events, SEGMENT_EVENTS, slot->events);
	return NULL;
}

/* ---- the chronicle ---- */

/* False: it makes no sense. That is no reason to believe nothing else. */
static bool take_death(const struct segment_death *from, unsigned n_seats,
		       struct snapshot_death *to)
{
	if (!word_get(&from->generation) || word_get(&from->seat) >= n_seats ||
	    word_get(&from->role) > ROLE_SEQUENCER ||
	    word_get(&from->reason) >= EXIT_REASON_COUNT ||
	    word_get(&from->n_events) > SEGMENT_DEATH_EVENTS)
		return false;
	*to = (struct snapshot_death){
		.generation = word_get(&from->generation),
		.wall_ms = word_get(&from->wall_ms),
		.uptime_ms = word_get(&from->uptime_ms),
		.pid = word_get(&from->pid),
		.signal = word_get(&from->signal),
		.code = word_get(&from->code),
		.phase = word_get(&from->phase),
		.lived_ms = word_get(&from->lived_ms),
		.role = (enum role)word_get(&from->role),
		.seat = (unsigned)word_get(&from->seat),
		.reason = (enum exit_reason)word_get(&from->reason),
		.links = word_get(&from->links),
		.members = word_get(&from->members),
		.back = word_get(&from->back),
		.whole = word_get(&from->whole),
		.trimmed = word_get(&from->trimmed),
		.n_events = (unsigned)word_get(&from->n_events),
	};
	take_events(from->events, to->n_events, to->events);
	return true;
}

/* Adds what the process in a slot counts for deaths that there is a record of. */
static void take_returns(const struct segment_returns *from, struct snapshot *s)
{
	for (unsigned i = 0; i < SEGMENT_RETURNS; i++) {
		uint64_t generation = word_get(&from->of[i].generation);

		for (unsigned d = 0; generation && d < s->n_deaths; d++) {
			struct snapshot_death *death = &s->deaths[d];

			if (death->generation != generation)
				continue;
			death->back += word_get(&from->of[i].back);
			death->whole += word_get(&from->of[i].whole);
			death->trimmed += word_get(&from->of[i].trimmed);
		}
	}
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static void take_chronicle(const unsigned char *bytes, const struct segment_header *h,
			   struct snapshot *s)
{
	const struct segment_chronicle *from = (const void *)(bytes +
							      h->chronicle_offset);
	uint64_t newest = word_get(&from->n_deaths);

	s->drain.from_ms = word_get(&from->drain.from_ms);
	s->drain.close_ms = word_get(&from->drain.close_ms);
	s->drain.spread_ms = word_get(&from->drain.spread_ms);
	s->drain.until_ms = word_get(&from->drain.until_ms);
	s->drain.links = word_get(&from->drain.links);
	s->roll.from_ms = word_get(&from->roll.from_ms);
	s->roll.spread_ms = word_get(&from->roll.spread_ms);
	s->roll.total = word_get(&from->roll.total);
	s->roll.done = word_get(&from->roll.done);
	for (unsigned i = 1; i <= SEGMENT_DEATHS; i++)
		s->n_deaths += take_death(&from->deaths[(newest - i) % SEGMENT_DEATHS],
					  h->n_seats, &s->deaths[s->n_deaths]);
	for (unsigned i = 0; i < h->n_slots; i++)
		if (s->slots[i].counted)
			take_returns((const void *)(bytes + h->returns_offset +
						    (size_t)i * h->returns_stride),
				     s);
	for (unsigned i = 0; i < s->n_deaths; i++) {
		struct snapshot_death *death = &s->deaths[i];

		death->back = at_most(death->back, death->links);
		death->trimmed = at_most(death->trimmed, death->back);
		death->whole = at_most(death->whole, death->back - death->trimmed);
	}
}

const char *snapshot_take(const unsigned char *bytes,
			  const struct segment_sequences *sequences,
			  struct snapshot_known *known, struct snapshot *s)
{
	const struct segment_header *h = (const void *)bytes;
	const char *what = NULL;

	if (!get_to_know(bytes, known))
		return "does not match its checksum";
	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		s->has[id] = known->place[id] >= 0;
	memcpy(s->instance, h->instance, sizeof s->instance);
	snprintf(s->build, sizeof s->build, "%s", h->build);
	s->connections_max = h->connections_max;
	s->hang_report_ms = h->hang_report_ms;
	s->hang_act_ms = h->hang_act_ms;
	s->n_workers = h->n_workers;
	s->n_seats = h->n_seats;
	s->n_slots = h->n_slots;
	what = take_supervisor((const void *)(bytes + h->supervisor_offset), s);
	take_counters((const void *)(bytes + h->supervisor_offset + h->retired_offset),
		      known->place, s->retired);
	for (unsigned i = 0; !what && i < h->n_seats; i++)
		what = take_seat((const void *)(bytes + h->seats_offset +
						(size_t)i * h->seat_stride),
				 h->n_slots, &s->seats[i]);
	for (unsigned i = 0; !what && i < h->n_slots; i++)
		what = take_slot((const void *)(bytes + h->children_offset +
						(size_t)i * h->child_stride),
				 (const void *)(bytes + h->slots_offset +
						(size_t)i * h->slot_stride),
				 word_get(&sequences->slot[i]), known->place, h->n_seats,
				 &s->slots[i]);
	if (!what)
		take_chronicle(bytes, h, s);
	return what;
}
