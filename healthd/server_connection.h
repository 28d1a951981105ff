/*
 * server_connection - one client of the server; for server.c and its own file only.
 *
 * A connection is always in exactly one list of its server, that of its state. Each list
 * is ordered by time: its first is who will be late next, and who is shed first.
 * Connections answer one request in a turn of the loop, so that a client who sends many
 * at once does not hold up the others; what is read but not yet parsed waits in `input`,
 * and nothing is read meanwhile.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "common/http.h"
#include "healthd/server.h"

/* In the order in which they are shed, but for streams: see server_shed. */
#define CONNECTION_STATES(X)                                                   \
	X(lingering) /* answered for the last time, until the client closes */ \
	X(idle)      /* no byte of a request is in */                          \
	X(request)   /* a request is on its way */                             \
	X(queued)    /* the next request is in, and has its turn next time */  \
	X(writing)   /* an answer waits for a slow reader */                   \
	X(streaming) /* a stream, all of which is sent so far */               \
	X(stalled)   /* a stream, a piece of which waits for a slow reader */  \
	X(closed)    /* memory goes with the next turn of the loop */

enum connection_state {
#define X(name) CONNECTION_##name,
	CONNECTION_STATES(X)
#undef X
	CONNECTION_STATE_COUNT
};

struct connection {
	unsigned magic;
	enum connection_state state;
	struct server *server;
	TAILQ_ENTRY(connection) link;
	uint64_t deadline_ms;
	uint64_t n_requests;
	struct http_parser *parser;
	char *input; /* read, not parsed; NULL if nothing */
	size_t input_at, input_len;
	char *output;    /* being written, while `writing` or `stalled` */
	bool is_last;    /* no request after what is being written */
	unsigned stream; /* its kind; 0: none */
	size_t n_drained;
	uv_write_t write;
	uv_tcp_t tcp;
};

TAILQ_HEAD(connection_list, connection);

enum {
	SERVER_READ_SIZE = 16384
};

struct server {
	unsigned magic;
	uv_loop_t *loop;
	struct server_limits limits;
	server_handler *handler;
	void *app;
	struct server_counts counts;
	struct connection_list lists[CONNECTION_STATE_COUNT];
	unsigned n_queued;    /* length of that list */
	uint64_t n_closed;    /* and of this */
	unsigned n_handles;   /* open or closing, connections included */
	unsigned accepts_max; /* in one turn of the loop */
	int fd;
	int spare_fd; /* /dev/null, for when descriptors run out; -1 while lent */
	unsigned port;
	bool is_closing;
	bool is_paused;              /* accepts nothing until the timer says so */
	bool was_late;               /* the timer, last time */
	uint64_t timer_at_ms;        /* when the timer is set for */
	uv_poll_t poll;              /* of the listening socket */
	uv_timer_t timer;            /* the one for all deadlines */
	uv_idle_t turn;              /* runs while connections are queued */
	char read[SERVER_READ_SIZE]; /* for all connections, one at a time */
};

/* Takes the descriptor; closes it when it fails. */
int connection_open(struct server *server, int fd);

/* Answers the next request of a queued connection. */
void connection_resume(struct connection *connection);

/* Its deadline has passed. */
void connection_expire(struct connection *connection);

/* Makes it a stream, if there may be one more: what is sent next is how it begins. */
bool connection_begin_stream(struct connection *connection, unsigned kind);

/* Goes on with a stream, all of which is sent so far: of what comes nothing matters but
 * the end. */
void connection_listen(struct connection *connection);

/* Sends a piece of a stream; its state is `streaming`. */
void connection_stream(struct connection *connection, const char *text, size_t len);

/* Closes at once, and gives the descriptor back at once. */
void connection_close(struct connection *connection);

/* Puts a connection behind the others of a state and starts that state's time. */
void server_move(struct connection *connection, enum connection_state state);

/* Closes who can best be spared: answered for good, else silent the longest, else a
 * stream, where that is any help, else the oldest of those with a request. False if there
 * is nobody. */
bool server_shed(struct server *server, bool with_streams);

/* A descriptor has become free, and who was to be served with it has been. */
void server_refill_spare(struct server *server);

/* One handle less; the last one frees a closing server. */
void server_unref(struct server *server);

#endif
