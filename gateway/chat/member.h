/*
 * member - a session in a room: the two sides of a membership, kept in step.
 *
 * session_membership(i) and room->members[j] name each other by place; only the
 * verbs here change both.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/chat/room.h"
#include "gateway/chat/session.h"

/* The place of the room among the session's; NO_PLACE: not a member. */
uint32_t member_find(const struct session *session, const struct room *room);

static inline struct member *member_at(const struct session *session, uint32_t place)
{
	const struct membership *membership = session_membership(session, place);

	return &membership->room->members[membership->place];
}

/* Makes the session a member whose cursor is at the head; its place in room->members, or
 * -ENOMEM. */
int member_join(struct rooms *rooms, struct session *session, struct room *room);

/* It is in the room for others to see. -ENOMEM. */
int member_enter(struct rooms *rooms, struct room *room, struct member *member);

/* Ends a membership; a room without members is freed with it, unless it is held. */
void member_leave(struct rooms *rooms, struct session *session, uint32_t place);
void member_leave_all(struct rooms *rooms, struct session *session);

/* Whether something of the room is there for this member to take, or to be asked for. */
bool member_has_more(const struct room *room, const struct member *member);

/* The room has news for this member: into its session's list, unless it is there. */
void member_has_news(struct member *member);

/* Its session is among those whose links are to be asked, if it has something to take. */
void member_tell(struct member *member);

/* The next run of bytes of all rooms with news, in turn; as room_log_run. Adds the
 * number of frames to *n_frames. Who needs a page for it waits for that. */
size_t member_next(struct rooms *rooms, struct session *session, size_t max,
		   const uint8_t **ret_data, uint64_t *n_frames);

#endif
