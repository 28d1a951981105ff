#include "healthd/server_connection.h"

enum {
	NEW_MS = 200 /* so long a connection may take to begin its first request */
};

/* Who of those with a request will be late first. */
static struct connection *earliest(const struct server *server)
{
	struct connection *victim = NULL;

	for (unsigned state = CONNECTION_request; state <= CONNECTION_writing; state++) {
		struct connection *first = TAILQ_FIRST(&server->lists[state]);

		if (first && (!victim || first->deadline_ms < victim->deadline_ms))
			victim = first;
	}
	return victim;
}

/* Who was silent for longest. Whoever has come just now is not idle: what he asks may be
 * on its way, and would never be read where all others have half a request in. */
static struct connection *longest_idle(const struct server *server)
{
	const uint64_t now_ms = uv_now(server->loop);
	struct connection *connection;

	for (connection = TAILQ_FIRST(&server->lists[CONNECTION_idle]); connection;
	     connection = TAILQ_NEXT(connection, link))
		if (connection->n_requests > 0 ||
		    now_ms + server->limits.idle_timeout_ms >=
			    connection->deadline_ms + NEW_MS)
			return connection;
	return NULL;
}

bool server_shed(struct server *server, bool with_streams)
{
	struct connection *victim = TAILQ_FIRST(&server->lists[CONNECTION_lingering]);

	if (!victim)
		victim = longest_idle(server);
	if (!victim && with_streams)
		victim = TAILQ_FIRST(&server->lists[CONNECTION_stalled]);
	if (!victim && with_streams)
		victim = TAILQ_FIRST(&server->lists[CONNECTION_streaming]);
	if (!victim)
		victim = earliest(server);
	if (!victim)
		victim = TAILQ_FIRST(&server->lists[CONNECTION_idle]);
	if (!victim)
		return false;
	server->counts.shed++;
	connection_close(victim);
	return true;
}
