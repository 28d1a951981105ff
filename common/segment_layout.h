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

/* Fills offsets, strides and sizes for so many workers; the rest of the header is the
 * caller's. */
void segment_layout(struct segment_header *header, unsigned n_workers);

/* Hash of counters.def: which counters, of which kind, in which order. */
uint64_t segment_layout_hash(void);

/* The description of every counter, as it stands in the segment. */
void segment_describe(struct segment_about about[COUNTER_COUNT]);

/* Over the header with its checksum as 0, and over `about`. */
uint64_t segment_checksum(const struct segment_header *header, const void *about,
			  size_t about_len);

/* Whether counter `id` of this build is a total. */
int counter_is_total(enum counter id);

#endif
