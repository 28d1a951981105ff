/*
 * postgres_session - what makes a new connection fit for the store: its settings, the
 * schema, the prepared statements.
 *
 * A writer makes and migrates the schema, alone under an advisory lock, however many
 * begin at once. A reader waits for the version that it knows, by failing: the link
 * tries again.
 */
#ifndef POSTGRES_SESSION_H
#define POSTGRES_SESSION_H

#include "gateway/store/postgres_link.h"

struct pgsession {
	struct pglink *link;
	bool writer;
	uint64_t deadline_ms;
	void (*ready)(void *app);
	void *app;
	/* Its own. */
	struct pgcall call;
	char why[200]; /* of what this connection cannot be used for; "" so far */
	int64_t version;
};

/* On each new connection. Ends with ready(), or with the link's lost(). */
void pgsession_begin(struct pgsession *session);

#endif
