#include <stdlib.h>

#include "healthd/server_connection.h"

enum {
	SEND_BUFFER = 16 * 1024 /* the kernel's, so that who is behind is seen */
};

bool connection_begin_stream(struct connection *connection, unsigned kind)
{
	struct server_counts *counts = &connection->server->counts;
	int size = SEND_BUFFER;

	if (counts->streams >= connection->server->limits.streams_max) {
		counts->streams_refused++;
		return false;
	}
	counts->streams_opened++;
	connection->stream = kind;
	free(connection->input);
	connection->input = NULL;
	/* When it fails more is kept for a slow reader. */
	(void)uv_send_buffer_size((uv_handle_t *)&connection->tcp, &size);
	connection_listen(connection);
	return true;
}

unsigned server_streams(const struct server *server, unsigned kind)
{
	const struct connection *connection;
	unsigned n = 0;

	TAILQ_FOREACH(connection, &server->lists[CONNECTION_streaming], link)
	n += connection->stream == kind;
	return n;
}

void server_stream(struct server *server, unsigned kind, const char *text, size_t len)
{
	struct connection *connection, *next;

	/* Who cannot take it all leaves this list, and touches nobody else. */
	for (connection = TAILQ_FIRST(&server->lists[CONNECTION_streaming]); connection;
	     connection = next) {
		next = TAILQ_NEXT(connection, link);
		if (connection->stream == kind)
			connection_stream(connection, text, len);
	}
}
