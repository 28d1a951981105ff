#include <inttypes.h>

#include "common/log.h"
#include "common/segment_chronicle.h"
#include "gateway/supervisor/parts.h"

enum {
	SEQUENCER_LEAVE_MS = 2000,
	HURRY_MS = 1000
};

static void stop_all(struct supervisor *s, enum role role, uint64_t grace_ms)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		struct child *child = &s->children[i];

		if (child->state != CHILD_free && child->role == role)
			processes_stop(s, child, grace_ms);
	}
}

static uint64_t count_links(struct supervisor *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->n_slots; i++)
		if (segment_slot_counts(s->segment, i))
			n += counter_get(segment_slot(s->segment, i),
					 COUNTER_links_active);
	return n;
}

/* When links are closed, and when all is over: grace_ms after the workers were asked. */
static void tell(struct supervisor *s, uint64_t grace_ms)
{
	struct segment_chronicle *told = segment_chronicle(s->segment);
	uint64_t close_ms = s->leave_at_ms - s->started_ms;

	segment_tell_begins(s->segment);
	word_set(&told->drain.close_ms, close_ms);
	word_set(&told->drain.until_ms,
		 close_ms + grace_ms + (s->hurried ? HURRY_MS : SEQUENCER_LEAVE_MS));
	segment_tell_ends(s->segment);
}

void leave_rearm(struct supervisor *s)
{
	s->leave_at_ms += s->late_ms;
	if (s->state == GATEWAY_draining && !s->hurried)
		tell(s, (uint64_t)s->settings.drain_deadline_ms);
}

/* Before the state tells readers to look for it. */
static void tell_begin(struct supervisor *s)
{
	struct segment_chronicle *told = segment_chronicle(s->segment);

	segment_tell_begins(s->segment);
	word_set(&told->drain.from_ms, supervisor_now_ms() - s->started_ms);
	word_set(&told->drain.spread_ms, (uint64_t)s->settings.drain_spread_ms);
	word_set(&told->drain.links, count_links(s));
	segment_tell_ends(s->segment);
	tell(s, (uint64_t)s->settings.drain_deadline_ms);
	roll_tell(s);
}

static void announce(struct supervisor *s, uint64_t announce_ms)
{
	s->state = GATEWAY_draining;
	s->leave_at_ms = supervisor_now_ms() + announce_ms;
	tell_begin(s);
	word_set(&s->words->state, GATEWAY_draining);
	manager_tell(&s->manager, "STOPPING=1");
	processes_tell(s);
	processes_wake(s);
	LOG(notice, "gateway drains announce_ms=%" PRIu64, announce_ms);
}

static void hurry(struct supervisor *s)
{
	if (s->hurried)
		return;
	s->hurried = s->asked_workers = true;
	s->leave_at_ms = supervisor_now_ms();
	tell(s, HURRY_MS);
	LOG(notice, "gateway hurries");
	stop_all(s, ROLE_WORKER, HURRY_MS);
}

void leave_begin(struct supervisor *s)
{
	if (s->state == GATEWAY_draining)
		hurry(s);
	else
		announce(s, (uint64_t)s->settings.drain_announce_ms);
	leave_tick(s, supervisor_now_ms());
}

void leave_now(struct supervisor *s, int exit_code)
{
	s->exit_code = exit_code;
	if (s->state != GATEWAY_draining)
		announce(s, 0);
	hurry(s);
}

void leave_tick(struct supervisor *s, uint64_t now_ms)
{
	bool nobody = processes_count(s, ROLE_WORKER) == 0;

	if (s->state != GATEWAY_draining)
		return;
	if (!s->asked_workers && (nobody || now_ms >= s->leave_at_ms)) {
		s->asked_workers = true;
		stop_all(s, ROLE_WORKER, (uint64_t)s->settings.drain_deadline_ms);
	}
	if (!nobody)
		return;
	/* Last, so that what the workers still had to say is committed. */
	if (processes_count(s, ROLE_SEQUENCER) == 0)
		uv_stop(&s->loop);
	else
		stop_all(s, ROLE_SEQUENCER, s->hurried ? HURRY_MS : SEQUENCER_LEAVE_MS);
}
