/*
 * session - one connected client: its answers, its rooms, and which of them have news.
 *
 * A room with news is in the session's list from chat_flush until its cursor has
 * reached the head, so that a client in many rooms asks only those. The link is asked
 * to send once; then not again until it has come for the bytes.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/chat/outbox.h"
#include "gateway/grants.h"
#include "gateway/message.h"

struct chat;
struct history;
struct link;
struct pace;
struct pending;
struct room;

#define NO_PLACE UINT32_MAX

/* The session's side of a membership; the room's is struct member. */
struct membership {
	struct room *room;
	uint32_t place; /* in room->members */
	uint32_t next;  /* in the list of memberships with news */
};

/* One with a user's name of 10 bytes is a chunk of 128: what is large or rare lies
 * elsewhere. */
struct session {
	uint32_t magic;
	uint32_t n_memberships;
	struct chat *chat;
	struct link *link;
	struct grants *grants; /* shared with all who may do the same; NULL: everything */
	union {
		struct membership one; /* while there is one at most */
		struct membership *many;
	};
	struct outbox outbox;
	struct session *ask_prev, *ask_next;
	struct pending *pending; /* sends that wait for their sequence */
	struct pace *pace;       /* what it may say; NULL: buckets are full */
	struct history *history; /* what it asked for and has not got yet */
	uint32_t former; /* dead process that had its link, as `was` names it; 0: none */
	uint32_t news_first, news_last; /* places of memberships; NO_PLACE: none */
	bool closing : 1; /* the link was told to close: in no room, answered no more */
	bool asked : 1;   /* the link was asked to send and has not come yet */
	bool canary : 1;  /* healthd's: its room is the canary's and no other */
	bool to_ask : 1;  /* in the chat's list of those to ask */
	uint8_t form : 1; /* enum form: how it gets what is said in rooms */
	uint8_t resumed : 2; /* enum resumed; of one with a former link */
	uint8_t user_len;
	char user[];
};

#define SESSION_MAGIC 0x5e551047u

/* NULL when out of memory. `user` is copied; takes `grants`, also when it fails. */
struct session *session_new(struct chat *chat, struct link *link, const char *user,
			    struct grants *grants);

/* It must be in no room, in no list and have nothing pending. */
void session_free(struct session *session);

static inline struct text session_user(const struct session *session)
{
	return (struct text){ session->user, session->user_len };
}

static inline const struct membership *session_membership(const struct session *session,
							  uint32_t place)
{
	return session->n_memberships > 1 ? &session->many[place] : &session->one;
}

/* Adds a membership; its place, or -ENOMEM. */
int session_add_room(struct session *session, struct room *room, uint32_t room_place);

/* The session has another place in the room of that membership. */
void session_set_room_place(struct session *session, uint32_t place, uint32_t room_place);

/* Removes a membership, also from the list of those with news. The last one moves to
 * `place`; true: there was one to move. */
bool session_remove_room(struct session *session, uint32_t place);

/* The membership that is not in it gets to the end of the list of those with news. */
void session_push_news(struct session *session, uint32_t place);

/* The first of the list, taken from it; NO_PLACE: none. */
uint32_t session_pop_news(struct session *session);

#endif
