/*
 * room - a room that has members here: its log, its members' cursors, its head.
 *
 * A room exists while it has members. Rooms that got something in this turn are
 * *dirty* until chat_flush has told their members. Logs take memory when the first
 * message comes and grow only while a member is behind; when all logs together
 * reach their limit, logs that everybody has read give theirs back, the longest
 * unused first. A quarter of the limit is for logs that begin, so that slow readers
 * elsewhere cannot keep a room from having one.
 */
#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "gateway/chat/room_log.h"
#include "gateway/message.h"

struct session;

/* The room's side of a membership; the session's is struct membership. */
struct member {
	struct session *session;
	struct log_cursor cursor;
	uint32_t place : 31; /* in session->memberships */
	uint32_t news : 1;   /* that one is in the session's list of those with news */
};

struct room {
	uint64_t head; /* newest sequence that members are told of */
	struct room_log log;
	uint64_t safe; /* no member's cursor is before this position of the log */
	struct member *members;
	uint32_t n_members, members_size;
	bool dirty;
	uint8_t name_len;
	struct room *dirty_prev, *dirty_next; /* while dirty */
	struct room *log_prev, *log_next;     /* while the log has memory */
	UT_hash_handle hh;
	char name[];
};

/* All rooms of a worker. */
struct rooms {
	struct room *by_name;
	struct room *dirty;
	struct room *logs; /* last appended to last */
	uint64_t n_members, log_bytes;
	uint64_t log_max, logs_max, rooms_max; /* limits */
};

static inline struct text room_name(const struct room *room)
{
	return (struct text){ room->name, room->name_len };
}

struct room *rooms_find(const struct rooms *rooms, struct text name);

/* A new room without members. -ENOBUFS: there are rooms_max. -ENOMEM. */
int rooms_add(struct rooms *rooms, struct text name, uint64_t head,
	      struct room **ret_room);

/* Frees a room without members; NULL is accepted. */
void rooms_remove(struct rooms *rooms, struct room *room);

/* Adds a member at the head of the log; its place, or -ENOMEM. */
int room_add_member(struct rooms *rooms, struct room *room, struct session *session);

/* Removes a member. The last one moves to `place`; returns it, or NULL if there is
 * none to move. */
struct member *room_remove_member(struct rooms *rooms, struct room *room, uint32_t place);

/*
 * Makes room for a frame in the log, by growing it as long as a member would lose
 * something else. 0: nobody loses. -ENOBUFS: it fits, but members who are behind
 * lose. -ENOMEM: there is no place for it.
 */
int room_reserve(struct rooms *rooms, struct room *room, size_t len);

/* Appends a frame that room_reserve found place for; the room is dirty then. */
void room_append(struct rooms *rooms, struct room *room, const uint8_t *frame,
		 size_t len);

/* No longer dirty. */
void room_clean(struct rooms *rooms, struct room *room);

#endif
