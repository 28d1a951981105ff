/*
 * judge - from what was seen to a verdict: a pure function of (snapshot, history,
 * limits).
 *
 * Serves healthd, parley-probe and parley-stat alike. Reads no clock and no file.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment_reader.h"

/* `status` and `server` of /health/websocket, as printed. */
#define VERDICT_STATUSES(X) X(ok) X(degraded) X(error)
enum verdict_status {
#define X(s) STATUS_##s,
	VERDICT_STATUSES(X)
#undef X
	STATUS_COUNT
};
#define VERDICT_SERVERS(X) X(running) X(starting) X(draining) X(hung) X(stopped)
enum verdict_server {
#define X(s) SERVER_##s,
	VERDICT_SERVERS(X)
#undef X
	SERVER_COUNT
};
const char *verdict_status_name(enum verdict_status status);
const char *verdict_server_name(enum verdict_server server);

struct judge_limits {
	uint64_t hang_report_ms, hang_act_ms, start_grace_ms;
};

/* What one look cannot know; kept by watch.c, all by the watcher's own clock. */
struct judge_history {
	uint64_t watched_ns; /* how long we have been looking */
	uint64_t absent_ns; /* how long there has been no living gateway; 0 if there is */
	unsigned good_looks, bad_looks; /* in a row, for the hysteresis of ready */
	bool was_ready;                 /* the last answer of ready */
};

enum {
	VERDICT_REASONS = 8
};

struct verdict {
	enum verdict_status status;
	enum verdict_server server;
	bool websocket_ok; /* 200, else 503 */
	bool live, startup;
	bool ready_now; /* before hysteresis */
	bool ready;     /* with it */
	bool active_known, total_known, uptime_known;
	uint64_t active, closing, handshaking, total, uptime_ms;
	unsigned workers_wanted, workers_serving, workers_hung;
	unsigned n_reasons;
	char reasons[VERDICT_REASONS]
		    [160]; /* in words: "worker 2 hung (loop) 4.1 s in reading" */
};

void judge(const struct snapshot *snapshot, const struct judge_history *history,
	   const struct judge_limits *limits, struct verdict *ret_verdict);

#endif
