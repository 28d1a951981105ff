#include <inttypes.h>

#include "common/log.h"
#include "gateway/supervisor/hang.h"
#include "gateway/supervisor/parts.h"
#include "gateway/supervisor/proc.h"

enum {
	WATCH_AFTER_MS = 250,   /* without a beat its processor time is measured */
	ABORT_PAUSE_MS = 30000, /* between two aborts: more at once is our own fault */
	LAST_ABORT_MS = 30000,  /* for the last one that could serve */
};

/* ---- what is done about it ---- */

static bool another_turns(const struct supervisor *s, const struct child *child)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		const struct child *other = &s->children[i];

		if (other != child && other->role == ROLE_WORKER &&
		    other->state == CHILD_up && other->hang == HANG_none)
			return true;
	}
	return false;
}

static void abort_it(struct supervisor *s, struct child *child, uint64_t now_ms)
{
	if (s->last_abort_ms && now_ms - s->last_abort_ms < ABORT_PAUSE_MS)
		return;
	s->last_abort_ms = now_ms;
	word_add(&s->words->aborts, 1);
	LOG(warning, "%s aborted seat=%u slot=%u pid=%d hang=%s", role_name(child->role),
	    child->seat, child->slot, (int)child->pid, hang_kind_name(child->hang));
	child_abort(child, now_ms);
	seat_publish(&s->seats[child->seat]);
	processes_wake(s);
}

/* Its successor starts at once, and it goes as soon as somebody else can serve. There
 * can be only one sequencer: that one goes first. */
static void act(struct supervisor *s, struct child *child, uint64_t now_ms)
{
	struct seat *seat = &s->seats[child->seat];
	uint64_t age_ms = now_ms - child->beat_seen_ms;

	if (child->role == ROLE_WORKER && seat->process == child)
		processes_replace(s, seat, true);
	if (child->role == ROLE_SEQUENCER || another_turns(s, child) ||
	    age_ms >= LAST_ABORT_MS)
		abort_it(s, child, now_ms);
}

/* It died by itself, and the kernel will write its core for long. */
static void bury(struct supervisor *s, struct child *child, uint64_t now_ms)
{
	struct seat *seat = &s->seats[child->seat];

	LOG(warning, "%s dumps core seat=%u slot=%u pid=%d", role_name(child->role),
	    child->seat, child->slot, (int)child->pid);
	child_dumps(child, now_ms);
	seat_publish(seat);
	if (child->role == ROLE_WORKER && seat->process == child &&
	    supervisor_wants_workers(s))
		processes_replace(s, seat, true);
	processes_wake(s);
}

/* ---- who hangs ---- */

static void set_hang(struct supervisor *s, struct child *child, enum hang_kind hang,
		     uint64_t now_ms)
{
	const struct segment_slot *slot = segment_slot(s->segment, child->slot);
	uint64_t age_ms = now_ms - child->beat_seen_ms;

	if (hang == child->hang)
		return;
	if (hang == HANG_none)
		LOG(notice, "%s turns again seat=%u slot=%u pid=%d",
		    role_name(child->role), child->seat, child->slot, (int)child->pid);
	else
		LOG(warning,
		    "%s hung seat=%u slot=%u pid=%d kind=%s phase=%s age_ms=%" PRIu64,
		    role_name(child->role), child->seat, child->slot, (int)child->pid,
		    hang_kind_name(hang), phase_name(word_get(&slot->phase)), age_ms);
	child_set_hang(child, hang);
	processes_wake(s);
	processes_tell(s);
}

/* The kind of hang; *ret_dumps instead if it is dead already. */
static enum hang_kind examine(struct supervisor *s, struct child *child, uint64_t now_ms,
			      bool *ret_dumps)
{
	struct hang_signs signs = {
		.age_ms = now_ms - child->beat_seen_ms,
		.watched_ms = now_ms - child->watched_from_ms,
		.late_ms = s->late_ms,
	};
	struct proc_stat stat;

	if (proc_read(child->pid, &stat) < 0)
		return HANG_none; /* gone: SIGCHLD is on its way */
	signs.proc_state = stat.state;
	signs.cpu_ms = stat.cpu_ms - child->cpu_before_ms;
	*ret_dumps = signs.age_ms >= (uint64_t)s->settings.hang_report_ms &&
		     proc_dumps_core(child->pid);
	return hang_judge(&signs, (uint64_t)s->settings.hang_report_ms);
}

static void begin_to_watch(struct child *child, uint64_t now_ms)
{
	struct proc_stat stat;

	if (proc_read(child->pid, &stat) < 0)
		return;
	child->cpu_before_ms = stat.cpu_ms;
	child->watched_from_ms = now_ms;
}

static void look_at(struct supervisor *s, struct child *child, uint64_t now_ms)
{
	uint64_t beat = word_get(&segment_slot(s->segment, child->slot)->beat);
	uint64_t age_ms = now_ms - child->beat_seen_ms;
	enum hang_kind hang = HANG_none;
	bool dumps = false;

	if (beat != child->beat) {
		set_hang(s, child, HANG_none, now_ms);
		child->beat = beat;
		child->beat_seen_ms = now_ms;
		child->watched_from_ms = 0;
		return;
	}
	if (age_ms < WATCH_AFTER_MS)
		return;
	if (!child->watched_from_ms)
		begin_to_watch(child, now_ms);
	else
		hang = examine(s, child, now_ms, &dumps);
	if (dumps) {
		bury(s, child, now_ms);
		return;
	}
	/* Only a beat takes a hang back. */
	if (hang != HANG_none)
		set_hang(s, child, hang, now_ms);
	if (age_ms >= (uint64_t)s->settings.hang_act_ms && hang_is_proven(hang) &&
	    child->state == CHILD_up && supervisor_wants_workers(s))
		act(s, child, now_ms);
}

void heal_tick(struct supervisor *s, uint64_t now_ms)
{
	for (unsigned i = 0; i < s->n_slots; i++)
		if (s->children[i].state == CHILD_up ||
		    s->children[i].state == CHILD_stopping)
			look_at(s, &s->children[i], now_ms);
}
