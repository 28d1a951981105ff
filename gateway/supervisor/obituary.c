#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/segment_chronicle.h"
#include "gateway/supervisor/parts.h"

enum {
	EVENTS_SIZE = 1536,
	MOURN_MS = 30000 /* how long those who lost their link are waited for */
};

/* The newest events of the flight recorder, oldest first: "12:ready 40:closed(3,0)". */
static void describe(const struct segment_death *death, char text[EVENTS_SIZE])
{
	size_t len = 0;

	text[0] = 0;
	for (uint64_t i = 0; i < word_get(&death->n_events) && len < EVENTS_SIZE; i++) {
		const struct segment_event *e = &death->events[i];

		len += (size_t)snprintf(text + len, EVENTS_SIZE - len,
					"%s%" PRIu64 ":%s(%" PRIu64 ",%" PRIu64 ")",
					len ? " " : "", word_get(&e->at_ms),
					segment_event_name(word_get(&e->kind)),
					word_get(&e->a), word_get(&e->b));
	}
}

/* What stands in the slot may be a predecessor's, if it died early. */
static void write_record(struct supervisor *s, const struct child *child,
			 const struct child_end *end, uint64_t now_ms,
			 struct segment_death *death)
{
	const struct segment_slot *slot = segment_slot(s->segment, child->slot);
	bool own = word_get(&slot->generation) == child->generation;

	*death = (struct segment_death){
		.generation = child->generation,
		.wall_ms = (uint64_t)clock_wall_ms(),
		.uptime_ms = now_ms - s->started_ms,
		.seat = child->seat,
		.role = child->role,
		.pid = (uint64_t)child->pid,
		.reason = end->reason,
		.signal = (uint64_t)end->signal,
		.code = (uint64_t)end->code,
		.phase = own ? word_get(&slot->phase) : PHASE_starting,
		.lived_ms = now_ms - child->spawned_ms,
		.links = own ? counter_get(slot, COUNTER_links_active) : 0,
		.members = own ? counter_get(slot, COUNTER_members) : 0,
	};
	if (own)
		word_set(&death->n_events, segment_last_events(slot, death->events));
}

/* ---- who comes back ---- */

/* In place of the one who has been mourned for longest. */
static void mourn(struct supervisor *s, const struct segment_death *death,
		  uint64_t now_ms)
{
	struct mourning *place = &s->mourning[0];

	for (unsigned i = 1; i < SEGMENT_DEATHS; i++)
		if (s->mourning[i].died_ms < place->died_ms)
			place = &s->mourning[i];
	*place = (struct mourning){
		.generation = word_get(&death->generation),
		.died_ms = now_ms,
		.links = word_get(&death->links),
		.seat = (unsigned)word_get(&death->seat),
	};
}

/* True when there is nothing more to wait for. */
static bool tell_returns(struct supervisor *s, const struct mourning *m, uint64_t now_ms)
{
	uint64_t after_ms = now_ms - m->died_ms;
	struct segment_came_back back;

	/* So many have died since that there is no record any more. */
	if (!segment_came_back(s->segment, m->generation, &back))
		return true;
	if (after_ms < MOURN_MS && back.whole + back.trimmed < m->links)
		return false;
	LOG(notice,
	    "links came back seat=%u generation=%" PRIu64 " after_ms=%" PRIu64
	    " lost=%" PRIu64 " back=%" PRIu64 " whole=%" PRIu64 " trimmed=%" PRIu64,
	    m->seat, m->generation, after_ms, m->links, back.links, back.whole,
	    back.trimmed);
	return true;
}

void obituary_tick(struct supervisor *s, uint64_t now_ms)
{
	for (unsigned i = 0; i < SEGMENT_DEATHS; i++)
		if (s->mourning[i].generation && tell_returns(s, &s->mourning[i], now_ms))
			s->mourning[i] = (struct mourning){ 0 };
}

/* ---- who is gone ---- */

void obituary(struct supervisor *s, const struct child *child,
	      const struct child_end *end, uint64_t now_ms)
{
	struct segment_death death;
	char how[192], events[EVENTS_SIZE];

	write_record(s, child, end, now_ms, &death);
	snprintf(how, sizeof how,
		 "seat=%u slot=%u pid=%d reason=%s signal=%d code=%d phase=%s "
		 "links=%" PRIu64 " lived_ms=%" PRIu64,
		 child->seat, child->slot, (int)child->pid, exit_reason_name(end->reason),
		 end->signal, end->code, phase_name(word_get(&death.phase)),
		 word_get(&death.links), word_get(&death.lived_ms));
	if (end->reason == EXIT_asked) {
		LOG(info, "%s left %s", role_name(child->role), how);
		return;
	}
	LOG(warning, "%s died %s generation=%" PRIu64, role_name(child->role), how,
	    child->generation);
	segment_bury(s->segment, &death);
	if (word_get(&death.links))
		mourn(s, &death, now_ms);
	if (!word_get(&death.n_events))
		return;
	describe(&death, events);
	LOG(info, "%s did last seat=%u slot=%u events=\"%s\"", role_name(child->role),
	    child->seat, child->slot, events);
}
