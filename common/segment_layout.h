/*
 * segment_layout - where everything lies in a segment of this build.
 *
 * Internal to the writer and the reader.
 */
#ifndef SEGMENT_LAYOUT_H
#define SEGMENT_LAYOUT_H

#include <stddef.h>

#include "common/segment.h"

enum {
	SEGMENT_NAME_MAX = 64,
	SEGMENT_PATH_MAX = 80,
	SEGMENT_BESIDE_MAX = 112, /* such a path with something behind it */
};

/* The path of a segment of this name. -EINVAL: empty, too long or with a slash. */
int segment_path(const char *name, char ret_path[SEGMENT_PATH_MAX]);

enum {
	SEGMENT_ROOM = COUNTER_COUNT + SEGMENT_SPARE_COUNTERS, /* of a new segment */
	SEGMENT_ROOM_MAX = 1024,
};

/* Fills offsets, strides and sizes for so many workers and counters, and what is this
 * build's; the rest of the header is the caller's. */
void segment_layout(struct segment_header *header, unsigned n_workers, unsigned room);

/* Whether all lies in the other segment where it does in this one. */
int segment_same_layout(const struct segment_header *a, const struct segment_header *b);

/* Hash of counters.def: which counters, of which kind, in which order. */
uint64_t segment_layout_hash(void);

/* The description of every counter, as it stands in the segment. */
void segment_describe(struct segment_about about[COUNTER_COUNT]);

/* Whether a description of n counters and ours agree as far as both go: one of the two
 * builds only has more at the end. */
int segment_agrees(const struct segment_about *about, unsigned n);

/* Over the header with its checksum as 0, and over `about`. */
uint64_t segment_checksum(const struct segment_header *header, const void *about,
			  size_t about_len);

/* Whether counter `id` of this build is a total. */
int counter_is_total(enum counter id);

#endif
