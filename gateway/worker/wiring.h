/*
 * wiring - a worker's parts and how they reach each other: transport, chat, bus, store.
 *
 * Internal to the worker. Chat knows none of the others: what it asks for goes through
 * the functions in wiring.c, what it is told comes from hearing.c.
 */
#ifndef WIRING_H
#define WIRING_H

#include "gateway/auth/api_keys.h"
#include "gateway/auth/auth.h"
#include "gateway/bus/records.h"
#include "gateway/chat/chat.h"
#include "gateway/process.h"
#include "gateway/store/store.h"
#include "gateway/tls/tls.h"
#include "gateway/transport/transport.h"
#include "gateway/worker/acceptor.h"
#include "gateway/worker/worker.h"

struct api;

struct worker {
	const struct inherited *inherited;
	const struct settings *settings;
	uv_loop_t loop;
	struct process process;
	struct segment *segment;
	struct segment_slot *slot;
	struct bus *bus;
	struct bus_reader sequenced; /* the sequencer's ring */
	uint64_t epoch;              /* last heard from the sequencer; see records.h */
	struct auth *auth;           /* NULL in open mode */
	struct tls *tls;             /* NULL: clients speak plainly */
	struct api_keys *api_keys;   /* NULL: there is no API */
	struct store *store;
	struct chat *chat;
	struct api *api; /* NULL: no keys for it, so there is none */
	struct transport *transport;
	struct acceptor *acceptor;
	uv_timer_t leave, store_late;
	uint64_t leave_at_ms;
	uint64_t peers[SEGMENT_SLOTS_MAX]; /* generation of who lives there; 0: nobody */
	uint64_t beats;                    /* seen by chat */
	uint64_t randoms[32];              /* n of them are for sessions to come */
	unsigned n_randoms;
	char canary_key[33];
	bool wrote; /* since the sequencer was woken last */
	bool looping, serving, draining;
};

/* The sequencer's slot and end of the bus; those before it are workers'. */
static inline unsigned worker_sequencer(const struct worker *worker)
{
	return worker->inherited->n_slots - 1;
}

/* Accepts clients from now on, and says so; the first time only. */
void worker_serve(struct worker *worker);

/* Opens bus, chat, store and transport; what was opened is closed by wiring_stop in any
 * case. */
int wiring_start(struct worker *worker, struct why *why);

/* One turn's news from the bus to the chat, and from chat to sockets and bus. True: there
 * is more for sockets. */
bool wiring_turn(struct worker *worker);

/* At each beat and wake: tells chat whose life is over, and that time passes. */
void wiring_look(struct worker *worker);

/* Closes the store and every link; wiring_free follows when the loop has run out of
 * handles. */
void wiring_stop(struct worker *worker);
void wiring_free(struct worker *worker);

/* Takes an accepted socket; `app` is the worker. */
void wiring_accepted(void *app, int fd, const uint8_t address[16]);

#endif
