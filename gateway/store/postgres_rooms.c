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

/* A room without a name: new, or the one whose turn is longest ago. */
static struct pgroom *blank(struct pgrooms *rooms)
{
	struct pgroom *room;

	if (HASH_COUNT(rooms->by_name) < PGROOMS_MAX)
		return calloc(1, sizeof *room);
	room = rooms->by_name;
	HASH_DEL(rooms->by_name, room);
	*room = (struct pgroom){ 0 };
	return room;
}

struct pgroom *pgrooms_get(struct pgrooms *rooms, struct text name)
{
	struct pgroom *room = pgrooms_find(rooms, name);

	CHECK(name.len <= ROOM_NAME_MAX);
	if (room && !room->hh.next)
		return room; /* the last already */
	if (room) {
		HASH_DEL(rooms->by_name, room);
	} else {
		room = blank(rooms);
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
	struct pgroom *room = rooms->by_name, *next;

	/* The table goes; its members are a list still. */
	HASH_CLEAR(hh, rooms->by_name);
	for (; room; room = next) {
		next = room->hh.next;
		free(room);
	}
}
