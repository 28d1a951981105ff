/*
 * history - what was said in a room, read from the store for one client.
 *
 * One at a time per client, and a bounded number and size of them in all. The answer is
 * one frame that is kept beside the outbox, whose limit is for small things, and goes out
 * after it.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "gateway/chat/inside.h"

void do_history(struct session *session, const struct request *request);

/* Begins what clients wait for, as far as may be. */
void histories_start(struct chat *chat);

/* The answer, if it is there: taken from the session, and lent as chat_next does. */
size_t history_next(struct session *session, const uint8_t **ret_data);
bool history_has_next(const struct session *session);

/* The session wants it no more; none is accepted. */
void history_drop(struct session *session);

/* The chat ends: nothing that is answered from now on reaches it. */
void histories_forget(struct chat *chat);

#endif
