/*
 * postgres_pq - libpq, and the one file that knows it: one connection in pipeline mode.
 *
 * It never waits and knows no loop: postgres_link watches its descriptor. What libpq and
 * the server say is translated here into negative errnos (postgres_words.h) and one line.
 */
#ifndef POSTGRES_PQ_H
#define POSTGRES_PQ_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/message.h"

struct pq;
struct pgrows; /* what one statement answered */

/* A parameter in PostgreSQL's binary form. */
struct pgvalue {
	const void *at; /* NULL: null */
	int len;
};

enum {
	PQ_VALUES_MAX = 8
};

bool pq_url_is_good(const char *url);

/* Lists with commas, as libpq has them: what stands at one place in them belongs
 * together. */
struct pq_places {
	char hosts[2048], ports[1024], addresses[2048];
	unsigned n;
};

/* The hosts and ports that the URL (or the environment) names, without addresses. False:
 * it names addresses, or nothing, or a service; or more than has room. */
bool pq_places_of(const char *url, struct pq_places *ret_places);

/* Begins to connect, to `places` if they are given; else to what the URL says, and looks
 * that up, which may block. `timeout_ms`: what is sent and not acknowledged for so long
 * breaks a TCP connection, unless the URL says otherwise. Returns new, NULL without
 * memory. */
struct pq *pq_new(const char *url, const struct pq_places *places, uint64_t timeout_ms);
void pq_free(struct pq *pq);

enum pq_wants {
	PQ_WANTS_reading,
	PQ_WANTS_writing,
	PQ_WANTS_nothing, /* it is connected */
	PQ_WANTS_burial,  /* it failed; pq_why() */
};

/* Goes on connecting, when the descriptor is as it wanted; writable at first. */
enum pq_wants pq_step(struct pq *pq);

/* May be another one, or another one with the same number, after each step. */
int pq_fd(const struct pq *pq);

/* A statement: by its text, or by the name it was prepared under (the other is NULL).
 * -EIO: the connection is of no use any more. */
int pq_send(struct pq *pq, const char *name, const char *sql,
	    const struct pgvalue *values, int n);
int pq_prepare(struct pq *pq, const char *name, const char *sql);

/* What was sent since the last one is one transaction. -EIO. */
int pq_sync(struct pq *pq);

/* 0: all is written; 1: wait until it is writable, and read meanwhile; -EIO. */
int pq_flush(struct pq *pq);

/* Takes what has come. False: the connection is over; what came before can be heard. */
bool pq_receive(struct pq *pq);

enum pq_heard {
	PQ_HEARD_nothing, /* as yet */
	PQ_HEARD_rows,
	PQ_HEARD_error,
	PQ_HEARD_next, /* that was all of this statement */
	PQ_HEARD_end,  /* and that of the transaction */
	PQ_HEARD_over, /* the connection is */
};

/* The next thing that was received: *ret_rows until pq_heard(); *ret_error why not. Only
 * while an answer is due. */
enum pq_heard pq_hear(struct pq *pq, const struct pgrows **ret_rows, int *ret_error);
void pq_heard(const struct pgrows *rows);

/* Why the connection is over; what the server said of the last error. Until the next
 * call. */
const char *pq_why(struct pq *pq);
const char *pq_said(const struct pq *pq);

/* ---- rows ---- */

unsigned pgrows_n(const struct pgrows *rows);
bool pgrows_null(const struct pgrows *rows, unsigned row, unsigned column);
/* Of bigint; 0 if it is null or something else. */
int64_t pgrows_int(const struct pgrows *rows, unsigned row, unsigned column);
/* Wall clock in ms, of timestamptz. */
int64_t pgrows_ms(const struct pgrows *rows, unsigned row, unsigned column);
bool pgrows_bool(const struct pgrows *rows, unsigned row, unsigned column);
struct text pgrows_text(const struct pgrows *rows, unsigned row, unsigned column);

#endif
