/*
 * presence - who came and went: told to members, and to the other workers.
 *
 * A small room is told of each change in the turn in which it happens, a large one of all
 * changes once an interval, and one that is larger than presence_members_max of how many
 * there are, without names. Other workers are told at the same times, by casts. A worker
 * that has its first user in a room asks the others for theirs; whenever casts may have
 * been lost, all that is known is cast and asked for again.
 */
#ifndef PRESENCE_H
#define PRESENCE_H

#include "gateway/chat/inside.h"
#include "gateway/chat/rate.h"

void do_who(struct session *session, const struct request *request);
void do_typing(struct session *session, const struct request *request);

/* Tells what is due. */
void presence_turn(struct chat *chat);

/* At each beat: what waited for it is due, and as much may be cast again. */
void presence_tick(struct chat *chat);

/* Casts may have been lost: on their way from here, or also to here. */
void presence_again(struct chat *chat, bool asks);

/* The chat ends. */
void presence_stop(struct chat *chat);

/* ---- presence_cast.c ---- */

/* Whether more may be cast before the next beat. It is asked before the first cast of a
 * kind or a room; what has begun goes out whole, or it would never, if it is larger than
 * all that may. */
bool cast_may(const struct chat *chat);

/* Casts what was made in chat->cast. False: not now. */
bool cast_send(struct chat *chat);

/* Tells other workers of emptied rooms, and asks for what is not known of others. False:
 * not now; nothing may be cast before. */
bool casts_begin(struct chat *chat);

/* Tells them what changed in the room's crowd. False: not now. */
bool cast_crowd(struct chat *chat, struct room *room);

/* Tells them that somebody types; or not, when there is too much to tell. */
void cast_typing(struct chat *chat, const struct room *room, struct text user,
		 bool active);

/* To all members who keep up but those of this user: dropped for who does not. `len`: of
 * the event that was written. */
void say_to_others(struct chat *chat, struct room *room, int len, struct text user);

/* Somebody of another worker or of this one types. */
void tell_typing(struct chat *chat, struct room *room, struct text user, bool active);

#endif
