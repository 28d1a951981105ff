/*
 * segment_snapshot - from the bytes of a segment to a snapshot, believing nothing.
 *
 * Internal to the reader; no file, no clock.
 */
#ifndef SEGMENT_SNAPSHOT_H
#define SEGMENT_SNAPSHOT_H

#include "common/segment_layout.h"
#include "common/segment_reader.h"

/* Larger than any segment of 64 workers. */
enum {
	SEGMENT_BYTES_MAX = 1024 * 1024,
	SEGMENT_ABOUT_KEPT = 65536,
};

/* What was proved of a header and its `about`, so that the same bytes need not be
 * summed up and searched again: that is most of a look. Starts as zeros. */
struct snapshot_known {
	struct segment_header header; /* zeros: nothing is known */
	int place[COUNTER_COUNT];     /* in the writer's array; -1: it has none */
	unsigned char about[SEGMENT_ABOUT_KEPT];
};

/* Whether offsets, strides and counts lie within the file it speaks of, and that
 * within SEGMENT_BYTES_MAX. NULL, or what is wrong in words. */
const char *snapshot_check_header(const struct segment_header *h);

/* Fills everything but look, reason, locks and ages from a whole segment with a
 * checked header. NULL, or what is wrong in words. */
const char *snapshot_take(const unsigned char *bytes,
			  const struct segment_sequences *sequences,
			  struct snapshot_known *known, struct snapshot *s);

#endif
