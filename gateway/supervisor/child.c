#include "gateway/supervisor/child.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common/check.h"
#include "common/settings.h"

/* ---- acts ---- */

static void nothing(struct child *c)
{
	(void)c;
}

static void serve(struct child *c)
{
	c->deadline_ms = 0;
}

/* A signal fails only for a process that is gone, which we are about to hear. */
static void ask(struct child *c)
{
	c->why = EXIT_asked;
	(void)c->kill(c->pid, SIGTERM);
}

static void abort_it(struct child *c)
{
	c->why = EXIT_hung;
	(void)c->kill(c->pid, SIGABRT);
	(void)c->kill(c->pid, SIGCONT);
}

static void kill_it(struct child *c)
{
	c->deadline_ms = 0;
	c->overdue = true;
	(void)c->kill(c->pid, SIGKILL);
}

static void give_up(struct child *c)
{
	c->why = EXIT_never_ready;
	kill_it(c);
}

/* ---- the table ---- */

/* What to do and where to go; a pair that is not here is a bug. */
static const struct {
	void (*act)(struct child *child);
	enum child_state next;
} steps[CHILD_STATE_COUNT][CHILD_EVENT_COUNT] = {
	[CHILD_free] = {
		[CHILD_ON_spawned] = { nothing,  CHILD_starting },
	},
	[CHILD_starting] = {
		[CHILD_ON_ready]   = { serve,    CHILD_up },
		[CHILD_ON_stop]    = { ask,      CHILD_stopping },
		[CHILD_ON_dumps]   = { nothing,  CHILD_aborting },
		[CHILD_ON_overdue] = { give_up,  CHILD_aborting },
		[CHILD_ON_ended]   = { nothing,  CHILD_free },
	},
	[CHILD_up] = {
		[CHILD_ON_stop]    = { ask,      CHILD_stopping },
		[CHILD_ON_abort]   = { abort_it, CHILD_aborting },
		[CHILD_ON_dumps]   = { nothing,  CHILD_aborting },
		[CHILD_ON_ended]   = { nothing,  CHILD_free },
	},
	[CHILD_stopping] = {
		[CHILD_ON_ready]   = { nothing,  CHILD_stopping },
		[CHILD_ON_stop]    = { nothing,  CHILD_stopping },
		[CHILD_ON_dumps]   = { nothing,  CHILD_aborting },
		[CHILD_ON_overdue] = { kill_it,  CHILD_aborting },
		[CHILD_ON_ended]   = { nothing,  CHILD_free },
	},
	[CHILD_aborting] = {
		[CHILD_ON_ready]   = { nothing,  CHILD_aborting },
		[CHILD_ON_stop]    = { nothing,  CHILD_aborting },
		[CHILD_ON_dumps]   = { nothing,  CHILD_aborting },
		[CHILD_ON_overdue] = { kill_it,  CHILD_aborting },
		[CHILD_ON_ended]   = { nothing,  CHILD_free },
	},
};

bool child_step(enum child_state state, enum child_event event,
		enum child_state *ret_next)
{
	if (!steps[state][event].act)
		return false;
	*ret_next = steps[state][event].next;
	return true;
}

static void publish(const struct child *c)
{
	word_set(&c->words->seat, c->seat);
	word_set(&c->words->role, c->role);
	word_set(&c->words->pid, (uint64_t)c->pid);
	word_set(&c->words->generation, c->generation);
	word_set(&c->words->hang, c->hang);
	word_set(&c->words->state, c->state);
}

static void feed(struct child *c, enum child_event event)
{
	CHECK_OBJ(c, CHILD_MAGIC);
	CHECK(steps[c->state][event].act);
	steps[c->state][event].act(c);
	c->state = steps[c->state][event].next;
	publish(c);
}

/* ---- verbs ---- */

void child_init(struct child *c, unsigned slot, struct segment_child *words)
{
	memset(c, 0, sizeof *c);
	child_adopt(c, slot, words);
}

void child_adopt(struct child *c, unsigned slot, struct segment_child *words)
{
	c->magic = CHILD_MAGIC;
	c->slot = slot;
	c->words = words;
	c->kill = kill;
}

void child_announce(struct child *c, enum role role, unsigned seat, uint64_t generation)
{
	CHECK(c->state == CHILD_free);
	c->role = role;
	c->seat = seat;
	c->generation = generation;
	publish(c);
}

void child_spawned(struct child *c, pid_t pid, uint64_t now_ms, uint64_t deadline_ms)
{
	c->pid = pid;
	c->spawned_ms = c->beat_seen_ms = now_ms;
	c->deadline_ms = deadline_ms;
	feed(c, CHILD_ON_spawned);
}

void child_ready(struct child *c, uint64_t now_ms)
{
	c->ready_ms = c->beat_seen_ms = now_ms;
	feed(c, CHILD_ON_ready);
}

void child_stop(struct child *c, uint64_t deadline_ms)
{
	bool sooner = c->deadline_ms == 0 || deadline_ms < c->deadline_ms;

	/* One that has had its KILL has nothing left to wait for. */
	if (!c->overdue && (sooner || c->state == CHILD_starting))
		c->deadline_ms = deadline_ms;
	feed(c, CHILD_ON_stop);
}

void child_abort(struct child *c, uint64_t now_ms)
{
	c->deadline_ms = now_ms + CHILD_ABORT_GRACE_MS;
	feed(c, CHILD_ON_abort);
}

void child_dumps(struct child *c, uint64_t now_ms)
{
	if (!c->overdue && c->state != CHILD_aborting)
		c->deadline_ms = now_ms + CHILD_DUMP_MAX_MS;
	feed(c, CHILD_ON_dumps);
}

void child_tick(struct child *c, uint64_t now_ms)
{
	if (c->deadline_ms && now_ms >= c->deadline_ms)
		feed(c, CHILD_ON_overdue);
}

void child_set_hang(struct child *c, enum hang_kind hang)
{
	c->hang = hang;
	publish(c);
}

void child_rearm(struct child *c, uint64_t now_ms, uint64_t late_ms)
{
	if (c->deadline_ms)
		c->deadline_ms += late_ms;
	c->beat_seen_ms = now_ms;
	c->watched_from_ms = 0;
}

/* ---- the end ---- */

static bool is_crash(int signal)
{
	switch (signal) {
	case SIGSEGV:
	case SIGBUS:
	case SIGABRT:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS: return true;
	default: return false;
	}
}

static enum exit_reason reason_of(const struct child *c, const struct child_end *end)
{
	if (end->code == SETTINGS_EXIT)
		return EXIT_config;
	if (c->why == EXIT_hung || c->why == EXIT_never_ready)
		return c->why;
	if (is_crash(end->signal))
		return EXIT_crashed;
	if (c->why == EXIT_asked &&
	    (c->overdue || end->signal == SIGTERM || (!end->signal && !end->code)))
		return EXIT_asked;
	return end->signal ? EXIT_killed : EXIT_exited;
}

struct child_end child_end_of(const struct child *c, int status)
{
	struct child_end end = {
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	};

	end.reason = reason_of(c, &end);
	return end;
}

void child_ended(struct child *c)
{
	struct child fresh = {
		.magic = CHILD_MAGIC,
		.slot = c->slot,
		.words = c->words,
		.kill = c->kill,
		.generation = c->generation, /* readers compare it with the slot's */
	};

	feed(c, CHILD_ON_ended);
	CHECK(c->state == CHILD_free);
	*c = fresh;
	publish(c);
}
