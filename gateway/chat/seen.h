/*
 * seen - the newest sequences of rooms that have no members here, for a moment.
 *
 * A room's first member learns its head from chat_io.head, which may be a moment
 * behind what this worker has been told already: its next message would look like a
 * jump. So the last few rooms that passed by, or lost their last member, are
 * remembered by name.
 */
#ifndef SEEN_H
#define SEEN_H

#include <stdint.h>

#include "gateway/message.h"

enum {
	SEEN_MAX = 64
};

struct seen {
	struct {
		uint64_t seq;
		uint32_t len;
		char name[ROOM_NAME_MAX];
	} last[SEEN_MAX];
	unsigned next;
};

void seen_put(struct seen *seen, struct text room, uint64_t seq);

/* The newest sequence that is remembered of the room; 0 for none. */
uint64_t seen_head(const struct seen *seen, struct text room);

#endif
