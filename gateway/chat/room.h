/*
 * room - a room that has members here: its log, its members' cursors, its head.
 *
 * A room exists while it has members. Its log holds consecutive sequences, the newest
 * of which is the head, in each form that a member reads it in; where the log does not
 * reach back to, members *catch up* from the store (catchup.h). A room that got something
 * is *dirty* until all its members were told, a slice of them in each turn of the loop:
 * they are gone round in a circle, so that what comes in between reaches each of them the
 * next time it is passed. Logs take memory when
 * the first message comes and grow only while a member is behind; when all logs together
 * reach their limit, logs that everybody has read give theirs back, the longest
 * unused first. A quarter of the limit is for logs that begin, so that slow readers
 * elsewhere cannot keep a room from having one.
 */
#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "gateway/chat/crowd.h"
#include "gateway/chat/room_log.h"
#include "gateway/message.h"

struct catchup;
struct page;
struct session;

#define NOWHERE UINT64_MAX /* as a position: not in the log */

/* How a member gets its frames: as they are, or compressed where that is shorter. */
enum form {
	FORM_plain,
	FORM_deflated,
	FORM_COUNT
};

/* A room's log in one form. It holds something only while a member reads it; then it is
 * without holes up to the room's head. */
struct tail {
	struct room *room;
	enum form form;
	uint32_t n_readers;
	struct room_log log;
	uint64_t safe; /* no reader's cursor is before this position of the log */
	uint64_t pin;  /* the log keeps what is behind it: a read is under way; or NOWHERE
			*/
	uint64_t turn_from;       /* while dirty: where it began to grow in this circle */
	struct tail *prev, *next; /* while the log has memory */
};

/* The room's side of a membership; the session's is struct membership. */
struct member {
	struct session *session;
	struct catchup *catchup;  /* NULL: reads the log only */
	struct log_cursor cursor; /* at NOWHERE: the log is not reached yet */
	uint32_t place : 29;      /* among the session's */
	uint32_t form : 1;        /* enum form */
	uint32_t news : 1;    /* that one is in the session's list of those with news */
	uint32_t entered : 1; /* it counts among the room's crowd */
};

struct room {
	uint64_t head; /* newest sequence that members are told of */
	struct tail plain, *tails[FORM_COUNT]; /* NULL: nobody ever read that one */
	struct member *members;
	uint32_t n_members, members_size, n_catching;
	uint32_t n_untold; /* members that are to be told; dirty: there are some */
	uint32_t tell_at;  /* the one before this place is told next */
	bool dirty;
	bool based; /* the head is known, and not only that it is there at least */
	bool held;  /* is not freed with its last member */
	bool wants; /* in the list of those for which something is to be read */
	bool looks; /* its head is to be compared with the store's */
	uint8_t name_len;
	struct crowd crowd;
	uint64_t crowd_told_ms; /* when members were last told of it */
	uint64_t crowd_told;    /* how many members they were told of */
	bool crowd_waits;       /* in a list of those with something to tell or to cast */
	bool crowd_late;        /* in that of those which are looked at in a tick */
	bool ask_due, roster_due; /* other workers are to be asked; to be told all */
	bool cast, count_cast;    /* they know of users here; of a number only */
	struct room *crowd_prev, *crowd_next; /* while it waits */
	struct room **read; /* where a read that is under way has it; else NULL */
	struct page *pages; /* what was read for it */
	struct room *dirty_prev, *dirty_next; /* while dirty */
	struct delivery *deliveries;          /* under way; see latency.h */
	uint64_t n_told;                      /* how often a member was told */
	struct room *want_prev, *want_next;   /* while it wants */
	UT_hash_handle hh;
	char name[];
};

/* All rooms of a worker. */
struct rooms {
	struct room *by_name;
	struct room *dirty;                /* who is told next first */
	struct room *want;                 /* in the order in which they came to want */
	struct tail *logs;                 /* last appended to last */
	struct page *pages;                /* oldest first */
	struct room *crowds, *late_crowds; /* with something to tell or to cast */
	struct room *farewells; /* emptied rooms that others know of; by crowd_next */
	uint64_t n_members, log_bytes, page_bytes;
	uint64_t n_wanted; /* members that ever waited for a page */
	uint64_t n_deliveries, n_untold;
	uint64_t log_max, logs_max, rooms_max, pages_max; /* limits */
};

static inline struct text room_name(const struct room *room)
{
	return (struct text){ room->name, room->name_len };
}

struct room *rooms_find(const struct rooms *rooms, struct text name);

/* A new room without members, whose head is not known. -ENOBUFS: there are rooms_max.
 * -ENOMEM. */
int rooms_add(struct rooms *rooms, struct text name, struct room **ret_room);

/* Frees a room without members, unless it is held. */
void rooms_remove(struct rooms *rooms, struct room *room);

/* While something is done to all members, any of which may leave by it. */
void room_hold(struct room *room);
void room_unhold(struct rooms *rooms, struct room *room);

/* Something is to be read for the room; while something is, that is found out after. */
void rooms_want(struct rooms *rooms, struct room *room);
void rooms_unwant(struct rooms *rooms, struct room *room);

/* The log that the member reads. */
static inline struct room_log *room_log_of(const struct room *room,
					   const struct member *member)
{
	return &room->tails[member->form]->log;
}

/* The oldest sequence in the log of that form; head + 1: it is empty. */
static inline uint64_t room_first(const struct room *room, enum form form)
{
	const struct tail *tail = room->tails[form];

	return room->head + 1 - (tail ? room_log_count(&tail->log) : 0);
}

/* The sequence that follows for a member whose cursor is in its log. */
static inline uint64_t room_seq_at(const struct room *room, const struct member *member)
{
	return room->head + 1 -
	       (uint32_t)(room_log_of(room, member)->n_head - member->cursor.n);
}

/* Puts the member's cursor before `seq`, which is in its log or the next to come. */
void room_seek(struct room *room, struct member *member, uint64_t seq);

/* There is something to tell or to cast of its crowd. */
void room_crowd_changed(struct rooms *rooms, struct room *room);
void room_crowd_done(struct rooms *rooms, struct room *room);

/* Not now: at the next tick. */
void room_crowd_later(struct rooms *rooms, struct room *room);
void rooms_crowds_due(struct rooms *rooms);

/* Adds a member at the head of the log of that form; its place, or -ENOMEM. */
int room_add_member(struct rooms *rooms, struct room *room, struct session *session,
		    enum form form);

/* Removes a member. The last one moves to `place`; returns it, or NULL if there is
 * none to move. */
struct member *room_remove_member(struct rooms *rooms, struct room *room, uint32_t place);

/* ---- room_tails.c ---- */

/*
 * Makes room for a frame in a log, by growing it as long as a member would lose
 * something else. 0: nobody loses. -ENOBUFS: it fits, but members who are behind
 * lose. -ENOMEM: there is no place for it.
 */
int room_reserve(struct rooms *rooms, struct tail *tail, size_t len);

/* Appends a frame that room_reserve found place for; all members are to be told. */
void room_append(struct rooms *rooms, struct tail *tail, const uint8_t *frame,
		 size_t len);

/* All members are to be told that there is something for them. */
void room_tell(struct rooms *rooms, struct room *room);

/* The member that is told now; NULL: none is to be told, and the room is clean. */
struct member *room_next_untold(struct rooms *rooms, struct room *room);

/* So many of its members are to be told. */
void room_set_untold(struct rooms *rooms, struct room *room, uint32_t n);

/* Behind all others that are dirty. */
void room_tell_later(struct rooms *rooms, struct room *room);

/* Empties a log, or all of a room; cursors in it are worthless. */
void room_clear_tail(struct rooms *rooms, struct tail *tail);
void room_clear_logs(struct rooms *rooms, struct room *room);

/* No longer dirty. */
void room_clean(struct rooms *rooms, struct room *room);

#endif
