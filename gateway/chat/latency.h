/*
 * latency - how long messages take until they are acknowledged and delivered.
 *
 * What is answered, or put into a log, in a turn of the loop is handed to the sockets at
 * the end of it: only then is its time known. Until then it is noted here.
 */
#ifndef LATENCY_H
#define LATENCY_H

#include <stdint.h>

#include "common/segment_writer.h"

struct chat;

enum {
	LATENCY_MAX = 1024 /* as many records as are read in a turn */
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

/* The turn is over: what was noted has left. */
void latency_turn(struct chat *chat);

#endif
