/*
 * transport - client connections as the chat sees them.
 *
 * From accepted sockets to three events: opened, message, closed, each with its own
 * function. Below lie the layers socket (libwebsockets) -> link (HTTP, handshake,
 * RFC 6455, pings, closing). Nothing above this header knows which library there is.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/segment_writer.h"
#include "gateway/page.h"
#include "gateway/wire/handshake.h"

struct tls;
struct transport;
struct link; /* one connection; owned by the transport */

struct transport_events {
	void *app;
	/* A handshake that is good but for its token, which is to be judged. 0: user,
	 * grants and ends_ms are filled in, and opened() follows at once; or the status
	 * to refuse with. NULL unless the rules ask for tokens. */
	int (*authorize)(void *app, struct handshake *handshake);
	/* The page that browsers get for a path; NULL when there is none. May be NULL. */
	const struct page *(*page)(void *app, const char *path);
	/* A whole request for a path below /api/, lent for the call. Returns the object
	 * that request_gone would carry; the app answers with link_answer, in the call or
	 * later, and until then nothing more is read of the link. NULL: there are none
	 * such. */
	void *(*request)(void *app, struct link *link,
			 const struct http_request *request);
	/* There is nobody left to answer; do not touch the link again. */
	void (*request_gone)(void *app, void *request);
	/* The upgrade is done. Returns the object that later events carry, or NULL to
	 * hang up. Exactly one closed() follows every non-NULL opened(). The grants are
	 * the app's from here on. */
	void *(*opened)(void *app, struct link *link, const struct handshake *handshake);
	/* A whole text message, put together from its fragments. */
	void (*message)(void *conn, const char *data, size_t len);
	/* The socket has room: the next run of whole frames, at most about `max` bytes;
	 * 0 for none. Lent until the next call. */
	size_t (*next)(void *conn, size_t max, const uint8_t **ret_data);
	/* The link is closing or gone; do not touch it again. */
	void (*closed)(void *conn);
};

struct transport_limits {
	struct handshake_rules rules;
	struct tls *tls;          /* that links speak, borrowed; NULL: none */
	uint64_t connections_max; /* of the whole gateway */
	uint64_t per_address_max; /* of this worker */
	/* Of this worker, in a second; 0: no limit. */
	uint64_t handshakes_per_s, handshakes_per_address;
	uint64_t handshake_timeout_ms, http_idle_timeout_ms, close_timeout_ms;
	uint64_t answer_timeout_ms; /* that a request waits for the app; then 503 */
	uint64_t ping_interval_ms, ping_timeout_ms;
	uint64_t message_max, head_max, body_max;
};

/* Asks how many connections the whole gateway has now; may be a moment old. */
typedef uint64_t transport_total(void *app);

int transport_new(uv_loop_t *loop, const struct transport_limits *limits,
		  const struct transport_events *events, transport_total *total,
		  struct segment_slot *slot, struct transport **ret_transport,
		  struct why *why);

/* Closes every link at once, closed() being called for each that was opened, and its
 * handles. Run the loop until they are gone, then transport_free. */
void transport_close(struct transport *transport);
void transport_free(struct transport *transport);

/* Takes an accepted, non-blocking socket and its peer's address (network order,
 * IPv4 mapped into IPv6). */
void transport_adopt(struct transport *transport, int fd, const uint8_t address[16]);

/* Handshakes are answered 503 from now on; those who are in stay. */
void transport_refuse(struct transport *transport);

/* Closes all links evenly over spread_ms with close code 1001. */
void transport_drain(struct transport *transport, uint64_t spread_ms);

/* The end of a turn of the loop: acts on every link_close and link_answer. */
void transport_turn(struct transport *transport);

/* Calls visit(app, conn) for every open link. */
void transport_each(struct transport *transport, void (*visit)(void *app, void *conn),
		    void *app);

/* Links of any state. */
unsigned transport_links(const struct transport *transport);

/* The link has something to send: asks next() now, or when the socket has room. */
void link_wants_to_send(struct link *link);

/* Close with this code and reason (static text) after what is being done now;
 * closed() follows later. */
void link_close(struct link *link, uint16_t code, const char *reason);

/* Answers the request that the link waits with, whose body has answer->body_len bytes;
 * whether the connection goes on is not the app's to say. Once for each request, unless
 * request_gone came first. */
void link_answer(struct link *link, const struct http_answer *answer, const char *body);

#endif
