/*
 * postgres_commit - one batch at a time into the database.
 *
 * One round trip when all rooms are known and nothing is a repeat: `fast`. A repeat
 * violates the unique index, all is rolled back, and the batch goes the slow way. Rooms
 * that are not known are made first. Deadlocks and the like are tried again, all within
 * one deadline.
 */
#ifndef POSTGRES_COMMIT_H
#define POSTGRES_COMMIT_H

#include "gateway/store/postgres_array.h"
#include "gateway/store/postgres_link.h"
#include "gateway/store/postgres_rooms.h"
#include "gateway/store/store.h"

enum {
	PGCOMMIT_ARRAYS = 7
};

/* All zero to begin with, but for the first two. */
struct pgcommit {
	struct pglink *link;
	uint64_t deadline_ms;
	struct pgrooms rooms;
	/* Its own. */
	struct pgcall call;
	struct pgarray arrays[PGCOMMIT_ARRAYS];
	struct pgroom *room_of[STORE_BATCH_MAX]; /* of each message */
	uint32_t k[STORE_BATCH_MAX];             /* its number in it, from 1 */
	struct pgroom *places[STORE_BATCH_MAX];  /* the rooms, each once */
	unsigned n_places;
	uint64_t batch; /* counts them */
	bool slowly;
	unsigned n_answered; /* rows that made sense */
	unsigned n_again;
	uint64_t due_ms;
	struct store_send *sends; /* of the batch under way; lent */
	unsigned n;               /* 0: none is */
	store_commit_done *done;
	void *app;
};

/* As store_commit(), while the link is up; `now_ms` is the loop's. */
int pgcommit_begin(struct pgcommit *commit, struct store_send *sends, unsigned n,
		   uint64_t now_ms, store_commit_done *done, void *app);

/* Whether one is under way. */
bool pgcommit_busy(const struct pgcommit *commit);

void pgcommit_release(struct pgcommit *commit);

#endif
