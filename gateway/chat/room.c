/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/chat/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/catchup.h"
#include "gateway/chat/latency.h"

_Static_assert(sizeof(struct member) <= 32, "each link has one for each of its rooms");

enum {
	MEMBERS_FIRST = 2
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
	room->plain = (struct tail){ .room = room, .form = FORM_plain, .pin = NOWHERE };
	room->tails[FORM_plain] = &room->plain;
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

void rooms_remove(struct rooms *rooms, struct room *room)
{
	CHECK(room->n_members == 0 && room->n_catching == 0);
	if (room->held)
		return;
	HASH_DEL(rooms->by_name, room);
	room_clean(rooms, room);
	deliveries_forget(rooms, room);
	rooms_unwant(rooms, room);
	room_clear_logs(rooms, room);
	free(room->tails[FORM_deflated]);
	room->tails[FORM_deflated] = NULL;
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
	room_set_untold(rooms, room, 0);
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

/* The tail of that form is there. */
static int want_tail(struct room *room, enum form form)
{
	struct tail *tail;

	if (room->tails[form])
		return 0;
	tail = calloc(1, sizeof *tail);
	if (!tail)
		return -ENOMEM;
	*tail = (struct tail){ .room = room, .form = form, .pin = NOWHERE };
	room->tails[form] = tail;
	return 0;
}

int room_add_member(struct rooms *rooms, struct room *room, struct session *session,
		    enum form form)
{
	if (want_tail(room, form) < 0)
		return -ENOMEM;
	if (room->n_members == room->members_size) {
		uint32_t size = room->members_size + room->members_size / 2;
		int r = resize_members(room, size ? size : MEMBERS_FIRST);

		if (r < 0)
			return r;
	}
	room->members[room->n_members] = (struct member){
		.session = session,
		.cursor = room_log_end(&room->tails[form]->log),
		.form = form,
	};
	room->tails[form]->n_readers++;
	rooms->n_members++;
	return (int)room->n_members++;
}

struct member *room_remove_member(struct rooms *rooms, struct room *room, uint32_t place)
{
	uint32_t last = room->n_members - 1;
	struct tail *tail = room->tails[room->members[place].form];

	CHECK(place <= last);
	catchup_end(room, &room->members[place]);
	room->members[place] = room->members[last];
	room->n_members--;
	rooms->n_members--;
	if (--tail->n_readers == 0)
		room_clear_tail(rooms, tail);
	if (room->n_members >= MEMBERS_FIRST && room->n_members < room->members_size / 2)
		(void)resize_members(room, room->members_size -
						   room->members_size / 4); /* or not */
	return place != last ? &room->members[place] : NULL;
}

void room_seek(struct room *room, struct member *member, uint64_t seq)
{
	struct tail *tail = room->tails[member->form];
	uint64_t first = room_first(room, member->form);

	CHECK(seq >= first && seq <= room->head + 1);
	member->cursor = seq > room->head
				 ? room_log_end(&tail->log)
				 : room_log_seek(&tail->log, (uint32_t)(seq - first));
	if (member->cursor.at < tail->safe)
		tail->safe = member->cursor.at;
}
