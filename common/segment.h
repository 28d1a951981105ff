/*
 * segment - the page of memory that the gateway writes and healthd reads.
 *
 * POSIX shared memory, /dev/shm/<name>, mode 0640. Layout, in this order:
 *
 *   header      what does not change but with an upgrade; checksummed
 *   sequences   one sequence counter for the supervisor, one per slot
 *   supervisor  the supervisor's own words
 *   chronicle   how a drain or a roll gets on, and the last deaths; supervisor's words
 *   seats       a worker's place (0..n-1) and the sequencer's (last); supervisor's words
 *   children    what the supervisor knows of the process in each slot
 *   slots       what the process in the slot says of itself
 *   returns     links that came back after a death, as the process in the slot counts
 *   about       name, kind, unit, label, help and place of every counter
 *
 * One writer per word: header, supervisor, chronicle, seats and children are written by
 * the supervisor, a slot and its returns by the process that holds it. All words are
 * 64 bits and native in byte order. Publishing is a relaxed store; what must agree lies
 * under a sequence counter (odd while it changes).
 *
 * Seat and slot: a *seat* is a place to be filled (listening socket, restarts,
 * back-off); a *slot* belongs to one process life. A worker that dumps core or
 * drains keeps its slot while its seat is already served from another. Slots
 * 0..n-2 are workers'; the last is the sequencer's alone, so that there are never two.
 *
 * Death is told by the kernel: each process holds a POSIX write lock (fcntl) on
 * its byte of the file, LOCK_SUPERVISOR or lock_slot(i), through the only
 * descriptor it has of the file. Closing any descriptor of the file drops them.
 *
 * Totals never go back and count once, because of this order: a process dies; the
 * supervisor adds its totals to `retired` and notes its generation, both under the
 * supervisor's sequence; only then is the slot given to the next process, which locks
 * it and empties it under the slot's sequence. So a slot counts exactly when its
 * generation is not the retired one, and one whose sequence is odd or moves counts as
 * nothing: what was in it is retired, what will be in it has not happened. A process
 * that dies while it empties its slot leaves nothing behind but an odd number.
 *
 * An upgrade keeps the segment: there is room for counters that a later build has behind
 * those of this one. Its supervisor describes them and writes the header anew, both under
 * the supervisor's sequence. Counters that were described once stay so, also for an
 * earlier build, so that totals never go back; all else must lie where it lay.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/counters.h"

#define SEGMENT_MAGIC   "PARLEY\r\n"
#define SEGMENT_VERSION 2u

enum {
	SEGMENT_SEATS_MAX = 65, /* 64 workers and the sequencer */
	SEGMENT_SLOTS_MAX = 130,
	SEGMENT_EVENTS = 64,
	SEGMENT_SPARE_COUNTERS = 64, /* room for those of later builds */
	SEGMENT_DEATHS = 16,         /* remembered */
	SEGMENT_DEATH_EVENTS = 16,   /* of each */
	SEGMENT_RETURNS = 16,        /* processes whose links one process counts */
	SEGMENT_BEAT_MS = 100,
	LOCK_SUPERVISOR = 0, /* offset of its byte */
};
static inline unsigned lock_slot(unsigned slot)
{
	return 1 + slot;
}

typedef _Atomic uint64_t word; /* the one typedef: it names the unit of sharing */

static inline void word_set(word *w, uint64_t v)
{
	atomic_store_explicit(w, v, memory_order_relaxed);
}
static inline uint64_t word_get(const word *w)
{
	return atomic_load_explicit(w, memory_order_relaxed);
}
/* Only for the word's one writer: a load and a store, no locked instruction. */
static inline void word_add(word *w, uint64_t n)
{
	word_set(w, word_get(w) + n);
}

/* The gateway as a whole. */
#define GATEWAY_STATES(X) X(starting) X(running) X(draining) X(stopped)
enum gateway_state {
#define X(s) GATEWAY_##s,
	GATEWAY_STATES(X)
#undef X
	GATEWAY_STATE_COUNT
};

/* A process that the supervisor started; `free`: nobody is in this slot. */
#define CHILD_STATES(X) X(free) X(starting) X(up) X(stopping) X(aborting)
enum child_state {
#define X(s) CHILD_##s,
	CHILD_STATES(X)
#undef X
	CHILD_STATE_COUNT
};

/* A place to be filled. `replacing`: served, while its former process leaves. */
#define SEAT_STATES(X) \
	X(empty) X(starting) X(serving) X(replacing) X(backoff) X(crash_loop)
enum seat_state {
#define X(s) SEAT_##s,
	SEAT_STATES(X)
#undef X
	SEAT_STATE_COUNT
};

/* How a process hangs, as the supervisor sees it. */
#define HANG_KINDS(X) X(none) X(stopped) X(loop) X(blocked) X(starved)
enum hang_kind {
#define X(s) HANG_##s,
	HANG_KINDS(X)
#undef X
	HANG_KIND_COUNT
};

/* What a process is doing; named in the verdict when it hangs. */
#define PHASES(X)    \
	X(starting)  \
	X(polling)   \
	X(accepting) \
	X(reading) X(writing) X(bus) X(timers) X(sequencing) X(draining) X(leaving)
enum phase {
#define X(s) PHASE_##s,
	PHASES(X)
#undef X
	PHASE_COUNT
};

/* Why a process ended. `config`: exit 78, not retried. */
#define EXIT_REASONS(X) \
	X(none) X(asked) X(exited) X(killed) X(crashed) X(hung) X(never_ready) X(config)
enum exit_reason {
#define X(s) EXIT_##s,
	EXIT_REASONS(X)
#undef X
	EXIT_REASON_COUNT
};

enum role {
	ROLE_WORKER,
	ROLE_SEQUENCER
};

/* Events of the flight recorder; a and b are the kind's own numbers. */
#define SEGMENT_EVENTS_LIST(X) \
	X(none)                \
	X(started)             \
	X(ready)               \
	X(opened)              \
	X(closed)              \
	X(refused)             \
	X(slow_loop) X(bus_overrun) X(accept_error) X(drain) X(leave) X(store_error)
enum segment_event_kind {
#define X(s) EVENT_##s,
	SEGMENT_EVENTS_LIST(X)
#undef X
	EVENT_KIND_COUNT
};

struct segment_header {
	char magic[8];
	uint32_t version, header_size;
	uint64_t instance[2]; /* random; tells one life of the gateway from the next */
	uint64_t size;        /* of the whole file, bytes */
	uint64_t layout;      /* hash of counters.def as the writer was built with */
	char build[24];       /* version of the supervisor's program; ends in a zero */
	uint32_t n_counters;  /* described in `about`; the rest of the room is spare */
	uint32_t counters_room;
	uint32_t n_workers, n_seats, n_slots;
	uint32_t sequences_offset, supervisor_offset, supervisor_size;
	uint32_t retired_offset; /* within the supervisor's words */
	uint32_t seats_offset, seat_stride;
	uint32_t children_offset, child_stride;
	uint32_t slots_offset, slot_stride, counters_offset; /* last: within a slot */
	uint32_t about_offset, about_stride;
	uint32_t chronicle_offset, chronicle_size, returns_offset, returns_stride;
	uint64_t connections_max, hang_report_ms, hang_act_ms;
	uint64_t checksum; /* segment_hash of the header with 0 here, then of all that is
			      described in `about` */
};

struct segment_sequences {
	word supervisor;
	word slot[SEGMENT_SLOTS_MAX];
};

struct segment_supervisor {
	word pid, start_ticks; /* start_ticks: field 22 of /proc/PID/stat */
	word beat;             /* counts up every SEGMENT_BEAT_MS */
	word uptime_ms;        /* of the gateway, as of this beat */
	word state;            /* enum gateway_state */
	word ever_ready;       /* 1 once a worker of this life was ready */
	word port;             /* where clients connect */
	word reloads, late_ticks, aborts, upgrades;
	/* Under the supervisor's sequence, with children[].retired, and counters_room of
	 * them: */
	word retired[COUNTER_COUNT]; /* totals of processes that are gone */
};

struct segment_seat {
	word state;    /* enum seat_state */
	word role;     /* enum role */
	word slot;     /* slot that serves it + 1; 0 for none */
	word restarts; /* since the gateway started, without reloads */
	word deaths[EXIT_REASON_COUNT];
	word last_reason, last_signal, last_code;
	word since_ms;    /* uptime_ms when `state` began */
	word retry_at_ms; /* uptime_ms of the next start, in backoff */
};

struct segment_child {
	word state; /* enum child_state */
	word seat, role, pid;
	word generation; /* of the process now in the slot; grows with each */
	word retired;    /* generation whose totals are already in supervisor.retired */
	word hang;       /* enum hang_kind */
};

struct segment_event {
	word at_ms; /* the process's own milliseconds since its start */
	word kind, a, b;
};

struct segment_slot {
	word generation, pid, start_ticks, role, seat;
	word beat;  /* counts up every SEGMENT_BEAT_MS */
	word phase; /* enum phase */
	word ready;
	word unlocked; /* 1: a reader's lock stood on its byte; supervisor's word counts
			*/
	word n_events; /* ever recorded; the last SEGMENT_EVENTS are kept, and the oldest
			  of them may be half written over */
	struct segment_event events[SEGMENT_EVENTS];
	word counters[COUNTER_COUNT]; /* counters_room of them */
};

/* What a process left when it died otherwise than as it was asked to. */
struct segment_death {
	word generation;         /* of the process; 0: no record */
	word wall_ms, uptime_ms; /* when */
	word seat, role, pid, reason, signal, code, phase, lived_ms;
	word links, members; /* it had; the links are the lost ones */
	/* Of those, which came back, as counted by processes that are gone by now; what
	 * living ones count stands in their returns, as with totals. */
	word back, whole, trimmed;
	word n_events; /* the newest it had recorded, oldest first */
	struct segment_event events[SEGMENT_DEATH_EVENTS];
};

/* Times are uptime_ms. All under the supervisor's sequence. */
struct segment_chronicle {
	struct {
		word from_ms;  /* when the drain was announced */
		word close_ms; /* when links begin to be closed … */
		word spread_ms;
		word until_ms; /* and when everybody is gone, whoever does not close */
		word links;    /* at the announcement */
	} drain;
	struct {
		word from_ms, spread_ms;
		word total, done; /* workers; total 0: no roll is under way */
	} roll;
	word n_deaths; /* ever recorded; the last SEGMENT_DEATHS are kept */
	struct segment_death deaths[SEGMENT_DEATHS];
};

/*
 * Links that the process in the slot got back from a dead one. `whole`: all that they
 * asked to resume was there; `trimmed`: of some room it was not any more.
 */
struct segment_return {
	word generation; /* of the dead; 0: none */
	word back, whole, trimmed;
};
struct segment_returns {
	struct segment_return of[SEGMENT_RETURNS];
};

struct segment_about {
	char metric[40], label[32], unit[16], help[80], id[32];
	uint32_t kind, offset; /* offset: within counters, bytes */
};

/* These: "unknown" when out of range. */
const char *gateway_state_name(uint64_t value);
const char *child_state_name(uint64_t value);
const char *seat_state_name(uint64_t value);
const char *hang_kind_name(uint64_t value);
const char *phase_name(uint64_t value);
const char *exit_reason_name(uint64_t value);
const char *segment_event_name(uint64_t value);

/* FNV-1a over words of eight bytes, then over what is left; start with FNV_START. Tells
 * an accident, not an attack. */
#define FNV_START 0xcbf29ce484222325ull
uint64_t segment_hash(uint64_t hash, const void *data, uint64_t len);

#endif
