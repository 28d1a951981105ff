/*
 * watch - keeps looking at a segment, and knows what one look cannot.
 *
 * Ages are measured by the watcher's own clock, from which it leaves out the time
 * in which it did not run itself: after a suspended machine nobody is called hung for
 * what the watcher has slept through. A torn look is told only once it has lasted:
 * until then the look before it stands.
 */
#ifndef WATCH_H
#define WATCH_H

#include <sys/types.h>

#include "common/segment_reader.h"
#include "healthd/judge.h"

enum {
	WATCH_PERIOD_MS = 50, /* how often to look when nobody asks */
	WATCH_LATE_MS = 500,  /* between two looks; beyond it the watcher did not run */
	WATCH_TORN_MS = 5,    /* how long a torn look is passed over */
};

struct watch;

/* -ENOMEM, -EINVAL (see segment_reader_new). Looks at nothing yet. */
int watch_new(const char *segment, const struct judge_limits *limits,
	      struct watch **ret_watch);
void watch_free(struct watch *watch);

/* Looks and judges; now_ns is the monotonic clock. As often as wanted: only looks that
 * are about a period apart count for the hysteresis of ready. */
void watch_look(struct watch *watch, uint64_t now_ns);

/* Whether the verdict can be believed: each living process was once seen to turn, or was
 * watched for hang_report_ms, after which one that does not is called hung. Before that
 * a process that stands still looks like one that is well. */
bool watch_is_sure(const struct watch *watch);

/* What else the judge is to know from now on; lent for the watch's life. */
void watch_findings(struct watch *watch, const struct findings *findings);

/* The process that holds the segment's lock, by the kernel's word of now. -ENOENT: the
 * last look found no file. -ESRCH: nobody holds it. -EXDEV: somebody who cannot be seen
 * from this pid namespace. */
int watch_owner(const struct watch *watch, pid_t *ret_pid);

/* As of the last look; lent until the next. */
const struct snapshot *watch_snapshot(const struct watch *watch);
const struct verdict *watch_verdict(const struct watch *watch);

#endif
