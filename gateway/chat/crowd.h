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
#include <uthash.h>

#include "common/segment.h"
#include "gateway/message.h"

enum {
	CROWD_SLOT_WORDS = (SEGMENT_SLOTS_MAX + 63) / 64
};

struct person {
	struct person *prev, *next;           /* in crowd->changed */
	uint64_t elsewhere[CROWD_SLOT_WORDS]; /* a bit per slot */
	uint32_t n_here;                      /* links */
	bool changed;                         /* in that list */
	bool told;                            /* members know it as present */
	bool cast;                            /* other workers know it as here */
	uint8_t name_len;
	UT_hash_handle hh;
	char name[];
};

struct counted {
	uint32_t slot, n;
};

/* Zeroed is ready. */
struct crowd {
	struct person *by_name;
	struct person *changed; /* whose state is not what was told or cast */
	struct counted *counted;
	uint32_t n_counted;
	uint32_t n_present, n_here; /* users by name */
	bool receiving;             /* a worker's list is half here */
};

static inline struct text person_name(const struct person *person)
{
	return (struct text){ person->name, person->name_len };
}

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

/* The state of one in the changed list was told and cast: it leaves the list, and the
 * crowd if it is not present. */
void crowd_settle(struct crowd *crowd, struct person *person);

void crowd_release(struct crowd *crowd);

#endif
