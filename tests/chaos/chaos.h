/*
 * chaos - the delivery checker: hundreds of clients that come and go, and a ledger of
 * what each was told, held against what the gateway promises.
 *
 * The *ledger* has for each room what every sequence is: whoever tells first enters it,
 * and all others must agree. A *seat* is a client's place in a room: it knows which
 * sequence must come next. A *send* is one message of a client, for ever: what it was
 * acknowledged as, and what it was seen as. Anything that does not fit is a violation,
 * printed in words with its evidence.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/chaos/rng.h"
#include "tests/tools/load.h"

enum {
	SEATS_MAX = 8,
	BODY_MAX = 4000,
	NOBODY = UINT32_MAX,
};

/* ---- the ledger ---- */

/* What a sequence of a room is. */
struct entry {
	uint32_t client, number; /* whose send it is; NOBODY: not heard of yet */
	uint64_t at_ms;
	bool resumed, paged; /* seen at the end by join since 0, and by history */
};

struct room {
	char name[48];
	struct entry *entries; /* of sequence 1 and on */
	uint64_t n_entries, size;
	uint64_t head; /* newest sequence that anybody was told of */
};

/* ---- clients ---- */

enum send_state {
	SEND_WAITING, /* to be sent once its seat is in */
	SEND_UNDER_WAY,
	SEND_ACKED,
	SEND_ABANDONED, /* its outcome will never be asked for */
};

struct send {
	enum send_state state;
	uint8_t seat;
	bool said;
	bool again; /* it was said more than once: its place among others is open */
	uint64_t seq, at_ms; /* as acknowledged; 0 */
	uint64_t seen;       /* the sequence it was delivered as; 0 */
};

enum seat_state {
	SEAT_OUT,
	SEAT_JOINING,
	SEAT_IN,
	SEAT_LEAVING,
	SEAT_OUTSIDE, /* left, and to stay so for a while */
};

struct seat {
	enum seat_state state;
	uint32_t room;
	bool has_last, with_since; /* with_since: the join under way has one */
	uint64_t last;             /* newest sequence it had, all before it too */
	uint64_t since;            /* of the join under way, or of the last one */
	uint64_t next;             /* must come next */
	uint64_t retry_ms;         /* after a refused join */
	bool asked;                /* a history is under way */
	uint64_t after, before, limit;
};

enum mood {
	MOOD_WELL,
	MOOD_SLOW, /* reads a few bytes now and then */
	MOOD_DEAF, /* half-open: neither reads nor sends, until it is cut off */
};

struct client {
	struct load_link link; /* first */
	struct chaos *chaos;
	uint32_t number;        /* its user is u<number> */
	bool reader;            /* reads everything at the end, and does nothing else */
	struct rng steps, ways; /* what it does; how it comes back */
	enum mood mood;
	uint64_t mood_ms, step_ms, dial_ms, retry_ms, since_ms; /* times */
	unsigned backoff_ms, retry_after_ms, n_seats;
	struct seat seats[SEATS_MAX];
	struct send *sends;
	uint32_t n_sends, size, settled; /* settled: all before are acked or abandoned */
	uint64_t read_to;                /* reader: so far history was read */
};

struct counts {
	uint64_t sent, acked, repeats, deliveries, resumes, cuts, lost, refused, errors;
	uint64_t histories, slow, abandoned, closed_slow, violations;
};

struct chaos {
	struct load load;
	uint64_t seed;
	unsigned n_clients, n_rooms, n_seats, seconds, settle_seconds, step_ms;
	bool trims;     /* old messages may be gone */
	bool first;     /* ends at the first violation */
	bool quiet_end; /* no more steps */
	bool calm;      /* none for now, and all are to be where they belong */
	bool calm_told;
	struct room *rooms;
	struct client *clients; /* n_clients, then a reader per room */
	struct counts counts;
	uint64_t now_ms, start_ms;
};

/* ---- ledger.c ---- */

/* Tells a violation, and counts it. */
void chaos_violation(struct chaos *chaos, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The room of this name; NULL when it is none of ours. */
struct room *ledger_room(struct chaos *chaos, const char *name);
/*
 * A message object that `client` was told (`how`: "message" or "history"): entered, or
 * held against what is known. Returns its sequence; 0 when it makes no sense.
 */
uint64_t ledger_heard(struct client *client, struct room *room, const json_t *message,
		      const char *how);
/* A send was acknowledged. */
void ledger_acked(struct client *client, uint32_t number, uint64_t seq, uint64_t at_ms);
/* At the end: everything acknowledged is there, once, in order, and nothing else. */
void ledger_close(struct chaos *chaos);

/* ---- sends.c ---- */

/* Makes a new one in this seat, to be sent by sends_flush. */
void sends_add(struct client *client, unsigned seat);
/* Sends what waits and whose seat is in, in order. */
void sends_flush(struct client *client);
/* Sends an acknowledged one once more; `which` is any number. */
void sends_repeat(struct client *client, uint64_t which);
/* The link is gone: what is unanswered waits again, or is abandoned. */
void sends_unanswered(struct client *client);
/* Not acknowledged and not abandoned. */
unsigned sends_open(const struct client *client);
/* The body of a message; `text` has BODY_MAX + 1 bytes. */
void sends_body(const struct chaos *chaos, uint32_t client, uint32_t number, char *text);
void sends_sent(struct client *client, const json_t *answer);
void sends_refused(struct client *client, uint32_t number, const char *code);

/* ---- seats.c ---- */

void seat_join(struct client *client, struct seat *seat, bool with_since, uint64_t since);
void seat_leave(struct client *client, struct seat *seat);
/* One of after and before is 0; both: from the beginning. */
void seat_history(struct client *client, struct seat *seat, uint64_t after,
		  uint64_t before, uint64_t limit);
void seat_joined(struct client *client, const json_t *answer);
void seat_left(struct client *client, const json_t *answer);
void seat_message(struct client *client, const json_t *message);
void seat_told_history(struct client *client, const json_t *answer);
/* The room of an answer, if the client has a seat in it. */
struct seat *seat_of(struct client *client, const json_t *answer);

/* ---- client.c ---- */

extern const struct load_events client_events;
void client_say(struct client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool client_open(const struct client *client);

/* ---- schedule.c ---- */

void schedule_init(struct client *client);
/* What is due: dialling, joining, repeating, and the next step. */
void schedule_tick(struct client *client);
void schedule_opened(struct client *client);
void schedule_ended(struct client *client, enum load_end end);
/* Nobody is to do anything that is not asked for. */
static inline bool chaos_quiet(const struct chaos *chaos)
{
	return chaos->quiet_end || chaos->calm;
}

/* Nothing is left to be done or heard. */
bool schedule_settled(const struct client *client);
/* Tells what is left. */
void schedule_unsettled(struct client *client);

#endif
