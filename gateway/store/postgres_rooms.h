/*
 * postgres_rooms - the ids of rooms by their names, those used last.
 *
 * A room keeps its id for ever, so nothing here grows old while the database is the same
 * one; on a new connection all is forgotten.
 */
#ifndef POSTGRES_ROOMS_H
#define POSTGRES_ROOMS_H

#include <uthash.h>

#include "gateway/message.h"

enum {
	PGROOMS_MAX = 65536 /* about 12 MiB */
};

struct pgroom {
	UT_hash_handle hh;
	int64_t id; /* 0: not known yet */
	char name[ROOM_NAME_MAX];
	uint32_t len;
	/* The batch that it was in last, how many messages it has there, and its place.
	 */
	uint64_t batch;
	uint32_t n, place;
};

/* All zero to begin with; a head of a list in the order of use. */
struct pgrooms {
	struct pgroom *by_name;
};

/* The room, new if need be, now the one used last. NULL: no memory. Lent until as many
 * others as there is place for were asked for. */
struct pgroom *pgrooms_get(struct pgrooms *rooms, struct text name);

/* Only what is there; NULL. */
struct pgroom *pgrooms_find(const struct pgrooms *rooms, struct text name);

void pgrooms_forget(struct pgrooms *rooms);

#endif
