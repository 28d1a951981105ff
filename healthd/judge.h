/*
 * judge - from what was seen to a verdict: a pure function of (snapshot, history,
 * limits).
 *
 * Serves healthd, parley-probe and parley-stat alike. Reads no clock and no file.
 *
 * A process *turns* while its beat moves, and is *hung* when its beat has stood still
 * for hang_report_ms, or for two beats where the supervisor calls it hung. A worker that
 * hangs still has its connections, so they count, until nobody turns and no number can be
 * trusted. What the kernel says is dead counts as nothing at once, whatever the segment
 * says of it.
 *
 * Liveness fails only for what a restart of the whole would cure: the supervisor gone
 * or hung, crash loops that it has given up, or all workers wedged for longer than it
 * may take to heal them. An unreadable segment whose supervisor the kernel calls alive is
 * not among them: a restart would mend what is said about the clients, and cut all of
 * them off for it. Where the kernel cannot even be asked, nobody vouches for a gateway,
 * and liveness fails after the start grace if none was ever seen, else at once.
 *
 * The store is judged by what the sequencer, which writes it, says of it, while that
 * turns; workers, which read it, can only make it `degraded`. A store out
 * of reach, or of which nobody can say anything, is passed over for store_grace_ms; then
 * it is an error. It never decides liveness, makes /health/websocket `degraded` and no
 * more, and makes a gateway not ready only where ready_needs_store is set.
 *
 * What canary and audit have found makes it `degraded` and no more, too.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment_reader.h"
#include "healthd/findings.h"

/* `status` and `server` of /health/websocket, as printed. */
#define VERDICT_STATUSES(X) X(ok) X(degraded) X(error)
enum verdict_status {
#define X(s) STATUS_##s,
	VERDICT_STATUSES(X)
#undef X
	STATUS_COUNT
};
/* `hung`: the supervisor, or all workers. `running` also stands for what lives and
 * cannot be read. */
#define VERDICT_SERVERS(X) X(running) X(starting) X(draining) X(hung) X(stopped)
enum verdict_server {
#define X(s) SERVER_##s,
	VERDICT_SERVERS(X)
#undef X
	SERVER_COUNT
};
/* `status` of /health/database, as printed. */
#define STORE_STATUSES(X) X(ok) X(degraded) X(error) X(unknown)
enum store_status {
#define X(s) STORE_STATUS_##s,
	STORE_STATUSES(X)
#undef X
	STORE_STATUS_COUNT
};
const char *verdict_status_name(enum verdict_status status);
const char *verdict_server_name(enum verdict_server server);
const char *store_status_name(enum store_status status);

enum {
	JUDGE_BAD_LOOKS = 2,  /* in a row, until ready falls */
	JUDGE_GOOD_LOOKS = 3, /* in a row, until it rises */
	/* The supervisor aborts nobody for so long after an abort or when it would be the
	 * last ready one; what is wedged for longer it will not heal. */
	JUDGE_ABORT_PAUSE_MS = 30000,
};

struct judge_limits {
	uint64_t hang_report_ms, hang_act_ms, start_grace_ms;
	uint64_t store_slow_ms, store_grace_ms; /* no grace: told at once */
	bool ready_needs_store;
	uint64_t tls_warn_days; /* before the certificate ends */
};

/* What one look cannot know; kept by watch.c, all by the watcher's own clock. */
struct judge_history {
	bool seen;          /* a living gateway, at some time */
	uint64_t absent_ns; /* how long none was known to live; 0 if one does */
	uint64_t
		store_away_ns; /* how long the store was not known to be up; 0 if it is */
	int64_t wall_ms;       /* by the clock on the wall, which certificates go by */
	const struct findings *findings; /* NULL: nobody looks for them */
	bool counts;    /* this look counts for the hysteresis of ready */
	bool was_ready; /* as of the last look that counted */
	unsigned good_looks,
		bad_looks; /* in a row, those that counted, before this one */
};

enum {
	VERDICT_REASONS = 8,
	VERDICT_REASON_SIZE = 160
};

/* Of the store. What nobody says now is not known, whatever was said before. */
struct verdict_store {
	enum store_status status;
	bool reachable; /* 200, else 503: up, or not away for longer than the grace */
	bool told;      /* a sequencer that turns says so */
	bool up;        /* it reaches the store now */
	bool latency_known, last_ok_known, queue_known;
	const char *driver;  /* "sqlite", "postgresql"; NULL: not known */
	uint64_t latency_us; /* of the last piece of work, or of a longer one under way */
	uint64_t last_ok_ms; /* by the gateway's wall clock */
	uint64_t queue;      /* messages */
	char reason[VERDICT_REASON_SIZE]; /* "" with ok */
};

/* Connections that are to be closed, and when all is over. Not `paced`: the gateway's own
 * word on that makes no sense, and nothing else is known. */
struct verdict_drain {
	bool under_way, paced, left_known;
	uint64_t began, left; /* connections, open or closing; `began` when it did */
	uint64_t left_ms;     /* by the pace at which the gateway closes them */
	uint64_t most_ms;     /* until it is gone, whoever does not close */
};

/* Workers that are replaced one by one. */
struct verdict_roll {
	bool under_way;
	unsigned workers, rolled;
	uint64_t left_ms; /* an estimate */
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
	uint64_t restarts;
	unsigned workers_wanted, workers_serving, workers_hung;
	struct verdict_store store;
	struct verdict_drain drain;
	struct verdict_roll roll;
	/* In words: "worker 2 hung (loop) 4.1 s in reading"; the weightiest first. Where
	 * there are more than fit, the last says how many. */
	unsigned n_reasons, n_reasons_left_off;
	char reasons[VERDICT_REASONS][VERDICT_REASON_SIZE];
	/* "" where the answer is yes; that of ready also explains ready_now. */
	char live_reason[VERDICT_REASON_SIZE], ready_reason[VERDICT_REASON_SIZE],
		startup_reason[VERDICT_REASON_SIZE];
};

void judge(const struct snapshot *snapshot, const struct judge_history *history,
	   const struct judge_limits *limits, struct verdict *ret_verdict);

/* The worst of /health/websocket and /health/database. What is unknown makes nothing
 * worse. */
enum verdict_status verdict_worst(const struct verdict *verdict);

/* Whether a living gateway's sequencer, one that turns, says that it reaches the
 * store. */
bool judge_store_up(const struct snapshot *snapshot, const struct judge_limits *limits);

/* How a living process hangs ("stopped", "loop", …, "unknown" while the supervisor has
 * not said); NULL for one that turns, starts or is being aborted already. */
const char *judge_hang(const struct snapshot_slot *slot,
		       const struct judge_limits *limits);

/* The living process that serves a seat; NULL if there is none. */
const struct snapshot_slot *judge_serving(const struct snapshot *snapshot,
					  const struct snapshot_seat *seat);

/* A gauge over the living processes of one seat, or of all with seat -1: their sum, but
 * of tls_ends_s the earliest that is not 0, which says that there is no TLS. The
 * connections of a process that is being aborted are closing, not active. UINT64_MAX
 * for more than there can be. */
uint64_t judge_gauge(const struct snapshot *snapshot, int seat, enum counter id);

/* Gauges that say how one process finds the store: a sum of them means nothing. */
static inline bool judge_is_of_store(enum counter id)
{
	return id >= COUNTER_store_state && id <= COUNTER_store_queue;
}

/* A counter over all: a gauge as above, a total of the living and the gone. */
uint64_t judge_counter(const struct snapshot *snapshot, enum counter id);

#endif
