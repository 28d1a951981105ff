/*
 * postgres_lookup - the addresses of a URL's hosts, looked up before libpq would do so,
 * which blocks.
 *
 * As libpq, it takes all addresses of all hosts, in their order; hosts without an address
 * are left out. What names its addresses itself (`hostaddr`), a socket's folder or a
 * service is left to libpq.
 */
#ifndef POSTGRES_LOOKUP_H
#define POSTGRES_LOOKUP_H

#include "gateway/store/postgres_pq.h"

struct uv_loop_s;
struct pglookup;

/* From the loop: where to connect to, lent; NULL, and why there is nothing. */
typedef void pglookup_done(void *app, const struct pq_places *places, const char *why);

/* 1: it was begun, *ret_lookup lives until `done` or pglookup_forget(); 0: there is
 * nothing to look up; -ENOMEM. */
int pglookup_begin(struct uv_loop_s *loop, const char *url, pglookup_done *done,
		   void *app, struct pglookup **ret_lookup);

/* Nobody wants to know any more. NULL is accepted. */
void pglookup_forget(struct pglookup *lookup);

#endif
