/*
 * read - what rooms ask of the store: their head, and pages for those who are behind.
 *
 * One read at a time per room, a bounded number in all; rooms take turns in the order in
 * which they came to want one. Any answer serves all members that it can: who waits to
 * be let in is, and each page goes to all who need it. A store that is away lets nobody
 * in that needs it; who is in and catching up waits until it is back.
 */
#ifndef READ_H
#define READ_H

#include "gateway/chat/inside.h"

/* One that is under way. */
struct read {
	struct chat *chat;        /* NULL: gone */
	struct room *room;        /* NULL: gone */
	struct read *prev, *next; /* in chat->reads */
	bool looks;               /* was to compare the head */
};

/* Begins what rooms want, as far as may be. After it more may have to be sent. */
void reads_start(struct chat *chat);

/* Reads that failed may be tried again. */
void reads_resume(struct chat *chat);

/* The chat ends: nothing that is answered from now on reaches it. */
void reads_forget(struct chat *chat);

/*
 * The room's head is `head` now, further on than its log: members get what is in between
 * from the store. The room must be held.
 */
void room_jump(struct chat *chat, struct room *room, uint64_t head);

#endif
