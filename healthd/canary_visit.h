/*
 * canary_visit - one connection of the canary: from connecting to its message coming
 * back.
 *
 * A client on the loop, bounded in time and bytes, whatever the other side does. Embedded
 * in its owner; used again once `done` was called.
 */
#ifndef CANARY_VISIT_H
#define CANARY_VISIT_H

#include <uv.h>

#include "healthd/canary_tls.h"
#include "healthd/canary_wire.h"
#include "healthd/findings.h"

enum visit_end {
	VISIT_passed,
	VISIT_failed,   /* at `stage`, for `why` */
	VISIT_known,    /* the worker is one of those not to be tried again */
	VISIT_no_token, /* one is asked for, and there is none */
	VISIT_tls,      /* it may be TLS that is spoken there: it is not plain HTTP */
	VISIT_untried,  /* for want of something of our own: `why` */
};

struct visit_result {
	enum visit_end end;
	enum canary_stage stage;
	bool answered; /* in HTTP */
	int worker;    /* -1: not known */
	uint64_t sent_us, delivered_us;
	char why[96];
};

struct visit_wish {
	struct sockaddr_storage address;
	const char *host; /* of the header; lent, as the others, until done */
	const char *instance, *room;
	const char *token_file; /* "" for none */
	bool tls;               /* speak it */
	uint64_t timeout_ms;
	uint64_t known; /* bits of workers whom to leave again */
};

typedef void visit_done(void *app, const struct visit_result *result);

struct visit {
	struct visit_wish wish;
	struct visit_result result;
	visit_done *done;
	void *app;
	uv_tcp_t tcp;
	uv_timer_t deadline;
	uv_connect_t connect;
	unsigned n_open; /* handles that are not closed yet */
	bool ending, has_token, is_sent, is_delivered;
	uint64_t sent_ns; /* when the message was sent */
	char id[CANARY_ID_SIZE];
	struct canary_reader reader;
	struct canary_tls *tls; /* NULL: plain */
	bool is_secret;         /* its handshake is done */
	size_t n_ciphered;
	uint8_t ciphered[CANARY_ITEM_MAX];
};

/* Answers by done(), later, always. 0, or a negative errno without. */
int visit_start(struct visit *visit, uv_loop_t *loop, const struct visit_wish *wish,
		visit_done *done, void *app);

/* Ends it early, as failed; done() follows. */
void visit_stop(struct visit *visit);

#endif
