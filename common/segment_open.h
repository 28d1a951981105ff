/*
 * segment_open - the file, the mapping and the names behind a struct segment.
 *
 * Internal to the writer.
 */
#ifndef SEGMENT_OPEN_H
#define SEGMENT_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/segment_layout.h"
#include "common/why.h"

#define SEGMENT_OBJECT 0x5e93e17au

struct segment {
	unsigned magic;
	int fd;
	unsigned char *memory;
	size_t size;
	/* Where things lie, by our own reckoning: the shared header may be scribbled
	 * over. */
	struct segment_header shape;
	/* Which of shape.n_counters are totals: those of a later build may be unknown. */
	bool is_total[SEGMENT_ROOM_MAX];
	/* The supervisor's two names. */
	char path[SEGMENT_PATH_MAX], kept[SEGMENT_BESIDE_MAX];
	dev_t dev;
	ino_t ino;
};

/*
 * Maps a descriptor of a whole segment in which all lies where this build has it, and in
 * which there is room for its counters; with `described`, all of them are. Should the
 * file be cut short later, memory of the process's own takes the place of what is
 * missing, so that a store into it is lost instead of fatal. -EPROTO.
 */
int segment_map(int fd, bool described, struct segment **ret_segment, struct why *why);
void segment_unmap(struct segment *segment);

/* Write lock on one byte, for the process's life. -EAGAIN: another process holds it. */
int segment_lock(int fd, unsigned byte);

/* Field 22 of /proc/self/stat; 0 when it cannot be read: shown, never judged by. */
uint64_t segment_start_ticks(void);

/* Notes its two names. */
void segment_call(struct segment *segment, const char *path);

/* What readers look at first and last; odd while a group changes. */
struct segment_sequences *segment_sequences(struct segment *segment);
void segment_change_begins(word *sequence);
void segment_change_ends(word *sequence);

/* A name beside `path` that nobody else has; -errno without randomness. */
int segment_temporary(const char *path, char ret_temporary[SEGMENT_BESIDE_MAX]);

/* Gives the locked file, whose only name is `temporary`, its two names. -EBUSY: a living
 * gateway has one of them, which is then as it was; the temporary name is left. */
int segment_take_names(struct segment *segment, const char *temporary, struct why *why);

/* -EBUSY with the reason when a living gateway has one of the names. */
int segment_refuse_living(const char *path, const char *kept, struct why *why);

#endif
