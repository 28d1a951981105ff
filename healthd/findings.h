/*
 * findings - what healthd has found out by itself: as a client, and of the kernel.
 *
 * Plain data, as of now; filled by canary.c and audit.c, read by the judge and by all
 * that show it. Neither ever decides liveness or readiness.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment.h"

enum {
	FINDING_REASON_SIZE = 128,
	CANARY_BUCKETS = 18, /* 2^6, 2^7 .. 2^22 microseconds, and all beyond */
	CANARY_FIRST_BITS = 6,
};

/* `off`: it is not tried, and need not be. `unknown`: not tried yet, or cannot be. */
#define CANARY_STATES(X) X(off) X(unknown) X(ok) X(degraded)
enum canary_state {
#define X(s) CANARY_##s,
	CANARY_STATES(X)
#undef X
	CANARY_STATE_COUNT
};
const char *canary_state_name(enum canary_state state);

/* The way of a message; each is awaited, in this order but for the last two. */
#define CANARY_STAGES(X) X(connect) X(handshake) X(welcome) X(join) X(sent) X(delivered)
enum canary_stage {
#define X(s) CANARY_AT_##s,
	CANARY_STAGES(X)
#undef X
	CANARY_STAGE_COUNT
};
const char *canary_stage_name(enum canary_stage stage);

/* What it found with one worker; all zero for one that it has not reached yet. */
struct canary_seat {
	uint64_t generation;    /* of the process that this is about */
	unsigned failures;      /* in a row */
	bool passed;            /* a message has come back, at ok_ns, after so long */
	uint64_t ok_ns;         /* monotonic */
	uint64_t sent_us;       /* from sending to `sent` */
	uint64_t delivered_us;  /* from sending to the message coming back */
	enum canary_stage last; /* where the last failure was, if there are any */
};

struct canary_found {
	enum canary_state state;
	char reason[FINDING_REASON_SIZE]; /* "" with ok */
	unsigned failures;                /* in a row, whichever the worker */
	struct canary_seat last;          /* of any worker: the last that passed */
	struct canary_seat seats[SEGMENT_SEATS_MAX];
	uint64_t now_ns; /* when this was looked at, as ok_ns */
	/* Since healthd started. */
	uint64_t n_passed, n_failed[CANARY_STAGE_COUNT];
	uint64_t buckets[CANARY_BUCKETS]; /* of delivered_us, each alone */
	uint64_t sum_us;
};

/* `off` and `unknown` as above. */
#define AUDIT_STATES(X) X(off) X(unknown) X(ok) X(degraded)
enum audit_state {
#define X(s) AUDIT_##s,
	AUDIT_STATES(X)
#undef X
	AUDIT_STATE_COUNT
};
const char *audit_state_name(enum audit_state state);

struct audit_found {
	enum audit_state state;
	char reason[FINDING_REASON_SIZE]; /* "" with ok, but where only all workers
					     together could be compared */
	const char *source;               /* "sock_diag", "proc"; NULL: none yet */
	bool known;                       /* the numbers below are */
	bool per_worker;                  /* those of each worker are, too */
	int64_t drift; /* sockets of the kernel less those counted; 0 unless it stays */
	uint64_t sockets; /* the kernel's */
	uint64_t took_us; /* of the last look at the kernel's list */
	struct {
		bool known;
		int64_t drift;
		uint64_t sockets;
	} seats[SEGMENT_SEATS_MAX];
	uint64_t n_looks; /* since healthd started */
};

struct findings {
	const struct canary_found *canary;
	const struct audit_found *audit;
};

#endif
