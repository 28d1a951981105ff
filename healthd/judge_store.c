#include "healthd/judge_store.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

/* Levels of store_driver, as counters.def has them. */
enum {
	DRIVER_NONE = 0
};
static const char *const drivers[] = { NULL, "sqlite", "postgresql" };

/* The end of year 9999: later is no time that anything was. */
static const uint64_t LAST_OK_MAX_MS = 253402300799999;

enum {
	QUEUE_MAX = 1 << 30 /* far beyond what the setting allows */
};

const char *store_status_name(enum store_status status)
{
	static const char *const names[] = {
#define X(s) [STORE_STATUS_##s] = #s,
		STORE_STATUSES(X)
#undef X
	};

	return status < STORE_STATUS_COUNT ? names[status] : "unknown";
}

__attribute__((format(printf, 3, 4))) static void say(struct verdict_store *store,
						      enum store_status status,
						      const char *format, ...)
{
	va_list args;

	store->status = status;
	va_start(args, format);
	vsnprintf(store->reason, sizeof store->reason, format, args);
	va_end(args);
}

/* ---- who is asked -------------------------------------------------------------- */

/* The process that keeps the store; NULL if none lives. */
static const struct snapshot_slot *find_sequencer(const struct snapshot *snapshot)
{
	for (unsigned i = 0; i < snapshot->n_seats; i++)
		if (snapshot->seats[i].role == ROLE_SEQUENCER)
			return judge_serving(snapshot, &snapshot->seats[i]);
	return NULL;
}

/* What it has written is of now: it works, and its beat moves. */
static bool speaks(const struct snapshot_slot *process, const struct judge_limits *limits)
{
	return process && process->counted &&
	       (process->state == CHILD_up || process->state == CHILD_stopping) &&
	       !judge_hang(process, limits);
}

bool judge_store_up(const struct snapshot *snapshot, const struct judge_limits *limits)
{
	const struct snapshot_slot *sequencer;

	if (snapshot->look != LOOK_ok || !snapshot->supervisor_known ||
	    !snapshot->supervisor_alive)
		return false;
	sequencer = find_sequencer(snapshot);
	return speaks(sequencer, limits) &&
	       sequencer->counters[COUNTER_store_state] == STORE_STATE_up;
}

/* ---- what it says -------------------------------------------------------------- */

static void take_numbers(const struct snapshot *s, const struct snapshot_slot *sequencer,
			 struct verdict_store *store)
{
	const uint64_t *counters = sequencer->counters;

	store->latency_us = counters[COUNTER_store_latency_us];
	store->latency_known = s->has[COUNTER_store_latency_us] && store->latency_us &&
			       store->latency_us <= INT64_MAX;
	store->queue = counters[COUNTER_store_queue];
	store->queue_known = s->has[COUNTER_store_queue] && store->queue <= QUEUE_MAX;
	store->last_ok_ms = counters[COUNTER_store_last_ok_ms];
	store->last_ok_known = s->has[COUNTER_store_last_ok_ms] && store->last_ok_ms &&
			       store->last_ok_ms <= LAST_OK_MAX_MS;
}

/* Workers in need of it who read nothing, though the sequencer writes. */
static unsigned count_cut_off(const struct snapshot *s, const struct judge_limits *limits,
			      unsigned *ret_first)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_seats; i++) {
		const struct snapshot_seat *seat = &s->seats[i];
		const struct snapshot_slot *worker = judge_serving(s, seat);

		if (seat->role != ROLE_WORKER || !speaks(worker, limits) ||
		    worker->counters[COUNTER_store_state] != STORE_STATE_down)
			continue;
		if (n++ == 0)
			*ret_first = i;
	}
	return n;
}

static void say_up(const struct snapshot *s, const struct judge_limits *limits,
		   struct verdict_store *store)
{
	unsigned first = 0, n = count_cut_off(s, limits, &first);

	store->up = true;
	if (n == 1)
		say(store, STORE_STATUS_degraded, "worker %u cannot read from the store",
		    first);
	else if (n > 1)
		say(store, STORE_STATUS_degraded,
		    "workers that cannot read from the store: %u", n);
	if (store->latency_known && store->latency_us > limits->store_slow_ms * 1000)
		say(store, STORE_STATUS_degraded, "the store is slow: %.1f s",
		    (double)store->latency_us / 1e6);
}

/* Why one who lives does not speak. */
static void say_silence(const struct snapshot_slot *sequencer,
			const struct judge_limits *limits, struct verdict_store *store)
{
	const char *hang = sequencer ? judge_hang(sequencer, limits) : NULL;

	if (hang)
		say(store, STORE_STATUS_unknown, "sequencer hung (%s) %.1f s in %s", hang,
		    (double)sequencer->beat_age_ns / 1e9, phase_name(sequencer->phase));
	else if (sequencer && sequencer->state == CHILD_starting)
		say(store, STORE_STATUS_unknown,
		    "the sequencer starts: nobody reaches the store yet");
	else
		say(store, STORE_STATUS_unknown,
		    "no sequencer lives: nobody reaches the store");
}

static void say_what_is_seen(const struct snapshot *s, const struct judge_limits *limits,
			     struct verdict_store *store)
{
	const struct snapshot_slot *sequencer = find_sequencer(s);
	uint64_t driver;

	if (!speaks(sequencer, limits)) {
		say_silence(sequencer, limits, store);
		return;
	}
	store->told = true;
	driver = sequencer->counters[COUNTER_store_driver];
	if (driver < sizeof drivers / sizeof *drivers)
		store->driver = drivers[driver];
	take_numbers(s, sequencer, store);
	switch (sequencer->counters[COUNTER_store_state]) {
	case STORE_STATE_up: say_up(s, limits, store); break;
	case STORE_STATE_down:
		say(store, STORE_STATUS_degraded, "the store cannot be reached");
		break;
	default: say(store, STORE_STATUS_unknown, "the store was not reached yet"); break;
	}
}

/* A gateway of another version may keep no store. A sequencer that speaks tells its
 * driver from its first beat on. */
static bool has_store(const struct snapshot *s, const struct judge_limits *limits)
{
	const struct snapshot_slot *sequencer = find_sequencer(s);

	return s->has[COUNTER_store_state] && s->has[COUNTER_store_driver] &&
	       (!speaks(sequencer, limits) ||
		sequencer->counters[COUNTER_store_driver] != DRIVER_NONE);
}

/* How long it has been so; what lasts is an error, whatever it was at first. */
static void apply_grace(const struct judge_history *history,
			const struct judge_limits *limits, struct verdict_store *store)
{
	size_t len = strlen(store->reason);

	store->reachable = history->store_away_ns < limits->store_grace_ms * MS_NS;
	if (!store->reachable)
		store->status = STORE_STATUS_error;
	if (history->store_away_ns > 0)
		snprintf(store->reason + len, sizeof store->reason - len, " (for %.1f s)",
			 (double)history->store_away_ns / 1e9);
}

void judge_store(const struct snapshot *snapshot, const struct judge_history *history,
		 const struct judge_limits *limits, const char *absence,
		 struct verdict_store *ret_store)
{
	struct verdict_store *store = ret_store;

	memset(store, 0, sizeof *store);
	store->status = STORE_STATUS_ok;
	if (absence) {
		say(store, STORE_STATUS_error, "%s", absence);
		return;
	}
	store->reachable = true;
	if (snapshot->look == LOOK_ok && !has_store(snapshot, limits)) {
		say(store, STORE_STATUS_unknown, "this gateway tells of no store");
		return;
	}
	if (snapshot->look == LOOK_ok)
		say_what_is_seen(snapshot, limits, store);
	else
		say(store, STORE_STATUS_unknown, "%s", snapshot->reason);
	if (!store->up)
		apply_grace(history, limits, store);
}
