#include "healthd/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum {
	COUNT_MS = WATCH_PERIOD_MS * 9 / 10 /* timers are not exact */
};

struct watch {
	struct segment_reader *reader;
	struct judge_limits limits;
	struct judge_history history;
	struct verdict verdict;
	bool started;
	bool sure;           /* as watch_is_sure has it */
	uint64_t looked_ns;  /* the last look, by the caller's clock */
	uint64_t skipped_ns; /* time that was slept through */
	/* From here on by the watcher's own clock. */
	uint64_t begun_ns;      /* the first look */
	uint64_t counted_ns;    /* the last look that counted */
	uint64_t alive_ns;      /* a living gateway was last known, or the start */
	uint64_t store_ns;      /* its store was last known to be up, or the start */
	uint64_t torn_since_ns; /* 0: the last look was not torn */
	unsigned current;       /* which of the two stands */
	struct snapshot snapshots[2];
};

int watch_new(const char *segment, const struct judge_limits *limits,
	      struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof *watch);
	int rc;

	if (!watch)
		return -ENOMEM;
	rc = segment_reader_new(segment, &watch->reader);
	if (rc < 0) {
		free(watch);
		return rc;
	}
	watch->limits = *limits;
	watch->snapshots[0].look = LOOK_missing;
	strcpy(watch->snapshots[0].reason, "the segment was not looked at yet");
	*ret_watch = watch;
	return 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	segment_reader_free(watch->reader);
	free(watch);
}

/* The watcher's own clock. */
static uint64_t own_ns(struct watch *watch, uint64_t now_ns)
{
	uint64_t gap_ns = now_ns - watch->looked_ns;

	if (watch->started && gap_ns > WATCH_LATE_MS * MS_NS)
		watch->skipped_ns += gap_ns - WATCH_PERIOD_MS * MS_NS;
	watch->looked_ns = now_ns;
	now_ns -= watch->skipped_ns;
	if (!watch->started) {
		watch->begun_ns = watch->alive_ns = watch->store_ns = now_ns;
		watch->counted_ns = now_ns - COUNT_MS * MS_NS;
	}
	watch->started = true;
	return now_ns;
}

/* Whether a new snapshot takes the place of the one that stands. */
static bool stands(struct watch *watch, const struct snapshot *snapshot, uint64_t now_ns)
{
	if (snapshot->look != LOOK_torn || !snapshot->supervisor_alive) {
		watch->torn_since_ns = 0;
		return true;
	}
	if (!watch->torn_since_ns)
		watch->torn_since_ns = now_ns;
	return now_ns - watch->torn_since_ns >= WATCH_TORN_MS * MS_NS;
}

/* What the judge is told of the past. */
static void remember(struct watch *watch, const struct snapshot *snapshot,
		     uint64_t now_ns)
{
	struct judge_history *history = &watch->history;

	if (snapshot->supervisor_known && snapshot->supervisor_alive) {
		history->seen = true;
		watch->alive_ns = now_ns;
	}
	history->wall_ms = clock_wall_ms();
	history->absent_ns = now_ns - watch->alive_ns;
	if (judge_store_up(snapshot, &watch->limits))
		watch->store_ns = now_ns;
	history->store_away_ns = now_ns - watch->store_ns;
	history->counts = now_ns - watch->counted_ns >= COUNT_MS * MS_NS;
	if (history->counts)
		watch->counted_ns = now_ns;
}

static void count(struct judge_history *history, const struct verdict *verdict)
{
	history->good_looks = verdict->ready_now ? history->good_looks + 1 : 0;
	history->bad_looks = verdict->ready_now ? 0 : history->bad_looks + 1;
	history->was_ready = verdict->ready;
}

static bool all_turned(const struct snapshot *snapshot)
{
	if (snapshot->look != LOOK_ok || !snapshot->supervisor_alive)
		return true; /* nobody is told to be well */
	for (unsigned i = 0; i < snapshot->n_slots; i++)
		if (snapshot->slots[i].alive && !snapshot->slots[i].beat_moved)
			return false;
	return snapshot->beat_moved;
}

void watch_look(struct watch *watch, uint64_t now_ns)
{
	unsigned next = !watch->current;
	struct snapshot *snapshot = &watch->snapshots[next];
	bool is_told;

	now_ns = own_ns(watch, now_ns);
	segment_reader_look(watch->reader, now_ns, snapshot);
	is_told = stands(watch, snapshot, now_ns);
	if (is_told)
		watch->current = next;
	snapshot = &watch->snapshots[watch->current];
	remember(watch, snapshot, now_ns);
	judge(snapshot, &watch->history, &watch->limits, &watch->verdict);
	watch->sure = watch->sure || (is_told && all_turned(snapshot)) ||
		      now_ns - watch->begun_ns > watch->limits.hang_report_ms * MS_NS;
	/* Nobody becomes ready by looks at what may hang. */
	if (watch->history.counts && watch->sure)
		count(&watch->history, &watch->verdict);
}

bool watch_is_sure(const struct watch *watch)
{
	return watch->sure;
}

void watch_findings(struct watch *watch, const struct findings *findings)
{
	watch->history.findings = findings;
}

int watch_owner(const struct watch *watch, pid_t *ret_pid)
{
	return segment_reader_owner(watch->reader, ret_pid);
}

const struct snapshot *watch_snapshot(const struct watch *watch)
{
	return &watch->snapshots[watch->current];
}

const struct verdict *watch_verdict(const struct watch *watch)
{
	return &watch->verdict;
}
