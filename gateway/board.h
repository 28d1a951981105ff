/*
 * board - a few bytes that the supervisor may change under its children's eyes.
 *
 * Memory behind a descriptor that children inherit. They can read it and nothing else,
 * so that none of them changes what the others are told. Each posting has a version; a
 * reader that comes between finds the old one or none.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

struct board_memory;

/* Zeroed but for fd = -1 is one that was not made. */
struct board {
	int fd; /* close-on-exec */
	size_t size;
	struct board_memory *memory;
};

/* For postings of up to `size` bytes. */
int board_make(struct board *board, size_t size, struct why *why);
void board_release(struct board *board);

/* Posts what a file holds, from its start; more than fits is cut off. -errno: what was
 * posted before stands. */
int board_post(struct board *board, int fd);

/* A posting that is not the one of *version: 1, with its bytes in `data`, its length and
 * its version. 0: there is none, or it is being written. -errno; -EINVAL: nonsense. */
int board_read(int fd, uint64_t *version, void *data, size_t size, size_t *ret_len);

#endif
