/*
 * server - a small HTTP/1.1 server on libuv that cannot be kept from answering.
 *
 * Caps and deadlines on everything: connections (beyond the cap the longest idle
 * one is closed), the time of a request, silence, requests per connection, bytes of
 * head and body, bytes waiting for a slow reader. One spare descriptor is kept so
 * that running out of them sheds a connection instead of spinning on accept.
 *
 * An answer may be the beginning of a *stream*, which goes on with every server_stream
 * until one of both closes. Streams have a cap of their own and take nothing from that of
 * connections; they are closed before a request is where descriptors run out. Of a
 * stream at most one piece waits for its reader: meanwhile the reader is passed over,
 * and dropped when it takes longer than a request may.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdint.h>
#include <uv.h>

#include "common/http.h"
#include "common/why.h"

struct server;

struct server_limits {
	unsigned connections_max, streams_max; /* apart from each other */
	uint64_t request_timeout_ms, idle_timeout_ms, requests_max;
	size_t head_max, body_max;
};

/* Filled by the handler; what it points to is lent until the handler is called again.
 * The whole head must fit 2048 bytes. */
struct server_answer {
	struct http_answer head; /* body_len, close and keep_alive are the server's */
	const char *body;
	size_t body_len;
	unsigned stream; /* not 0: the body is how a stream of this kind begins */
};

/* Answers one whole request, at once. The answer comes zeroed. HEAD is answered like GET:
 * the server leaves the body out. Must not close the server. */
typedef void server_handler(void *app, const struct http_request *request,
			    struct server_answer *ret_answer);

struct server_counts {        /* healthd's own metrics */
	uint64_t connections; /* open now, without streams */
	uint64_t accepted;
	uint64_t shed;     /* closed to make room for another */
	uint64_t requests; /* answered by the handler */
	uint64_t timeouts; /* requests and readers too slow; silence does not count */
	uint64_t refused;  /* requests that were no good: 400, 413 and the like */
	uint64_t streams;  /* open now */
	uint64_t streams_opened, streams_refused; /* refused: beyond the cap */
	uint64_t streams_dropped;                 /* their readers were too slow */
};

/* Listens on `address` (see settings_address) and answers until server_close. The limits
 * are copied. */
int server_open(uv_loop_t *loop, const char *address, const struct server_limits *limits,
		server_handler *handler, void *app, struct server **ret_server,
		struct why *why);

/* The port bound; useful when it was 0. */
unsigned server_port(const struct server *server);
const struct server_counts *server_counts(const struct server *server);

/* How many streams of a kind could be sent to now. */
unsigned server_streams(const struct server *server, unsigned kind);

/* Sends a piece to all streams of a kind but those whose reader is behind. Not from a
 * handler. */
void server_stream(struct server *server, unsigned kind, const char *text, size_t len);

/* Stops accepting and closes all; memory goes when the loop has run the closes. NULL is
 * accepted. */
void server_close(struct server *server);

#endif
