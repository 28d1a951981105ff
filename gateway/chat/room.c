/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/chat/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/catchup.h"

enum {
	LOG_FIRST = 4096,   /* bytes that a log begins with */
	RECLAIM_TRIES = 16, /* logs looked at to get memory back for another */
	MEMBERS_FIRST = 2,
	TURNS_KEPT = 16, /* in a log, so that few are cut by its end */
};

/* ---- rooms ---------------------------------------------------------------------- */

struct room *rooms_find(const struct rooms *rooms, struct text name)
{
	struct room *room;

	HASH_FIND(hh, rooms->by_name, name.at, name.len, room);
	return room;
}

int rooms_add(struct rooms *rooms, struct text name, struct room **ret_room)
{
	struct room *room;

	CHECK(name.len <= ROOM_NAME_MAX);
	if (HASH_COUNT(rooms->by_name) >= rooms->rooms_max)
		return -ENOBUFS;
	room = calloc(1, sizeof *room + name.len);
	if (!room)
		return -ENOMEM;
	room->pin = NOWHERE;
	room->name_len = (uint8_t)name.len;
	memcpy(room->name, name.at, name.len);
	HASH_ADD_KEYPTR(hh, rooms->by_name, room->name, room->name_len, room);
	if (!room->hh.tbl) {
		free(room);
		return -ENOMEM;
	}
	*ret_room = room;
	return 0;
}

void room_clear_log(struct rooms *rooms, struct room *room)
{
	if (room->log.size) {
		rooms->log_bytes -= room->log.size;
		DL_DELETE2(rooms->logs, room, log_prev, log_next);
	}
	room_log_release(&room->log);
}

void rooms_remove(struct rooms *rooms, struct room *room)
{
	CHECK(room->n_members == 0 && room->n_catching == 0);
	if (room->held)
		return;
	HASH_DEL(rooms->by_name, room);
	room_clean(rooms, room);
	rooms_unwant(rooms, room);
	room_clear_log(rooms, room);
	pages_release(rooms, room);
	if (room->read)
		*room->read = NULL;
	room_crowd_done(rooms, room);
	crowd_release(&room->crowd);
	free(room->members);
	room->members = NULL;
	if (room->cast)
		LL_PREPEND2(rooms->farewells, room, crowd_next);
	else
		free(room);
}

void room_hold(struct room *room)
{
	CHECK(!room->held);
	room->held = true;
}

void room_unhold(struct rooms *rooms, struct room *room)
{
	room->held = false;
	if (!room->n_members)
		rooms_remove(rooms, room);
}

void rooms_want(struct rooms *rooms, struct room *room)
{
	if (room->wants || room->read)
		return;
	DL_APPEND2(rooms->want, room, want_prev, want_next);
	room->wants = true;
}

void rooms_unwant(struct rooms *rooms, struct room *room)
{
	if (room->wants)
		DL_DELETE2(rooms->want, room, want_prev, want_next);
	room->wants = false;
}

void room_clean(struct rooms *rooms, struct room *room)
{
	if (room->dirty)
		DL_DELETE2(rooms->dirty, room, dirty_prev, dirty_next);
	room->dirty = false;
}

/* ---- crowds --------------------------------------------------------------------- */

void room_crowd_done(struct rooms *rooms, struct room *room)
{
	if (!room->crowd_waits)
		return;
	if (room->crowd_late)
		DL_DELETE2(rooms->late_crowds, room, crowd_prev, crowd_next);
	else
		DL_DELETE2(rooms->crowds, room, crowd_prev, crowd_next);
	room->crowd_waits = room->crowd_late = false;
}

void room_crowd_changed(struct rooms *rooms, struct room *room)
{
	if (room->crowd_waits && !room->crowd_late)
		return;
	room_crowd_done(rooms, room);
	DL_APPEND2(rooms->crowds, room, crowd_prev, crowd_next);
	room->crowd_waits = true;
}

void room_crowd_later(struct rooms *rooms, struct room *room)
{
	room_crowd_done(rooms, room);
	DL_APPEND2(rooms->late_crowds, room, crowd_prev, crowd_next);
	room->crowd_waits = room->crowd_late = true;
}

void rooms_crowds_due(struct rooms *rooms)
{
	struct room *room;

	DL_FOREACH2(rooms->late_crowds, room, crowd_next)
	room->crowd_late = false;
	DL_CONCAT2(rooms->crowds, rooms->late_crowds, crowd_prev, crowd_next);
	rooms->late_crowds = NULL;
}

/* ---- members -------------------------------------------------------------------- */

static int resize_members(struct room *room, uint32_t size)
{
	struct member *members = realloc(room->members, size * sizeof *members);

	if (!members)
		return -ENOMEM;
	room->members = members;
	room->members_size = size;
	return 0;
}

int room_add_member(struct rooms *rooms, struct room *room, struct session *session)
{
	if (room->n_members == room->members_size) {
		uint32_t size = room->n_members ? 2 * room->n_members : MEMBERS_FIRST;
		int r = resize_members(room, size);

		if (r < 0)
			return r;
	}
	room->members[room->n_members] = (struct member){
		.session = session,
		.cursor = room_log_end(&room->log),
	};
	rooms->n_members++;
	return (int)room->n_members++;
}

struct member *room_remove_member(struct rooms *rooms, struct room *room, uint32_t place)
{
	uint32_t last = room->n_members - 1;

	CHECK(place <= last);
	catchup_end(room, &room->members[place]);
	room->members[place] = room->members[last];
	room->n_members--;
	rooms->n_members--;
	if (room->n_members >= MEMBERS_FIRST && room->n_members < room->members_size / 4)
		(void)resize_members(room, room->members_size / 2); /* or stays large */
	return place != last ? &room->members[place] : NULL;
}

void room_seek(struct room *room, struct member *member, uint64_t seq)
{
	uint64_t first = room_first(room);

	CHECK(seq >= first && seq <= room->head + 1);
	member->cursor = seq > room->head
				 ? room_log_end(&room->log)
				 : room_log_seek(&room->log, (uint32_t)(seq - first));
	if (member->cursor.at < room->safe)
		room->safe = member->cursor.at;
}

/* ---- logs ----------------------------------------------------------------------- */

/* Whether no member's cursor is before this position. The members are looked at only
 * if what was found last time does not say so. */
static bool is_safe(struct room *room, uint64_t position)
{
	uint64_t least = room->log.head;

	if (position <= room->safe)
		return true;
	for (uint32_t i = 0; i < room->n_members; i++)
		if (room->members[i].cursor.at < least)
			least = room->members[i].cursor.at;
	if (room->pin < least && room->pin >= room->log.tail)
		least = room->pin;
	room->safe = least;
	return position <= least;
}

/* Takes logs that everybody has read from other rooms, until there are `bytes`. */
static void reclaim(struct rooms *rooms, const struct room *taker, uint64_t bytes)
{
	struct room *room, *next;
	unsigned tries = 0;

	DL_FOREACH_SAFE2(rooms->logs, room, next, log_next)
	{
		if (rooms->log_bytes + bytes <= rooms->logs_max ||
		    tries++ == RECLAIM_TRIES)
			return;
		if (room != taker && is_safe(room, room->log.head))
			room_clear_log(rooms, room);
	}
}

static int grow_log(struct rooms *rooms, struct room *room, size_t len)
{
	uint64_t most = rooms->log_max > len ? rooms->log_max : len;
	uint64_t size = room->log.size ? 2 * (uint64_t)room->log.size : LOG_FIRST;
	uint64_t reserved = room->log.size ? rooms->logs_max / 4 : 0;
	uint64_t more;
	int r;

	if (size < len)
		size = len;
	if (size > most)
		size = most;
	if (size <= room->log.size || size > UINT32_MAX)
		return -ENOBUFS;
	more = size - room->log.size;
	reclaim(rooms, room, more + reserved);
	if (rooms->log_bytes + more + reserved > rooms->logs_max)
		return -ENOBUFS;
	if (!room->log.size)
		DL_APPEND2(rooms->logs, room, log_prev, log_next);
	r = room_log_grow(&room->log, (uint32_t)size);
	if (r == 0)
		rooms->log_bytes += more;
	else if (!room->log.size)
		DL_DELETE2(rooms->logs, room, log_prev, log_next);
	return r;
}

/* A turn's frames are cut in two where they meet the end of the ring, which costs each
 * member a send more. So the ring is as long as several turns, if there is memory. */
static void fit_turn(struct rooms *rooms, struct room *room, size_t len)
{
	uint64_t turn = room->dirty ? room->log.head - room->turn_from : 0;

	if (room->log.size && turn + len > room->log.size / TURNS_KEPT)
		(void)grow_log(rooms, room, len); /* only slower without */
}

int room_reserve(struct rooms *rooms, struct room *room, size_t len)
{
	fit_turn(rooms, room, len);
	for (;;) {
		uint64_t lost = room_log_loses(&room->log, len);

		if (lost != UINT64_MAX && is_safe(room, lost))
			return 0;
		if (grow_log(rooms, room, len) < 0)
			return lost == UINT64_MAX ? -ENOMEM : -ENOBUFS;
	}
}

void room_append(struct rooms *rooms, struct room *room, const uint8_t *frame, size_t len)
{
	if (!room->dirty)
		room->turn_from = room->log.head;
	room_log_append(&room->log, frame, len);
	DL_DELETE2(rooms->logs, room, log_prev, log_next);
	DL_APPEND2(rooms->logs, room, log_prev, log_next);
	if (!room->dirty)
		DL_APPEND2(rooms->dirty, room, dirty_prev, dirty_next);
	room->dirty = true;
}
