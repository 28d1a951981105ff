/*
 * link - one client connection: HTTP first, RFC 6455 after the upgrade, then closing.
 *
 * Internal to the transport. A link is in exactly one list of its transport, by
 * state, and link_move is the only function that changes it: the published gauges
 * are the lengths of those lists.
 *
 *   handshaking  speaks HTTP: pages, refusals, the handshake
 *   open         the chat knows it
 *   canary       the same, of healthd's canary: counted apart, and not bounded with the
 *                others, so that also a full gateway can be tried
 *   closing      says goodbye: unsent bytes leave, the peer's end is awaited
 */
#ifndef LINK_H
#define LINK_H

#include "gateway/transport/address.h"
#include "gateway/transport/gate.h"
#include "gateway/transport/socket.h"
#include "gateway/transport/transport.h"
#include "gateway/transport/wheel.h"
#include "gateway/wire/deflate.h"
#include "gateway/wire/frame.h"

#define LINK_MAGIC 0x11c9a3e5u

enum link_state {
	LINK_HANDSHAKING,
	LINK_OPEN,
	LINK_CANARY,
	LINK_CLOSING,
	LINK_STATE_COUNT
};

enum {
	CANARIES_MAX = 4 /* at a time: so many can be hidden among them, not more */
};

struct http_side;

struct link {
	uint32_t magic;
	uint8_t state;
	bool doomed : 1; /* link_close was called; acted on at the end of the turn */
	bool ping_unanswered : 1;
	bool ends_when_sent : 1; /* finish writing once nothing is behind */
	bool upgraded : 1;       /* what it sends are frames */
	bool slow : 1;           /* open, and its socket takes no more */
	bool heard : 1;          /* something came */
	uint16_t close_code;     /* of link_close */
	uint16_t pong_len;
	uint32_t quiet_ms; /* the loop's clock when it was last heard, or pinged; wraps */
	struct transport *transport;
	struct socket *socket;
	struct link *prev, *next; /* in the list of its state */
	union {
		struct wheel_timer timer;
		struct { /* while doomed: until the end of the turn it is not timed */
			struct link *doomed_prev, *doomed_next;
			const char *close_reason; /* static */
		};
	};
	int64_t ends_ms; /* wall clock: its token's end; 0: never */
	struct frame_reader reader;
	struct address *address;
	union {
		struct http_side *http; /* until it is upgraded; NULL: has ended */
		void *conn;             /* then the chat's object while open, else NULL */
	};
	uint8_t *pong; /* newest unanswered ping of a peer that is behind */
};

struct transport {
	struct transport_limits limits;
	struct transport_events events;
	transport_total *total;
	struct segment_slot *slot;
	uv_loop_t *loop;
	struct socket_layer *sockets;
	struct wheel wheel;
	uv_timer_t tick, drain_tick;
	struct link *links[LINK_STATE_COUNT];
	unsigned n_links[LINK_STATE_COUNT];
	struct link *doomed;
	struct http_side *answered; /* requests, in this turn */
	struct addresses addresses;
	struct gate gate;
	struct inflater *inflater; /* of all links; NULL: nobody may compress */
	uint64_t started_ms;
	uint64_t drain_from_ms, drain_spread_ms;
	unsigned n_slow;
	unsigned drain_links; /* open when draining began */
	bool refusing, tracks_addresses;
};

/* ---- link.c: states, frames, closing ---- */

static inline bool link_is_open(const struct link *link)
{
	return link->state == LINK_OPEN || link->state == LINK_CANARY;
}

/* Into the list of `state`; LINK_STATE_COUNT takes it out of all. */
void link_move(struct link *link, enum link_state state);

/* The HTTP side is stopped. Sends the answer to the upgrade together with what the chat
 * says first: from now on frames. */
void link_open(struct link *link, const struct handshake *handshake, const char *answer,
	       size_t answer_len);

/* Reads frames from bytes; also while closing, for the peer's Close. */
void link_read_frames(struct link *link, uint8_t *data, size_t len);

/* Acts on link_close. */
void link_close_now(struct link *link);

/* Goes to closing: no more is written; ends when what is behind has left. */
void link_finish(struct link *link);

void link_set_timer(struct link *link, uint64_t after_ms);
void link_on_timer(struct link *link);
void link_on_writeable(struct link *link);

/* The socket is gone: tells the chat, frees what the link holds. */
void link_on_closed(struct link *link);

/* ---- link_inflate.c ---- */

/* Puts what it says in the place of a message that is compressed; or a breach. */
void link_inflate(struct link *link, struct frame_in *in);

/* ---- link_http.c: before the upgrade ---- */

/* -ENOMEM. */
int http_side_start(struct link *link);
void http_side_stop(struct link *link);
void http_side_received(struct link *link, uint8_t *data, size_t len);
void http_side_resume(struct link *link);
void http_side_timeout(struct link *link);

/* The first of those that the app has answered reads on. */
void http_side_answered(struct transport *transport);
/* Whether the app is to answer. */
bool http_side_waits(const struct link *link);

/* ---- link_refuse.c ---- */

struct link_refusal {
	int status;
	const char *why; /* static, without quotes */
	const char *allow;
	unsigned retry_after_s; /* 0: of 429 and 503 1, else none */
	bool head;              /* HEAD was asked for: no body */
	bool close;             /* ends the connection behind it */
};

/* Answers with an error in JSON. */
void link_refuse(struct link *link, const struct link_refusal *refusal);

enum counter link_refused(int status);

/* ---- link_page.c ---- */

/* Answers a GET or HEAD with the page, or with 304 to who has it already; `close` ends
 * the connection behind it. */
void page_serve(struct link *link, const struct page *page,
		const struct http_request *request, bool close);

/* ---- transport.c ---- */

/* 0, or the status with which a good handshake is refused, 429 or 503, and after how many
 * seconds to come again. */
int transport_admit(struct transport *transport, struct link *link, bool canary,
		    unsigned *ret_retry_s);
void transport_record(struct transport *transport, enum segment_event_kind kind,
		      uint64_t a, uint64_t b);
/* Lets go of the link's address. */
void transport_forget(struct link *link);

#endif
