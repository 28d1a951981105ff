#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/census.h"
#include "gateway/chat/presence.h"

/* ---- out ------------------------------------------------------------------------ */

bool cast_may(const struct chat *chat)
{
	return chat->cast_bytes < chat->limits.cast_bytes;
}

bool cast_send(struct chat *chat)
{
	struct cast_out *cast = &chat->cast;

	if (!chat->io.cast)
		return true;
	if (chat->io.cast(chat->io.app, cast->bytes, cast->len) < 0)
		return false;
	chat->cast_bytes += cast->len;
	counter_add(chat->slot, COUNTER_casts, 1);
	return true;
}

/* What went out is done with, also if the rest has to wait. */
static bool cast_farewells(struct chat *chat)
{
	while (chat->rooms.farewells) {
		struct room *end, *room;

		cast_begin(&chat->cast, CAST_GONE, 0);
		LL_FOREACH2(chat->rooms.farewells, end, crowd_next)
		if (!cast_put_name(&chat->cast, room_name(end), false))
			break;
		if (!cast_may(chat) || !cast_send(chat))
			return false;
		while ((room = chat->rooms.farewells) != end) {
			chat->rooms.farewells = room->crowd_next;
			free(room);
		}
	}
	return true;
}

static bool cast_asks(struct chat *chat)
{
	struct room *room = chat->rooms.crowds;

	while (room) {
		struct room *end;
		bool any = false;

		cast_begin(&chat->cast, CAST_ASK, 0);
		for (end = room; end; end = end->crowd_next) {
			if (end->ask_due &&
			    !cast_put_name(&chat->cast, room_name(end), false))
				break;
			any |= end->ask_due;
		}
		if (any && (!cast_may(chat) || !cast_send(chat)))
			return false;
		for (; room != end; room = room->crowd_next)
			room->ask_due = false;
	}
	return true;
}

bool casts_begin(struct chat *chat)
{
	return cast_farewells(chat) && cast_asks(chat);
}

/* Begins a cast about this room. */
static void begin_for(struct chat *chat, const struct room *room, enum cast_kind kind,
		      uint8_t flags)
{
	cast_begin(&chat->cast, kind, flags);
	CHECK(cast_put_name(&chat->cast, room_name(room), false));
}

/* One user of many: in the next cast if this one is full. */
static bool put_user(struct chat *chat, const struct room *room, enum cast_kind kind,
		     const struct person *person)
{
	bool here = person->n_here > 0;

	if (cast_put_name(&chat->cast, person_name(person), here))
		return true;
	if (!cast_send(chat))
		return false;
	begin_for(chat, room, kind, 0);
	CHECK(cast_put_name(&chat->cast, person_name(person), here));
	return true;
}

static bool cast_roster(struct chat *chat, const struct room *room)
{
	const struct person *person;

	begin_for(chat, room, CAST_ROSTER, CAST_FIRST);
	PEOPLE_FOREACH(&room->crowd.people, person)
	if (person->n_here && !put_user(chat, room, CAST_ROSTER, person))
		return false;
	cast_flag(&chat->cast, CAST_LAST);
	return cast_send(chat);
}

static bool cast_changes(struct chat *chat, const struct room *room)
{
	const struct person *person;
	bool any = false;

	begin_for(chat, room, CAST_CHANGES, 0);
	LL_FOREACH2(room->crowd.changed, person, next_changed)
	{
		if ((person->n_here > 0) == person->cast)
			continue;
		if (!put_user(chat, room, CAST_CHANGES, person))
			return false;
		any = true;
	}
	return !any || cast_send(chat);
}

static bool cast_count(struct chat *chat, const struct room *room)
{
	begin_for(chat, room, CAST_COUNT, 0);
	CHECK(cast_put_number(&chat->cast, room->crowd.n_here));
	return cast_send(chat);
}

bool cast_crowd(struct chat *chat, struct room *room)
{
	bool counted = room->crowd.n_here > chat->limits.presence_members_max;
	bool all = room->roster_due || room->count_cast || counted;
	bool done;

	if (!cast_may(chat))
		return false;
	if (counted)
		done = cast_count(chat, room);
	else if (all)
		done = cast_roster(chat, room);
	else
		done = cast_changes(chat, room);
	/* What went out of it may be half of it: then all of it has to. */
	room->roster_due = !done;
	room->count_cast = counted && done;
	room->cast = true;
	return done;
}

void cast_typing(struct chat *chat, const struct room *room, struct text user,
		 bool active)
{
	begin_for(chat, room, CAST_TYPING, 0);
	CHECK(cast_put_name(&chat->cast, user, active));
	if (!cast_may(chat) || !cast_send(chat))
		counter_add(chat->slot, COUNTER_ephemeral_dropped, 1);
}

void presence_tick(struct chat *chat)
{
	chat->cast_bytes = 0;
	rooms_crowds_due(&chat->rooms);
}

void presence_again(struct chat *chat, bool asks)
{
	for (struct room *room = chat->rooms.by_name; room; room = room->hh.next) {
		room->roster_due = true;
		room->ask_due |= asks;
		room_crowd_changed(&chat->rooms, room);
	}
}

void presence_stop(struct chat *chat)
{
	struct room *room, *next;

	LL_FOREACH_SAFE2(chat->rooms.farewells, room, next, crowd_next)
	free(room);
	chat->rooms.farewells = NULL;
}

/* ---- in ------------------------------------------------------------------------- */

/* The next name is that of a room which is here; NULL: it is not. */
static struct room *next_room(struct chat *chat, struct cast_in *cast, bool *ret_more)
{
	struct text name;
	bool flag;

	*ret_more = cast_next_name(cast, &name, &flag);
	return *ret_more ? rooms_find(&chat->rooms, name) : NULL;
}

static void hear_users(struct chat *chat, struct room *room, unsigned slot,
		       struct cast_in *cast)
{
	struct text user;
	bool there;

	if (cast->kind == CAST_ROSTER && cast->flags & CAST_FIRST) {
		(void)crowd_forget(&room->crowd, slot); /* what is not named again */
		if (!(cast->flags & CAST_LAST))         /* time for the rest to come */
			room->crowd_told_ms = chat->io.now_ms(chat->io.app);
	}
	while (cast_next_name(cast, &user, &there))
		crowd_elsewhere(&room->crowd, slot, user, there);
	if (cast->kind == CAST_ROSTER)
		room->crowd.receiving = !(cast->flags & CAST_LAST);
	room_crowd_changed(&chat->rooms, room);
}

static void hear_room(struct chat *chat, struct room *room, unsigned slot,
		      struct cast_in *cast)
{
	struct text user;
	uint32_t n;
	bool active;

	switch (cast->kind) {
	case CAST_CHANGES:
	case CAST_ROSTER: hear_users(chat, room, slot, cast); break;
	case CAST_COUNT:
		if (!cast_next_number(cast, &n))
			break;
		crowd_count(&room->crowd, slot, n);
		room_crowd_changed(&chat->rooms, room);
		break;
	case CAST_TYPING:
		if (cast_next_name(cast, &user, &active))
			tell_typing(chat, room, user, active);
		break;
	default: break;
	}
}

/* Of several rooms: their users here are asked for, or those of the slot are gone. */
static void hear_rooms(struct chat *chat, unsigned slot, struct cast_in *cast)
{
	bool more = true;

	while (more) {
		struct room *room = next_room(chat, cast, &more);

		if (!room)
			continue;
		if (cast->kind == CAST_ASK)
			room->roster_due |= room->crowd.n_here > 0;
		else if (!crowd_forget(&room->crowd, slot))
			continue;
		room_crowd_changed(&chat->rooms, room);
	}
}

static void forget(struct chat *chat, unsigned slot)
{
	for (struct room *room = chat->rooms.by_name; room; room = room->hh.next)
		if (crowd_forget(&room->crowd, slot)) {
			room->crowd.receiving = false;
			room_crowd_changed(&chat->rooms, room);
		}
	chat->peers[slot] = 0;
}

void chat_heard(struct chat *chat, uint32_t slot, uint64_t generation, const void *data,
		size_t len)
{
	struct cast_in cast;
	struct room *room;
	bool more;

	CHECK_OBJ(chat, CHAT_MAGIC);
	if (generation == chat->limits.generation || slot >= SEGMENT_SLOTS_MAX ||
	    !cast_read(&cast, data, len))
		return;
	if (cast.kind == CAST_CENSUS || cast.kind == CAST_COUNTED) {
		census_hear(chat, slot, generation, &cast);
		return;
	}
	if (!chat->limits.presence_members_max)
		return;
	if (chat->peers[slot] != generation)
		forget(chat, slot);
	chat->peers[slot] = generation;
	if (cast.kind == CAST_ASK || cast.kind == CAST_GONE) {
		hear_rooms(chat, slot, &cast);
		return;
	}
	room = next_room(chat, &cast, &more);
	if (room)
		hear_room(chat, room, slot, &cast);
}

void chat_peer_gone(struct chat *chat, uint32_t slot, uint64_t generation)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
	censuses_peer_gone(chat, slot, generation);
	if (slot < SEGMENT_SLOTS_MAX && chat->peers[slot] == generation)
		forget(chat, slot);
}
