/*
 * send - what a client says: handed over, held while its join waits, answered.
 */
#ifndef SEND_H
#define SEND_H

#include "gateway/chat/inside.h"

void do_send(struct session *session, const struct request *request);

/* Hands a send over; if that fails, its sender is told and the send is gone. */
void pending_submit(struct chat *chat, struct pending *pending);

/* Tells the sender why its send is gone. */
void pending_fail(struct chat *chat, struct pending *pending, enum wire_error error,
		  const char *text);

/* The session was let into the room: hands over what it said meanwhile, in order. */
void pending_release(struct session *session, struct text room);

/* It was not: what it said is answered with this. */
void pending_drop(struct session *session, struct text room, enum wire_error error,
		  const char *text);

#endif
