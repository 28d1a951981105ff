#include "gateway/chat/member.h"

#include <errno.h>

#include "common/check.h"
#include "gateway/chat/catchup.h"
#include "gateway/chat/inside.h"

/* Looks on the side that has fewer. */
uint32_t member_find(const struct session *session, const struct room *room)
{
	if (session->n_memberships <= room->n_members) {
		for (uint32_t i = 0; i < session->n_memberships; i++)
			if (session_membership(session, i)->room == room)
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
	int room_place = room_add_member(rooms, room, session, session->form);
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
	return room_place;
}

int member_enter(struct rooms *rooms, struct room *room, struct member *member)
{
	int r = crowd_enter(&room->crowd, session_user(member->session));

	if (r < 0)
		return r;
	member->entered = 1;
	room->ask_due |= room->crowd.n_here == 1 && !room->cast;
	room_crowd_changed(rooms, room);
	return 0;
}

static void exit_crowd(struct rooms *rooms, struct room *room,
		       const struct member *member)
{
	if (!member->entered)
		return;
	crowd_leave(&room->crowd, session_user(member->session));
	room_crowd_changed(rooms, room);
}

void member_leave(struct rooms *rooms, struct session *session, uint32_t place)
{
	struct membership leaves = *session_membership(session, place);
	struct member *member;

	exit_crowd(rooms, leaves.room, member_at(session, place));
	if (session_remove_room(session, place))
		member_at(session, place)->place = place;
	member = room_remove_member(rooms, leaves.room, leaves.place);
	if (member) {
		session_set_room_place(member->session, member->place, leaves.place);
		if (leaves.room->dirty)
			member_tell(member); /* its new place may have been passed */
	}
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

void member_tell(struct member *member)
{
	struct session *session = member->session;

	if (!member->catchup &&
	    member->cursor.at !=
		    room_log_of(session_membership(session, member->place)->room, member)
			    ->head)
		member_has_news(member);
	if (session->news_first != NO_PLACE || outbox_len(&session->outbox))
		session_will_ask(session);
}

bool member_has_more(const struct room *room, const struct member *member)
{
	if (member->catchup)
		return !member->catchup->waits;
	return member->cursor.at != room_log_of(room, member)->head;
}

static size_t next_of(struct rooms *rooms, struct room *room, struct member *member,
		      size_t max, const uint8_t **ret_data, uint64_t *n_frames)
{
	uint32_t n_before;
	size_t run;

	if (member->catchup && !member->catchup->page)
		catchup_move(rooms, room, member);
	if (member->catchup)
		return member->catchup->page
			       ? catchup_run(room, member, max, ret_data, n_frames)
			       : 0;
	n_before = member->cursor.n;
	run = room_log_run(room_log_of(room, member), &member->cursor, max, ret_data);
	*n_frames += member->cursor.n - n_before;
	return run;
}

size_t member_next(struct rooms *rooms, struct session *session, size_t max,
		   const uint8_t **ret_data, uint64_t *n_frames)
{
	uint32_t place;
	size_t run = 0;

	while (!run && (place = session_pop_news(session)) != NO_PLACE) {
		struct room *room = session_membership(session, place)->room;
		struct member *member = member_at(session, place);

		CHECK(member->session == session && member->news);
		run = next_of(rooms, room, member, max, ret_data, n_frames);
		if (member_has_more(room, member))
			session_push_news(session, place);
		else
			member->news = 0;
	}
	return run;
}
