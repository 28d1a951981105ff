/*
 * census - who is in a room, asked of all workers at one time, whether or not this one
 * has anybody there.
 *
 * Each worker answers with how many it has, and WIRE_WHO_MAX of them by name. What was
 * not answered within CENSUS_MS is missing from the result, which says so. A user of
 * several workers counts once, if all of them name it.
 */
#ifndef CENSUS_H
#define CENSUS_H

#include "gateway/chat/inside.h"

enum {
	CENSUS_MS = 500,
	CENSUSES_MAX = 64, /* at a time */
};

/* A cast of one of its two kinds. */
void census_hear(struct chat *chat, uint32_t slot, uint64_t generation,
		 struct cast_in *cast);

/* From that worker no answer comes any more, nor is one missing. */
void censuses_peer_gone(struct chat *chat, uint32_t slot, uint64_t generation);

/* Asks again for what is missing. */
void censuses_ask_again(struct chat *chat);

/* Answers those that are complete, or late. */
void censuses_turn(struct chat *chat);

/* The chat ends; nobody is answered. */
void censuses_forget(struct chat *chat);

#endif
