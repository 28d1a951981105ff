#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "gateway/supervisor/parts.h"

enum {
	EVENTS_SHOWN = 16,
	EVENTS_SIZE = 1536
};

/* The newest events of the flight recorder, oldest first: "12:ready 40:closed(3,0)". */
static void describe(const struct segment_slot *slot, char text[EVENTS_SIZE])
{
	uint64_t end = word_get(&slot->n_events);
	uint64_t at = end > EVENTS_SHOWN ? end - EVENTS_SHOWN : 0;
	size_t len = 0;

	text[0] = 0;
	for (; at < end && len < EVENTS_SIZE; at++) {
		const struct segment_event *e = &slot->events[at % SEGMENT_EVENTS];

		len += (size_t)snprintf(text + len, EVENTS_SIZE - len,
					"%s%" PRIu64 ":%s(%" PRIu64 ",%" PRIu64 ")",
					len ? " " : "", word_get(&e->at_ms),
					segment_event_name(word_get(&e->kind)),
					word_get(&e->a), word_get(&e->b));
	}
}

void obituary(struct supervisor *s, const struct child *child,
	      const struct child_end *end, uint64_t now_ms)
{
	const struct segment_slot *slot = segment_slot(s->segment, child->slot);
	/* What stands in the slot may be a predecessor's, if it died early. */
	bool own = word_get(&slot->generation) == child->generation;
	const char *phase = own ? phase_name(word_get(&slot->phase)) : "starting";
	uint64_t links = own ? counter_get(slot, COUNTER_links_active) : 0;
	char how[192], events[EVENTS_SIZE];

	snprintf(how, sizeof how,
		 "seat=%u slot=%u pid=%d reason=%s signal=%d code=%d phase=%s "
		 "links=%" PRIu64 " lived_ms=%" PRIu64,
		 child->seat, child->slot, (int)child->pid, exit_reason_name(end->reason),
		 end->signal, end->code, phase, links, now_ms - child->spawned_ms);
	if (end->reason == EXIT_asked) {
		LOG(info, "%s left %s", role_name(child->role), how);
		return;
	}
	LOG(warning, "%s died %s", role_name(child->role), how);
	if (!own)
		return;
	describe(slot, events);
	LOG(info, "%s did last seat=%u slot=%u events=\"%s\"", role_name(child->role),
	    child->seat, child->slot, events);
}
