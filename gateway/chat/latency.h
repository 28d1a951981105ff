/*
 * latency - how long messages take until they are acknowledged and delivered.
 *
 * What is answered in a turn of the loop is handed to the sockets at the end of it: only
 * then is its time known. Until then it is noted here. A message to a room is under way
 * until the last of those who were members when it came was told.
 */
#ifndef LATENCY_H
#define LATENCY_H

#include <stdint.h>

#include "common/segment_writer.h"

struct chat;
struct room;
struct rooms;

enum {
	LATENCY_MAX = 1024,    /* as many records as are read in a turn */
	DELIVERIES_MAX = 1024, /* timed to the last member; others as if told in a turn */
};

struct latency {
	unsigned n;
	struct {
		enum histogram id;
		uint64_t since_us;
	} noted[LATENCY_MAX];
};

/* Something that began then is on its way; 0: nobody knows when. */
void latency_note(struct chat *chat, enum histogram id, uint64_t since_us);

/* A message to a room. */
struct delivery {
	struct delivery *prev, *next; /* of the room */
	uint64_t since_us;
	uint64_t due; /* the room's n_told when all were told */
};

/* One that was read then, and that all members are to be told of now. */
void delivery_begin(struct chat *chat, struct room *room, uint64_t since_us);

/* Some members were told: notes those that have reached everybody. */
void deliveries_told(struct chat *chat, struct room *room);
void deliveries_forget(struct rooms *rooms, struct room *room);

/* The turn is over: what was noted has left. */
void latency_turn(struct chat *chat);

#endif
