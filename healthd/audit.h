/*
 * audit - compares what the gateway counts with the kernel's list of its sockets.
 *
 * A worker's connections in all states together are the sockets on the gateway's port
 * that it has accepted and not closed. The kernel is asked in a thread (audit_list.h) and
 * never costs the gateway anything. Counts move meanwhile: with what they were before and
 * after, and how many were accepted in between, there is a least and a most that the
 * kernel's list may have, and only what lies outside is a drift. It is told when
 * AUDIT_TO_TELL looks in a row found one to the same side; those follow each other
 * closely.
 *
 * Each worker is compared by itself where its descriptors may be seen (as the same user,
 * in the same pid namespace), else all together. Where nothing listens on the port here,
 * healthd lives in another network namespace, and nothing can be known.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <uv.h>

#include "common/segment_reader.h"
#include "healthd/findings.h"

enum {
	AUDIT_TO_TELL = 3
};

struct audit;

/* interval_ms 0: never. hang_ms: of whom there was no beat for so long nothing is known,
 * see judge_limits. NULL without memory. */
struct audit *audit_new(uv_loop_t *loop, uint64_t interval_ms, uint64_t hang_ms);

/* Begins when it is time, and judges what was found; call often, with a fresh look. */
void audit_look(struct audit *audit, const struct snapshot *snapshot, uint64_t now_ns);

/* As of now; lent for the audit's life. */
const struct audit_found *audit_found(const struct audit *audit);

/* audit_free once the loop has run out of requests. NULL is accepted by both. */
void audit_close(struct audit *audit);
void audit_free(struct audit *audit);

/* ---- the arithmetic, for tests ---- */

/* A worker's process, as one look has it. */
struct audit_count {
	bool alive;
	unsigned seat;
	uint64_t generation, pid;
	int64_t links, accepted;
};

/* Of how many the kernel's list of one or several differs from what was counted; 0 for
 * what may be. */
int64_t audit_drift(int64_t sockets, const struct audit_count *before,
		    const struct audit_count *after, unsigned n);

#endif
