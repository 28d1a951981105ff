/*
 * join - into a room and out of it.
 *
 * A room's head must be known before somebody can be let in, and what a client missed
 * since it was last there may have to be read: then the join waits. Who waits is a
 * member already, so that the room exists and nothing of it is missed, and what it sends
 * to the room is held until it is in: all that a client does after its join happens
 * after it.
 */
#ifndef JOIN_H
#define JOIN_H

#include "gateway/chat/inside.h"

void do_join(struct session *session, const struct request *request);
void do_leave(struct session *session, const struct request *request);

/* Whether the member waits to be let in. */
bool join_waits(const struct member *member);

/* The store has said how things are: all who wait are let in. `first`: the oldest
 * sequence that it keeps. The room must be held. */
void joins_let_in(struct chat *chat, struct room *room, uint64_t first);

/* Of a room that the session resumed something cannot be had any more. */
void join_was_trimmed(struct session *session);

/* The store cannot be asked: all who wait are told so, and are not in the room. The room
 * must be held. */
void joins_fail(struct chat *chat, struct room *room);

#endif
