#include "gateway/supervisor/seat.h"

#include <string.h>

#include "common/check.h"

/* ---- acts ---- */

static void nothing(struct seat *s)
{
	(void)s;
}

static void take_over(struct seat *s)
{
	s->process = s->coming;
	s->coming = NULL;
}

static void lose(struct seat *s)
{
	s->process = NULL;
}

static void lose_coming(struct seat *s)
{
	s->coming = NULL;
}

/* ---- the table ---- */

/* What to do and where to go; a pair that is not here is a bug. */
static const struct {
	void (*act)(struct seat *seat);
	enum seat_state next;
} steps[SEAT_STATE_COUNT][SEAT_EVENT_COUNT] = {
	[SEAT_empty] = {
		[SEAT_ON_started] = { nothing,     SEAT_starting },
		[SEAT_ON_settled] = { nothing,     SEAT_empty },
	},
	[SEAT_starting] = {
		[SEAT_ON_ready]   = { nothing,     SEAT_serving },
		[SEAT_ON_died]    = { lose,        SEAT_backoff },
		[SEAT_ON_doomed]  = { lose,        SEAT_crash_loop },
		[SEAT_ON_settled] = { nothing,     SEAT_starting },
		[SEAT_ON_closed]  = { lose,        SEAT_empty },
	},
	[SEAT_serving] = {
		[SEAT_ON_coming]  = { nothing,     SEAT_replacing },
		[SEAT_ON_died]    = { lose,        SEAT_backoff },
		[SEAT_ON_doomed]  = { lose,        SEAT_crash_loop },
		[SEAT_ON_settled] = { nothing,     SEAT_serving },
		[SEAT_ON_closed]  = { lose,        SEAT_empty },
	},
	[SEAT_replacing] = {
		[SEAT_ON_coming]  = { nothing,     SEAT_replacing },
		[SEAT_ON_ready]   = { take_over,   SEAT_replacing },
		[SEAT_ON_handed]  = { take_over,   SEAT_starting },
		[SEAT_ON_failed]  = { lose_coming, SEAT_serving },
		[SEAT_ON_died]    = { lose,        SEAT_backoff },
		[SEAT_ON_doomed]  = { lose,        SEAT_crash_loop },
		[SEAT_ON_settled] = { nothing,     SEAT_serving },
		[SEAT_ON_closed]  = { lose,        SEAT_empty },
	},
	[SEAT_backoff] = {
		[SEAT_ON_started] = { nothing,     SEAT_starting },
		[SEAT_ON_settled] = { nothing,     SEAT_backoff },
	},
	/* Stays so while it is tried again: only a process that is ready ends it. */
	[SEAT_crash_loop] = {
		[SEAT_ON_started] = { nothing,     SEAT_crash_loop },
		[SEAT_ON_ready]   = { nothing,     SEAT_serving },
		[SEAT_ON_died]    = { lose,        SEAT_crash_loop },
		[SEAT_ON_doomed]  = { lose,        SEAT_crash_loop },
		[SEAT_ON_settled] = { nothing,     SEAT_crash_loop },
		[SEAT_ON_closed]  = { lose,        SEAT_empty },
	},
};

bool seat_step(enum seat_state state, enum seat_event event, enum seat_state *ret_next)
{
	if (!steps[state][event].act)
		return false;
	*ret_next = steps[state][event].next;
	return true;
}

void seat_publish(struct seat *s)
{
	struct segment_seat *w = s->words;
	/* A process that leaves or dies serves nobody new, though it is still there. */
	bool served = s->process && s->process->state == CHILD_up;

	word_set(&w->role, s->role);
	word_set(&w->slot, served ? s->process->slot + 1 : 0);
	word_set(&w->restarts, s->restarts);
	for (unsigned i = 0; i < EXIT_REASON_COUNT; i++)
		word_set(&w->deaths[i], s->deaths[i]);
	word_set(&w->last_reason, s->last.reason);
	word_set(&w->last_signal, (uint64_t)s->last.signal);
	word_set(&w->last_code, (uint64_t)s->last.code);
	word_set(&w->since_ms, s->since_ms);
	word_set(&w->retry_at_ms, s->retry_at_ms);
	word_set(&w->state, s->state);
}

static void feed(struct seat *s, enum seat_event event, uint64_t now_ms)
{
	enum seat_state before = s->state;

	CHECK_OBJ(s, SEAT_MAGIC);
	CHECK(steps[s->state][event].act);
	steps[s->state][event].act(s);
	s->state = steps[s->state][event].next;
	if (s->state != before)
		s->since_ms = now_ms;
	seat_publish(s);
}

/* ---- verbs ---- */

void seat_init(struct seat *s, unsigned index, enum role role, struct segment_seat *words)
{
	memset(s, 0, sizeof *s);
	seat_adopt(s, index, role, words);
}

void seat_adopt(struct seat *s, unsigned index, enum role role,
		struct segment_seat *words)
{
	s->magic = SEAT_MAGIC;
	s->index = index;
	s->role = role;
	s->words = words;
	seat_publish(s);
}

bool seat_is_due(const struct seat *s, uint64_t now_ms)
{
	return !s->process && now_ms >= s->retry_at_ms;
}

bool seat_may_replace(const struct seat *s, uint64_t now_ms)
{
	return (s->state == SEAT_serving || s->state == SEAT_replacing) && s->process &&
	       !s->coming && now_ms >= s->retry_at_ms;
}

void seat_started(struct seat *s, struct child *child, bool restart, uint64_t now_ms)
{
	s->restarts += restart;
	s->retry_at_ms = 0;
	s->bereaved = false;
	if (s->process) {
		CHECK(!s->coming);
		s->coming = child;
		feed(s, SEAT_ON_coming, now_ms);
	} else {
		s->process = child;
		feed(s, SEAT_ON_started, now_ms);
	}
}

void seat_put_off(struct seat *s, uint64_t now_ms, uint64_t delay_ms)
{
	s->retry_at_ms = now_ms + delay_ms;
	seat_publish(s);
}

void seat_ready(struct seat *s, const struct child *child, uint64_t now_ms)
{
	if (child == s->process || child == s->coming)
		feed(s, SEAT_ON_ready, now_ms);
}

/* Its only process is gone. */
static void bereave(struct seat *s, bool wanted, bool loop, uint64_t now_ms)
{
	if (!wanted)
		feed(s, SEAT_ON_closed, now_ms);
	else
		feed(s, loop ? SEAT_ON_doomed : SEAT_ON_died, now_ms);
}

uint64_t seat_ended(struct seat *s, const struct child *child,
		    const struct child_end *end, uint64_t lived_ms, uint32_t random,
		    bool wanted, uint64_t now_ms)
{
	bool former = child != s->process && child != s->coming, loop = false;
	uint64_t delay_ms = 0;

	if (end->reason != EXIT_asked) {
		s->deaths[end->reason]++;
		s->last = *end;
		/* A former one has its successor already. */
		if (!former && wanted)
			loop = backoff_died(&s->backoff, now_ms, lived_ms, random,
					    &delay_ms);
	}
	if (!former) {
		s->retry_at_ms = now_ms + delay_ms;
		s->bereaved = end->reason != EXIT_asked;
	}
	if (former)
		seat_publish(s);
	else if (child == s->coming)
		feed(s, SEAT_ON_failed, now_ms);
	else if (s->coming)
		feed(s, SEAT_ON_handed, now_ms);
	else
		bereave(s, wanted, loop, now_ms);
	return delay_ms;
}

void seat_settled(struct seat *s, uint64_t now_ms)
{
	/* With a replacement on its way it is not over. */
	if (!s->coming)
		feed(s, SEAT_ON_settled, now_ms);
}

void seat_rearm(struct seat *s, uint64_t late_ms)
{
	if (s->retry_at_ms)
		s->retry_at_ms += late_ms;
}
