/*
 * returns - names of sessions, and who comes back to us from a dead process.
 *
 * A name is 16 random digits, and 16 that tell the process that gave it and prove that it
 * was one of this gateway's. A client that comes again shows the name that it had
 * (`was`); where that process is dead, its link is counted as one that came back. The
 * proof keeps names of another life of the gateway out. It is no secret: nothing but a
 * statistic rests on it.
 */
#ifndef RETURNS_H
#define RETURNS_H

#include "gateway/chat/chat.h"
#include "gateway/worker/wiring.h"

/* -EIO: no randomness. */
int returns_name(struct worker *worker, char ret_name[SESSION_NAME_MAX + 1]);

/* The process that gave this name, if it was another one of this gateway's and is dead;
 * else 0. */
uint64_t returns_from(struct worker *worker, const char *was);

/* A session of ours came from there. */
void returns_count(struct worker *worker, uint64_t generation);

/* For struct chat_io. */
void returns_resumed(void *app, uint64_t generation, enum resumed how, int n);

#endif
