/*
 * room_log - the tail of a room's sequence as ready-made frames in a ring of bytes.
 *
 * Positions count the bytes of all frames ever appended; they only grow, and a
 * reader is one position. A frame never wraps: where it does not fit before the end
 * of the ring it begins a new *lap* at its start. What is in the ring:
 *
 *   this lap        positions base .. head   at bytes[position - base]
 *   the lap before  positions tail .. base   at bytes[position - base_before]
 *
 * of which the lap before is overwritten from its start on; tail moves with it.
 * Zeroed is ready: an empty log without memory.
 */
#ifndef ROOM_LOG_H
#define ROOM_LOG_H

#include <stddef.h>
#include <stdint.h>

struct room_log {
	uint8_t *bytes;
	uint64_t head, tail, base, base_before;
	uint64_t mark; /* a position that was sought lately; see room_log_seek */
	uint32_t size;
	uint32_t n_head, n_base, n_tail; /* frames before these positions; they wrap */
	uint32_t n_mark;
};

/* A reader: at a frame's begin, or at the head. Packed, so that what follows it in a
 * member takes the place of what would be padding. */
struct __attribute__((packed, aligned(4))) log_cursor {
	uint64_t at;
	uint32_t n; /* frames before it */
};

/* Gives the memory back; positions go on. Whoever was not at the head has lost. */
void room_log_release(struct room_log *log);

/* Gives it `size` bytes, more than it has; keeps all frames. -ENOMEM: unchanged. */
int room_log_grow(struct room_log *log, uint32_t size);

/* Cursors before this position would lose frames if `len` bytes were appended;
 * UINT64_MAX: so much does not fit at all. */
uint64_t room_log_loses(const struct room_log *log, size_t len);

/* Appends a frame that fits, over the oldest ones. */
void room_log_append(struct room_log *log, const uint8_t *frame, size_t len);

/* A cursor at the head. */
struct log_cursor room_log_end(const struct room_log *log);

/* Frames that are kept. */
static inline uint32_t room_log_count(const struct room_log *log)
{
	return log->n_head - log->n_tail;
}

/* A cursor before which `n` of the kept frames lie, at most all of them. Frames are
 * walked, but not again by those who seek near where one sought before. */
struct log_cursor room_log_seek(struct room_log *log, uint32_t n);

/*
 * The next run of frames for a cursor that is not before the tail: at most `max`
 * bytes, or one frame if that is longer. 0: it is at the head. Moves the cursor.
 * *ret_data is lent until the log changes.
 */
size_t room_log_run(const struct room_log *log, struct log_cursor *cursor, size_t max,
		    const uint8_t **ret_data);

#endif
