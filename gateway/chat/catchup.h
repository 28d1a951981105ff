/*
 * catchup - members whose next message the room's log does not hold: they get it from
 * pages that are read from the store.
 *
 * A page is a run of ready-made frames, made once and shared by all members who need
 * that stretch. Nobody owns it: pages are few (rooms->pages_max bytes in all), the oldest
 * goes when another needs its place, and whoever was reading it waits for it to be read
 * again. So a reader that stands still costs no memory. A page is asked for only by a
 * member whose socket has room for it.
 *
 * A member whose page ends where the log begins has its cursor there at once, so that
 * the log keeps what follows; behind the page it reads the log like all others.
 */
#ifndef CATCHUP_H
#define CATCHUP_H

#include <stdbool.h>

#include "gateway/chat/room.h"
#include "gateway/wire/codec.h"

enum {
	PAGE_MESSAGES = 256,
	PAGE_BYTES = 262144, /* of bodies, as a rule */
};

struct page {
	struct room *room;
	struct page *prev, *next;           /* in rooms->pages */
	struct page *room_prev, *room_next; /* in room->pages */
	uint64_t from, to;                  /* sequences */
	size_t len;
	uint8_t bytes[];
};

/* What a member has while it is not live. */
struct catchup {
	uint64_t next;       /* the sequence it gets next */
	struct page *page;   /* which has it; NULL: none yet */
	size_t offset;       /* of it in there */
	uint64_t order;      /* who waits longest has the least */
	bool waits;          /* for a page with `next`, or to be let in */
	bool joining;        /* not let in: `joined` was not answered */
	struct number since; /* of its join */
	struct ref ref;
};

/* The member is behind the log and gets `next` next, from the store. -ENOMEM. */
int catchup_begin(struct room *room, struct member *member, uint64_t next);

/* It reads the log only, or is about to leave. One that is not behind is accepted. */
void catchup_end(struct room *room, struct member *member);

/* It waits: the room wants a read. */
void catchup_wait(struct rooms *rooms, struct room *room, struct member *member);

/* To the log, or to a page that is there, or waits for one. */
void catchup_move(struct rooms *rooms, struct room *room, struct member *member);

/* The next run of its page: as room_log_run. */
size_t catchup_run(struct room *room, struct member *member, size_t max,
		   const uint8_t **ret_data, uint64_t *n_frames);

/* A page that begins with sequence `from`, with place for `size` bytes of frames, which
 * are appended in order; then page_keep takes it: it is the room's, and older ones go if
 * they must. NULL when out of memory. */
struct page *page_new(uint64_t from, size_t size);
void page_append(struct page *page, const uint8_t *frame, size_t len);
struct page *page_keep(struct rooms *rooms, struct room *room, struct page *page);

/* The member, whose next message is in the page, reads it. */
void page_enter(struct room *room, struct member *member, struct page *page);
bool page_has(const struct page *page, uint64_t seq);

/* All of a room. */
void pages_release(struct rooms *rooms, struct room *room);

/* Those of rooms where nobody catches up. */
void pages_release_idle(struct rooms *rooms);

#endif
