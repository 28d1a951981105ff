/*
 * ring - variable-length records in shared memory: one writer, many readers.
 *
 * Internal to the bus. Positions count bytes ever written, in steps of 8, and never
 * go back; a record (a word with its length and type, then its bytes) lies at
 * position % size and may wrap. Readers copy out and then verify that the writer has
 * not come round meanwhile.
 *
 * Two positions make that safe. `reserved` is moved before anything is overwritten,
 * `head` once the record is whole. All words of the ring are read and written as
 * relaxed atomics, so that a torn copy is a wrong value and not undefined behaviour:
 *
 *   writer: reserved = end;  release fence;  words;        head = end (release)
 *   reader: head (acquire);  words;          acquire fence;  reserved
 *
 * A reader that saw any word of a later record sees, by the two fences, at least the
 * `reserved` that was stored before that word, and throws its copy away. A writer that
 * dies between the two leaves `head` where it was: its successor writes over what is
 * there, and never moves `reserved` back, for the dead one's words lie in the ring.
 */
#ifndef RING_H
#define RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "gateway/bus/bus.h"

enum {
	RING_WORD = 8,
	RING_SIZE_MIN = 4096,
};

struct ring_control {
	alignas(64) _Atomic uint64_t head; /* everything before it is whole */
	_Atomic uint64_t reserved; /* what lies a ring's size before it may be changing */
};

/* A process's view of a ring; `size` is its own copy, bytes, a power of two. */
struct ring {
	struct ring_control *control;
	_Atomic uint64_t *words;
	uint64_t size;
};

/* Longest record, bytes. */
static inline size_t ring_record_max(uint64_t size)
{
	return size / 4 - RING_WORD;
}

/* The position behind the last whole record. */
static inline uint64_t ring_head(const struct ring *ring)
{
	return atomic_load_explicit(&ring->control->head, memory_order_acquire);
}

/* For the one writer. -EMSGSIZE: longer than ring_record_max. */
int ring_write(const struct ring *ring, uint32_t type, const struct iovec *parts,
	       unsigned n_parts);

/*
 * As bus_read. `scratch` holds ring_record_max, rounded up to whole words. Whatever
 * the memory says, nothing outside ring and scratch is touched.
 */
int ring_read(const struct ring *ring, uint64_t *at, uint64_t *scratch,
	      struct bus_record *ret_record);

#endif
