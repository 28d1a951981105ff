/* dialect_socketio - Socket.IO 5 on Engine.IO 4, by WebSocket alone.
 * https://socket.io/docs/v4/socket-io-protocol/ */
#include <stdio.h>
#include <string.h>

#include "tests/tools/dialect.h"

static void target(char *out, size_t size, unsigned number, const char *room)
{
	(void)number;
	(void)room;
	(void)snprintf(out, size, "/socket.io/?EIO=4&transport=websocket");
}

/* The server speaks first. */
static void greet(struct load_link *link, const char *room,
		  const struct dialect_ears *ears)
{
	(void)link;
	(void)room;
	(void)ears;
}

static void publish(struct load_link *link, const char *room, unsigned i,
		    const char *body)
{
	dialect_say(link,
		    "42%u[\"send\",{\"room\":\"%s\",\"id\":\"m%u\",\"body\":\"%s\"}]", i,
		    room, i, body);
}

static bool begins(const char *data, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(data, with, n) == 0;
}

static void hear(struct load_link *link, const char *data, size_t len, const char *room,
		 const struct dialect_ears *ears)
{
	if (begins(data, len, "42[\"message\""))
		ears->delivered(link, load_number(data, len, "\"seq\":"));
	else if (begins(data, len, "42[\"joined\""))
		ears->joined(link, load_number(data, len, "\"head\":"));
	else if (begins(data, len, "43"))
		ears->acknowledged(link);
	else if (begins(data, len, "40"))
		dialect_say(link, "42[\"join\",\"%s\"]", room);
	else if (begins(data, len, "0"))
		dialect_say(link, "40");
	else if (begins(data, len, "2"))
		dialect_say(link, "3");
	else
		ears->failed(link, data, len);
	load_flush(link);
}

const struct dialect dialect_socketio = {
	.name = "socketio",
	.acknowledges = true,
	.numbers = true,
	.target = target,
	.greet = greet,
	.publish = publish,
	.hear = hear,
};
