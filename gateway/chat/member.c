#include "gateway/chat/member.h"

#include <errno.h>

#include "common/check.h"

static struct member *member_of(const struct membership *membership)
{
	return &membership->room->members[membership->place];
}

/* Looks on the side that has fewer. */
uint32_t member_find(const struct session *session, const struct room *room)
{
	if (session->n_memberships <= room->n_members) {
		for (uint32_t i = 0; i < session->n_memberships; i++)
			if (session->memberships[i].room == room)
				return i;
	} else {
		for (uint32_t i = 0; i < room->n_members; i++)
			if (room->members[i].session == session)
				return room->members[i].place;
	}
	return NO_PLACE;
}

int member_join(struct rooms *rooms, struct session *session, struct room *room)
{
	int room_place = room_add_member(rooms, room, session);
	int place;

	if (room_place < 0)
		return room_place;
	place = session_add_room(session, room, (uint32_t)room_place);
	if (place < 0) {
		(void)room_remove_member(rooms, room,
					 (uint32_t)room_place); /* the last */
		return place;
	}
	room->members[room_place].place = (uint32_t)place;
	return 0;
}

void member_leave(struct rooms *rooms, struct session *session, uint32_t place)
{
	struct membership leaves = session->memberships[place];
	struct membership *membership;
	struct member *member;

	membership = session_remove_room(session, place);
	if (membership)
		member_of(membership)->place = place;
	member = room_remove_member(rooms, leaves.room, leaves.place);
	if (member)
		member->session->memberships[member->place].place = leaves.place;
	if (leaves.room->n_members == 0)
		rooms_remove(rooms, leaves.room);
}

void member_leave_all(struct rooms *rooms, struct session *session)
{
	while (session->n_memberships)
		member_leave(rooms, session, session->n_memberships - 1);
}

void member_has_news(struct member *member)
{
	if (member->news)
		return;
	member->news = 1;
	session_push_news(member->session, member->place);
}

size_t member_next(struct session *session, size_t max, const uint8_t **ret_data,
		   uint64_t *n_frames)
{
	uint32_t place = session_pop_news(session);
	const struct room *room;
	struct member *member;
	uint32_t n_before;
	size_t run;

	if (place == NO_PLACE)
		return 0;
	room = session->memberships[place].room;
	member = member_of(&session->memberships[place]);
	CHECK(member->session == session && member->news);
	n_before = member->cursor.n;
	run = room_log_run(&room->log, &member->cursor, max, ret_data);
	*n_frames += member->cursor.n - n_before;
	if (member->cursor.at == room->log.head)
		member->news = 0;
	else
		session_push_news(session, place);
	return run;
}
