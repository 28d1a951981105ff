#include "healthd/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/settings.h"
#include "healthd/server_connection.h"

enum {
	SERVER_MAGIC = 0x53455256,
	BACKLOG = 4096,
	ACCEPTS_MAX = 32,
	LINGER_MS = 1000,
	PAUSE_MS = 100, /* without accepting, when there is no descriptor at all */
	LATE_MS = 500,  /* a timer later than this: the process did not run */
	STREAM_MS = 3600 * 1000, /* then who still listens comes again */
	NO_FD = -1
};

static struct server *server_of(void *data)
{
	struct server *server = data;

	CHECK_OBJ(server, SERVER_MAGIC);
	return server;
}

/* ---- deadlines ----------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);
static void on_turn(uv_idle_t *turn);
static int listen_again(struct server *server);

/* Sets the timer unless it comes early enough. */
static void wake_at(struct server *server, uint64_t at_ms)
{
	uint64_t now_ms = uv_now(server->loop);

	if (at_ms >= server->timer_at_ms)
		return;
	server->timer_at_ms = at_ms;
	/* Cannot fail with a callback and a handle that is not closing. */
	(void)uv_timer_start(&server->timer, on_timer,
			     at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static uint64_t timeout_ms(const struct server *server, enum connection_state state)
{
	switch (state) {
	case CONNECTION_idle: return server->limits.idle_timeout_ms;
	case CONNECTION_lingering: return LINGER_MS;
	case CONNECTION_streaming: return STREAM_MS;
	default: return server->limits.request_timeout_ms;
	}
}

/* What a connection counts as; the counts of the closed are nobody's. */
static uint64_t *gauge_of(struct server *server, enum connection_state state)
{
	switch (state) {
	case CONNECTION_closed: return &server->n_closed;
	case CONNECTION_streaming:
	case CONNECTION_stalled: return &server->counts.streams;
	default: return &server->counts.connections;
	}
}

void server_move(struct connection *connection, enum connection_state state)
{
	struct server *server = connection->server;

	server->n_queued -= connection->state == CONNECTION_queued;
	server->n_queued += state == CONNECTION_queued;
	--*gauge_of(server, connection->state);
	++*gauge_of(server, state);
	TAILQ_REMOVE(&server->lists[connection->state], connection, link);
	TAILQ_INSERT_TAIL(&server->lists[state], connection, link);
	connection->state = state;
	if (state == CONNECTION_closed)
		return;
	if (state == CONNECTION_queued)
		(void)uv_idle_start(&server->turn, on_turn); /* cannot fail */
	connection->deadline_ms = uv_now(server->loop) + timeout_ms(server, state);
	wake_at(server, connection->deadline_ms);
}

/* Within a list deadlines grow, since all of a state have the same time. */
static void expire(struct server *server, enum connection_state state)
{
	struct connection *first;

	while ((first = TAILQ_FIRST(&server->lists[state])) &&
	       first->deadline_ms <= uv_now(server->loop))
		connection_expire(first);
	if (first)
		wake_at(server, first->deadline_ms);
}

/* When the process did not run for a while, what clients sent meanwhile is still unread:
 * it is read first, once, and only then are they called late. */
static void on_timer(uv_timer_t *timer)
{
	struct server *server = server_of(timer->data);
	const uint64_t now_ms = uv_now(server->loop);
	const bool is_late = now_ms > server->timer_at_ms + LATE_MS;

	server->timer_at_ms = UINT64_MAX;
	if (is_late && !server->was_late) {
		server->was_late = true;
		wake_at(server, now_ms + PAUSE_MS);
		return;
	}
	server->was_late = false;
	if (server->is_paused) {
		server->is_paused = false;
		(void)listen_again(server); /* as it did before */
	}
	for (unsigned state = 0; state < CONNECTION_closed; state++)
		expire(server, (enum connection_state)state);
}

/* Each queued connection has one turn, those that queue up meanwhile the next time. */
static void on_turn(uv_idle_t *turn)
{
	struct server *server = server_of(turn->data);
	unsigned n = server->n_queued;

	for (; n > 0 && server->n_queued > 0; n--)
		connection_resume(TAILQ_FIRST(&server->lists[CONNECTION_queued]));
	if (server->n_queued == 0)
		(void)uv_idle_stop(turn); /* cannot fail */
}

/* ---- accepting ----------------------------------------------------------------- */

void server_refill_spare(struct server *server)
{
	if (server->spare_fd == NO_FD && !server->is_closing)
		server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int accept_one(struct server *server)
{
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Makes a descriptor free: another connection's, which is the better to lose, or the
 * spare one. */
static int accept_in_need(struct server *server)
{
	if (!server_shed(server, true)) {
		if (server->spare_fd == NO_FD)
			return -EMFILE;
		(void)close(server->spare_fd); /* /dev/null */
		server->spare_fd = NO_FD;
	}
	return accept_one(server);
}

static bool is_out_of_descriptors(int rc)
{
	return rc == -EMFILE || rc == -ENFILE;
}

/* What is wrong would be told again at once, and for ever. */
static void pause_accepting(struct server *server)
{
	(void)uv_poll_stop(&server->poll); /* cannot fail */
	server->is_paused = true;
	wake_at(server, uv_now(server->loop) + PAUSE_MS);
}

/* A few in each turn of the loop: were all who wait taken at once, those whose request is
 * on its way would be shed for those behind them. */
static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct server *server = server_of(poll->data);

	for (unsigned i = 0; i < server->accepts_max; i++) {
		int fd = accept_one(server);

		/* The kernel says so even when nobody waits; only before the first
		 * is it known that somebody does. */
		if (is_out_of_descriptors(fd) && i > 0)
			return;
		if (is_out_of_descriptors(fd))
			fd = accept_in_need(server);
		if (fd == -EAGAIN)
			return;
		if (fd == -ECONNABORTED || fd == -EINTR)
			continue; /* that client has gone already */
		if (fd < 0) {
			pause_accepting(server);
			return;
		}
		server->counts.accepted++;
		if (server->counts.connections >= server->limits.connections_max)
			(void)server_shed(server, false); /* there is one to shed */
		(void)connection_open(server, fd); /* else the client sees a close */
	}
}

static int listen_again(struct server *server)
{
	return uv_poll_start(&server->poll, UV_READABLE, on_acceptable);
}

/* ---- opening and closing ------------------------------------------------------- */

static int bind_and_listen(struct server *server, const struct sockaddr *address,
			   socklen_t len)
{
	const int yes = 1;
	struct sockaddr_in6 bound = { 0 };
	socklen_t bound_len = sizeof bound;

	server->fd = socket(address->sa_family,
			    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->fd < 0)
		return -errno;
	/* A restart must not wait for old connections to be forgotten. */
	if (setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
	    bind(server->fd, address, len) < 0 || listen(server->fd, BACKLOG) < 0 ||
	    getsockname(server->fd, (struct sockaddr *)&bound, &bound_len) < 0)
		return -errno;
	server->port = ntohs(bound.sin6_port); /* where IPv4 has it, too */
	return 0;
}

static int listen_on(struct server *server, const char *text, struct why *why)
{
	char host[64];
	uint16_t port;
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	int rc = settings_address(text, host, sizeof host, &port);

	if (rc < 0)
		return why_set(why, rc, "%s is no address of the form host:port", text);
	ipv4.sin_port = ipv6.sin6_port = htons(port);
	if (inet_pton(AF_INET, host, &ipv4.sin_addr) == 1)
		rc = bind_and_listen(server, (struct sockaddr *)&ipv4, sizeof ipv4);
	else if (inet_pton(AF_INET6, host, &ipv6.sin6_addr) == 1)
		rc = bind_and_listen(server, (struct sockaddr *)&ipv6, sizeof ipv6);
	else
		return why_set(why, -EINVAL, "%s is no numeric address", text);
	if (rc < 0)
		return why_set(why, rc, "cannot listen on %s: %s", text, strerror(-rc));
	return 0;
}

/* Gives back what is no handle. */
static void server_free(struct server *server)
{
	if (server->fd != NO_FD)
		(void)close(server->fd); /* accepts no more */
	if (server->spare_fd != NO_FD)
		(void)close(server->spare_fd); /* /dev/null */
	server->magic = 0;
	free(server);
}

void server_unref(struct server *server)
{
	CHECK_OBJ(server, SERVER_MAGIC);
	if (--server->n_handles == 0)
		server_free(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
	server_unref(server_of(handle->data));
}

/* The one step that can fail comes first: then there is no handle to close. */
static int start_handles(struct server *server)
{
	int rc = uv_poll_init(server->loop, &server->poll, server->fd);

	if (rc < 0)
		return rc;
	/* These cannot fail. */
	(void)uv_timer_init(server->loop, &server->timer);
	(void)uv_idle_init(server->loop, &server->turn);
	server->poll.data = server->timer.data = server->turn.data = server;
	server->n_handles = 3;
	(void)listen_again(server);
	return 0;
}

int server_open(uv_loop_t *loop, const char *address, const struct server_limits *limits,
		server_handler *handler, void *app, struct server **ret_server,
		struct why *why)
{
	struct server *server = calloc(1, sizeof *server);
	int rc;

	if (!server)
		return why_set(why, -ENOMEM, "no memory for a server");
	CHECK(limits->connections_max > 0);
	server->magic = SERVER_MAGIC;
	server->loop = loop;
	server->limits = *limits;
	server->handler = handler;
	server->app = app;
	server->accepts_max = 1 + limits->connections_max / 8;
	if (server->accepts_max > ACCEPTS_MAX)
		server->accepts_max = ACCEPTS_MAX;
	server->timer_at_ms = UINT64_MAX;
	server->fd = server->spare_fd = NO_FD;
	for (unsigned state = 0; state < CONNECTION_STATE_COUNT; state++)
		TAILQ_INIT(&server->lists[state]);

	rc = listen_on(server, address, why);
	if (rc < 0)
		goto out;
	rc = start_handles(server);
	if (rc < 0) {
		why_set(why, rc, "cannot watch the socket of %s: %s", address,
			uv_strerror(rc));
		goto out;
	}
	server_refill_spare(server);
	*ret_server = server;
	return 0;
out:
	server_free(server);
	return rc;
}

unsigned server_port(const struct server *server)
{
	return server->port;
}

const struct server_counts *server_counts(const struct server *server)
{
	return &server->counts;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	CHECK_OBJ(server, SERVER_MAGIC);
	server->is_closing = true;
	for (unsigned state = 0; state < CONNECTION_closed; state++) {
		struct connection *first;

		while ((first = TAILQ_FIRST(&server->lists[state])))
			connection_close(first);
	}
	uv_close((uv_handle_t *)&server->poll, on_handle_closed);
	(void)close(server->fd); /* who waits to be accepted is told at once */
	server->fd = NO_FD;
	uv_close((uv_handle_t *)&server->timer, on_handle_closed);
	uv_close((uv_handle_t *)&server->turn, on_handle_closed);
}
