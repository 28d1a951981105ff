/*
 * parts - the supervisor's own struct, and what its files do for each other.
 *
 * Internal to the supervisor. In reading order: supervisor.c (the loop and its tick),
 * setup.c (what is made once), processes.c (started, ready, gone), heal.c (hung ones),
 * roll.c (reload), upgrade.c (another program takes our place), resume.c (where we are
 * that program), leave.c (drain), obituary.c (what is said of the dead).
 */
#ifndef PARTS_H
#define PARTS_H

#include <limits.h>
#include <uv.h>

#include "common/segment_writer.h"
#include "gateway/board.h"
#include "gateway/supervisor/child.h"
#include "gateway/supervisor/listen.h"
#include "gateway/supervisor/manager.h"
#include "gateway/supervisor/seat.h"
#include "gateway/supervisor/supervisor.h"
#include "gateway/supervisor/trial.h"

enum {
	SUPERVISOR_SIGNALS = 6 /* TERM, INT, USR1, USR2, HUP, CHLD */
};

/* A process that died with links, until what came back of them was told. */
struct mourning {
	uint64_t generation; /* 0: none */
	uint64_t died_ms, links;
	unsigned seat;
};

struct upgrade {
	char program[PATH_MAX]; /* by the name that we were started by */
	struct trial trial;
	char version[TRIAL_VERSION_SIZE]; /* that said it takes over */
	bool go;                          /* it does, when the loop has ended */
};

/* Whoever adds to this: what must outlive an upgrade stands in handover.c as well. */
struct supervisor {
	const struct supervisor_source *source;
	struct settings settings;
	uint64_t settings_version; /* grows with each reload; children carry theirs */

	uv_loop_t loop;
	uv_timer_t tick;
	uv_signal_t signals[SUPERVISOR_SIGNALS];

	/* What outlives the workers. */
	struct segment *segment;
	struct segment_supervisor *words;
	struct listeners listeners;
	int segment_fd; /* the segment's own */
	int bus_fd, settings_fd, key_fds[KEYS_FILES], lifeline[2];
	struct board certificate; /* what workers see as KEYS_certificate */
	int wake_fds[SEGMENT_SLOTS_MAX];
	int ready_fds[SEGMENT_SLOTS_MAX]; /* of those not ready yet; else -1 */

	unsigned n_workers, n_seats, n_slots;
	struct seat seats[SEGMENT_SEATS_MAX];
	struct child children[SEGMENT_SLOTS_MAX];
	struct manager manager;
	struct upgrade upgrade;

	enum gateway_state state;
	uint64_t generation; /* of the process started last */
	uint64_t started_ms, next_tick_ms;
	uint64_t late_ms;       /* how late the last tick was */
	uint64_t last_abort_ms; /* 0: none yet */
	uint64_t leave_at_ms;   /* when workers are asked to leave; draining */
	bool rolling, asked_workers, hurried;
	int keep_error; /* last result of segment_keep_name, to tell only news */
	struct mourning mourning[SEGMENT_DEATHS];
	int exit_code;
};

/* Monotonic milliseconds; everything here is reckoned in them. */
uint64_t supervisor_now_ms(void);

static inline bool supervisor_wants_workers(const struct supervisor *s)
{
	return s->state == GATEWAY_starting || s->state == GATEWAY_running;
}

/* ---- setup.c ---- */

/* Segment, bus, sockets. -errno with the reason; what was made is given back by
 * setup_release in any case. */
int setup_make(struct supervisor *s, struct why *why);
void setup_release(struct supervisor *s);

/* The settings as children read them: *ret_fd is a new memfd. */
int setup_settings(const struct settings *settings, int *ret_fd, struct why *why);

/* ---- certificate.c ---- */

/* Makes the board, and posts there what was read. */
int certificate_open(struct supervisor *s, struct why *why);
void certificate_close(struct supervisor *s);

/* Posts what was read anew: those workers who live see it, too. */
int certificate_post(struct supervisor *s, struct why *why);

/* Whether what was read anew (settings and the files with keys) is what there is but for
 * the certificate. */
bool certificate_alone(const struct supervisor *s, int settings_fd,
		       const int key_fds[KEYS_FILES]);

/* ---- processes.c ---- */

/* Starts whatever is due. */
void processes_fill(struct supervisor *s);

/* Starts a process beside the one that serves the seat. `restart` counts as one. */
void processes_replace(struct supervisor *s, struct seat *seat, bool restart);

/* Asks it to leave, and tells the others. */
void processes_stop(struct supervisor *s, struct child *child, uint64_t grace_ms);

/* Is told of by its pipe when the child is ready; takes `fd`. */
int processes_watch(struct supervisor *s, struct child *child, int fd);

/* Waits for all that are dead. */
void processes_reap(struct supervisor *s);

/* Those who are up but serve no seat any more, and do not hang, are asked to leave. */
void processes_dismiss(struct supervisor *s);

/* Has every process look at the seats anew. */
void processes_wake(struct supervisor *s);

/* Processes of a role, in any state. */
unsigned processes_count(const struct supervisor *s, enum role role);

/* STATUS= for the service manager. */
void processes_tell(struct supervisor *s);

/* ---- heal.c ---- */

/* Looks at every beat; reports who hangs, and replaces and aborts whom it must. */
void heal_tick(struct supervisor *s, uint64_t now_ms);

/* ---- roll.c ---- */

/* HUP: reads the settings again and begins to roll the processes onto them. */
void roll_begin(struct supervisor *s);

/* All processes are another program's: settings are read again if they can be, and the
 * processes rolled in any case. */
void roll_upgraded(struct supervisor *s);

/* The next step, if it is time for one. */
void roll_step(struct supervisor *s);

/* Tells readers how far it is; when it ends for another reason. */
void roll_tell(struct supervisor *s);

/* Tells the service manager that we reload, or that it is over. */
void roll_announce(struct supervisor *s, bool begins);

/* ---- upgrade.c ---- */

/* Notes which program we are. */
void upgrade_init(struct supervisor *s);

/* USR2: asks the program that has our name now whether it takes over. If so the loop is
 * stopped; if not nothing changes. */
void upgrade_begin(struct supervisor *s);

/* Some process ended: the one that was asked? */
void upgrade_reaped(struct supervisor *s, pid_t pid, int status);

void upgrade_tick(struct supervisor *s, uint64_t now_ms);

/* The loop has ended. False: not for this. Else we become the other program, and it is
 * only returned, with true, when that fails or is wanted no more: the loop goes on. */
bool upgrade_becomes(struct supervisor *s);

/* ---- resume.c ---- */

/* As setup_make, from the state that was handed over in `fd`, which it takes. */
int resume_make(struct supervisor *s, int fd, struct why *why);

/* ---- leave.c ---- */

/* TERM: announces the end, or hurries it when it is announced already. */
void leave_begin(struct supervisor *s);

/* The same at once, with this exit code. */
void leave_now(struct supervisor *s, int exit_code);

void leave_tick(struct supervisor *s, uint64_t now_ms);

/* The machine stood still for s->late_ms. */
void leave_rearm(struct supervisor *s);

/* ---- obituary.c ---- */

/* Says who ended, how, and what it did last, and puts those who died into the chronicle;
 * before its slot is retired. */
void obituary(struct supervisor *s, const struct child *child,
	      const struct child_end *end, uint64_t now_ms);

/* Says of each who died how many of its links came back: when all have, or after a
 * while. */
void obituary_tick(struct supervisor *s, uint64_t now_ms);

static inline const char *role_name(enum role role)
{
	return role == ROLE_SEQUENCER ? "sequencer" : "worker";
}

#endif
