/*
 * postgres_trim - takes away what is no longer kept, in small steps between batches.
 *
 * Goes round all rooms by their ids. A step looks at some rooms, or takes away a bounded
 * number of messages of those that have too many; after a round it rests for ten times
 * as long as that took, a second at least. A round begins with the room that has a bound
 * of its own; where all others are kept for ever that is all, once a minute.
 */
#ifndef POSTGRES_TRIM_H
#define POSTGRES_TRIM_H

#include "gateway/store/postgres_array.h"
#include "gateway/store/postgres_link.h"

enum {
	PGTRIM_LOOK_ROOMS = 256, /* looked at in one step */
	PGTRIM_ROOMS = 16,       /* trimmed in one step */
	PGTRIM_MESSAGES = 1024,  /* in all of these */
};

/* All zero to begin with, but for what stands before its own. */
struct pgtrim {
	struct pglink *link;
	uint64_t retain_ms, retain_count; /* 0: for ever */
	const char *short_room;           /* see struct store_options */
	uint64_t short_count;
	/* Its own. */
	struct pgcall call;
	struct pgarray ids;
	bool is_under_way, is_round_over;
	bool is_short;             /* what is due is the room with a bound of its own */
	bool is_short_done;        /* in this round */
	uint64_t round_ms;         /* when the round began; 0: there was none */
	int64_t after;             /* the id up to which it has come */
	int64_t due[PGTRIM_ROOMS]; /* of those that it looked at */
	unsigned n_due, n_seen;
	int64_t last_seen;
};

/* While the link is up: does a step, if none is under way. Returns after how many
 * milliseconds it wants the next. `now_ms` is the loop's. */
uint64_t pgtrim_step(struct pgtrim *trim, uint64_t now_ms);

void pgtrim_release(struct pgtrim *trim);

#endif
