/*
 * postgres_read - pages of rooms: a bounded number under way, the rest in a queue.
 */
#ifndef POSTGRES_READ_H
#define POSTGRES_READ_H

#include "gateway/store/postgres_link.h"
#include "gateway/store/store.h"

enum {
	PGREADS_UNDER_WAY_MAX = 32
};

struct pgread;

/* All zero to begin with, but for the first two. */
struct pgreads {
	struct pglink *link;
	uint64_t deadline_ms;
	struct pgread *queue; /* not sent yet, oldest first */
	unsigned n_under_way;
};

/* As store_read(), while the link is up; `now_ms` is the loop's. */
int pgreads_begin(struct pgreads *reads, const struct store_query *query, uint64_t now_ms,
		  store_read_done *done, void *app);

/* The link is lost: answers what is queued; what is under way is answered by the link. */
void pgreads_lost(struct pgreads *reads);

#endif
