/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/store/postgres_rooms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

struct pgroom *pgrooms_find(const struct pgrooms *rooms, struct text name)
{
	struct pgroom *room;

	HASH_FIND(hh, rooms->by_name, name.at, name.len, room);
	return room;
}

static void forget_one(struct pgrooms *rooms, struct pgroom *room)
{
	HASH_DEL(rooms->by_name, room);
	free(room);
}

struct pgroom *pgrooms_get(struct pgrooms *rooms, struct text name)
{
	struct pgroom *room = pgrooms_find(rooms, name);

	CHECK(name.len <= ROOM_NAME_MAX);
	if (room) {
		HASH_DEL(rooms->by_name, room); /* and last again */
	} else {
		if (HASH_COUNT(rooms->by_name) >= PGROOMS_MAX)
			forget_one(rooms, rooms->by_name);
		room = calloc(1, sizeof *room);
		if (!room)
			return NULL;
		memcpy(room->name, name.at, name.len);
		room->len = name.len;
	}
	HASH_ADD_KEYPTR(hh, rooms->by_name, room->name, room->len, room);
	if (!room->hh.tbl) {
		free(room);
		return NULL;
	}
	return room;
}

void pgrooms_forget(struct pgrooms *rooms)
{
	struct pgroom *room, *next;

	HASH_ITER(hh, rooms->by_name, room, next)
	forget_one(rooms, room);
}
