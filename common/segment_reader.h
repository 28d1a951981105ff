/*
 * segment_reader - looks at a segment that may be missing, torn or hostile.
 *
 * Reads with pread through a read-only descriptor: a mapping would die of
 * SIGBUS when the file is truncated. Every offset, count and state is checked
 * before use. A look costs a few microseconds, and at most 5 ms while writers are at
 * it without an end. No number in a snapshot is a guess: what could not be read is
 * absent.
 *
 * The reader keeps its descriptor when the name is gone, and while the segment's
 * supervisor lives also when another file has the name, unless that is a living
 * gateway's. A dead gateway's segment can be looked at like any other.
 */
#ifndef SEGMENT_READER_H
#define SEGMENT_READER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/segment.h"

/* What became of a look; each with a sentence in snapshot.reason. */
#define LOOKS(X) \
	X(ok) X(missing) X(denied) X(short) X(foreign) X(other_version) X(corrupt) X(torn)
enum look {
#define X(s) LOOK_##s,
	LOOKS(X)
#undef X
	LOOK_COUNT
};
const char *look_name(enum look look);

struct snapshot_event {
	uint64_t at_ms, kind, a, b;
};

struct snapshot_slot {
	bool alive;             /* counted, and the kernel says that its process lives (or
				   dumps core) */
	bool counted;           /* totals not yet in retired: they belong in a sum */
	bool unlocked;          /* it has no lock: its life is the supervisor's word */
	enum child_state state; /* as the supervisor has it */
	enum hang_kind hang;
	enum role role;
	unsigned seat;
	uint64_t pid, generation, beat, phase, ready;
	uint64_t beat_age_ns; /* by the reader's clock, since it saw the beat change */
	bool beat_moved;      /* it was seen to change, not only to be there */
	uint64_t counters[COUNTER_COUNT]; /* by id of *this* build; absent ones are 0 */
	uint64_t n_events;
	struct snapshot_event events[SEGMENT_EVENTS];
};

struct snapshot_seat {
	enum seat_state state;
	enum role role;
	int slot; /* -1 for none */
	uint64_t restarts, deaths[EXIT_REASON_COUNT];
	uint64_t last_reason, last_signal, last_code, since_ms, retry_at_ms;
};

/* The record of a death; what came back is never more than what was lost. */
struct snapshot_death {
	uint64_t generation, wall_ms, uptime_ms, pid, signal, code, phase, lived_ms;
	enum role role;
	unsigned seat;
	enum exit_reason reason;
	uint64_t links, members, back, whole, trimmed;
	unsigned n_events;
	struct snapshot_event events[SEGMENT_DEATH_EVENTS]; /* oldest first */
};

/* One look. Plain data; big (about 200 KB), so keep one and reuse it. A look that is
 * not ok has no number: all is 0, also n_seats and n_slots. */
struct snapshot {
	enum look look;
	char reason[160];      /* "" when all is well; may explain an ok look too (name
				  deleted) */
	bool supervisor_alive; /* by its lock; meaningful when something was opened */
	bool supervisor_known; /* supervisor_alive was really asked of the kernel */
	bool deserted;         /* an earlier look at this file was ok, and now no process
				  holds a lock of it: all who wrote there are dead */
	uint64_t instance[2];
	char build[24]; /* version of the supervisor's program */
	enum gateway_state state;
	uint64_t pid, beat, beat_age_ns, uptime_ms, port, ever_ready;
	bool beat_moved;
	uint64_t reloads, late_ticks, aborts, upgrades;
	uint64_t connections_max, hang_report_ms, hang_act_ms;
	struct {
		uint64_t from_ms, close_ms, spread_ms, until_ms, links;
	} drain; /* as in struct segment_chronicle, unchecked; so is the roll */
	struct {
		uint64_t from_ms, spread_ms, total, done;
	} roll;
	unsigned n_deaths; /* kept; those that make no sense are left out */
	struct snapshot_death deaths[SEGMENT_DEATHS]; /* the latest first */
	unsigned n_workers, n_seats, n_slots;
	struct snapshot_seat seats[SEGMENT_SEATS_MAX];
	struct snapshot_slot slots[SEGMENT_SLOTS_MAX];
	uint64_t retired[COUNTER_COUNT];
	bool has[COUNTER_COUNT]; /* known: the writer publishes this counter. No total is
				    when the supervisor died adding one up. */
};

struct segment_reader;

/* -ENOMEM, -EINVAL (a name with a slash). Opens nothing yet. */
int segment_reader_new(const char *name, struct segment_reader **ret_reader);
void segment_reader_free(struct segment_reader *reader);

/* Looks now; now_ns is the caller's monotonic clock, less the time in which the caller
 * itself was kept from running: ages are told by it. Never fails: what is wrong is in
 * `look`. */
void segment_reader_look(struct segment_reader *reader, uint64_t now_ns,
			 struct snapshot *ret_snapshot);

/* The process that holds the supervisor's lock of the file that was looked at last.
 * -ENOENT: there is none. -ESRCH: nobody holds it. -EXDEV: a process of another pid
 * namespace. */
int segment_reader_owner(const struct segment_reader *reader, pid_t *ret_pid);

/* A counter over all: gauges of living processes, or totals of living and gone. 0 for
 * one that the snapshot does not have. */
uint64_t snapshot_sum(const struct snapshot *snapshot, enum counter id);

#endif
