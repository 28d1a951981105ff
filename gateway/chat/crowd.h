/*
 * crowd - who is in a room: users, whatever the number of their links and workers.
 *
 * A user is *here* while a link of this worker is in the room, *elsewhere* in a slot
 * while that slot's worker says so. A worker whose part of the room is large says only
 * how many it has (it is *counted* then). What members have been told of a user, and what
 * other workers have been, is kept with it, so that any number of changes between two
 * tellings is told as one, or not at all.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment.h"
#include "gateway/chat/people.h"
#include "gateway/message.h"

struct counted {
	uint32_t slot, n;
};

/* Zeroed is ready. */
struct crowd {
	struct people people;
	/* Whose state may not be what was told or cast, in the order they changed. */
	struct person *changed, *last_changed;
	struct counted *counted;
	uint32_t n_counted;
	uint32_t n_present, n_here; /* users by name */
	bool receiving;             /* a worker's list is half here */
};

bool person_present(const struct person *person);

/* One more link of this user here; one less. -ENOMEM: nothing changed. */
int crowd_enter(struct crowd *crowd, struct text user);
void crowd_leave(struct crowd *crowd, struct text user);

/* The worker in this slot has the user, or no longer. One that cannot be kept for want of
 * memory is missing from the list; no other harm is done. */
void crowd_elsewhere(struct crowd *crowd, unsigned slot, struct text user, bool there);

/* It has so many, without names. */
void crowd_count(struct crowd *crowd, unsigned slot, uint32_t n);

/* It has none. True: it had. */
bool crowd_forget(struct crowd *crowd, unsigned slot);

/* Users in all; those of workers that are counted may count more than once. */
uint64_t crowd_members(const struct crowd *crowd);

/* The state of the first in the changed list was told and cast: it leaves the list, and
 * the crowd if it is not present. Nobody leaves the crowd in another way. */
void crowd_settle(struct crowd *crowd);

void crowd_release(struct crowd *crowd);

#endif
