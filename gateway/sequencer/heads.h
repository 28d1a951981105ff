/*
 * heads - the newest sequence of every room, in memory that outlives the sequencer.
 *
 * A hash table in a memfd: one writer (the sequencer), and workers look up rooms that
 * are new to them. Survives the writer's death at any instruction: `applied` says up to
 * which position of the sequencer's ring it is right, and the successor replays the
 * ring from there. The hash is keyed with random bits: who picks the names of rooms
 * cannot pick their places.
 */
#ifndef HEADS_H
#define HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"
#include "gateway/message.h"

struct heads;

/* Supervisor: memory for n_rooms_max rooms, as a memfd (not close-on-exec). */
int heads_create(uint64_t n_rooms_max, int *ret_fd, struct why *why);

/* `writes`: the sequencer; others can only read. -EPROTO: not heads of ours. */
int heads_open(int fd, bool writes, struct heads **ret_heads, struct why *why);
void heads_close(struct heads *heads);

/* The room's newest sequence; 0 for a room never heard of. */
uint64_t heads_get(const struct heads *heads, struct text room);

/* Gives the room a place, if it has none yet. -ENOSPC: no place for another one. */
int heads_reserve(struct heads *heads, struct text room);

/* The room must have a place. */
void heads_set(struct heads *heads, struct text room, uint64_t seq);

uint64_t heads_applied(const struct heads *heads);
void heads_set_applied(struct heads *heads, uint64_t position);

#endif
