#include "healthd/server_connection.h"

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

bool server_shed(struct server *server, bool with_streams)
{
	static const enum connection_state order[] = { CONNECTION_lingering,
						       CONNECTION_idle,
						       CONNECTION_stalled,
						       CONNECTION_streaming };
	struct connection *victim = NULL;

	for (unsigned i = 0; !victim && i < (with_streams ? 4 : 2); i++)
		victim = TAILQ_FIRST(&server->lists[order[i]]);
	if (!victim)
		victim = earliest(server);
	if (!victim)
		return false;
	server->counts.shed++;
	connection_close(victim);
	return true;
}
