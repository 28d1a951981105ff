/*
 * segment_open - the file and the mapping behind a struct segment.
 *
 * Internal to the writer.
 */
#ifndef SEGMENT_OPEN_H
#define SEGMENT_OPEN_H

#include <stddef.h>
#include <sys/types.h>

#include "common/segment.h"
#include "common/why.h"

#define SEGMENT_OBJECT 0x5e93e17au
enum {
	SEGMENT_PATH_MAX = 128
};

struct segment {
	unsigned magic;
	int fd;
	unsigned char *memory;
	size_t size;
	struct segment_header
		shape; /* our own copy: the shared one may be scribbled over */
	char path[SEGMENT_PATH_MAX], kept[SEGMENT_PATH_MAX]; /* the supervisor's names */
	dev_t dev;
	ino_t ino;
};

/* Maps a descriptor of a whole segment, of this build's layout. -EPROTO. */
int segment_map(int fd, struct segment **ret_segment, struct why *why);
void segment_unmap(struct segment *segment);

/* Write lock on one byte, for the process's life. -EAGAIN: another process holds it. */
int segment_lock(int fd, unsigned byte);

#endif
