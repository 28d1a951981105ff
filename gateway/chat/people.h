/*
 * people - the persons of a crowd by name.
 *
 * A table of chains: a room has a person for each user, most of whom do nothing, so that
 * a person is as small as can be. uthash's handle alone would be larger. They are in no
 * order.
 */
#ifndef PEOPLE_H
#define PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/message.h"

struct person {
	struct person *chain;        /* people.c */
	struct person *next_changed; /* in crowd->changed */
	uint64_t *elsewhere;         /* a bit per slot; NULL: it never was */
	uint32_t n_here;             /* links */
	bool changed : 1;            /* in that list */
	bool told : 1;               /* members know it as present */
	bool cast : 1;               /* other workers know it as here */
	uint8_t name_len;
	char name[];
};

/* Zeroed is ready. */
struct people {
	struct person **chains;
	uint32_t n, size; /* a power of two, or 0 */
};

static inline struct text person_name(const struct person *person)
{
	return (struct text){ person->name, person->name_len };
}

struct person *people_find(const struct people *people, struct text name);

/* A new person of a name that is not there yet; NULL when out of memory. */
struct person *people_add(struct people *people, struct text name);

/* Frees it. */
void people_remove(struct people *people, struct person *person);

/* The one that follows, or (NULL) the first; NULL: there is none. Adding and removing
 * change what follows what. */
struct person *people_next(const struct people *people, const struct person *person);

#define PEOPLE_FOREACH(people, person)                               \
	for ((person) = people_next(people, NULL); (person) != NULL; \
	     (person) = people_next(people, person))

void people_release(struct people *people);

#endif
