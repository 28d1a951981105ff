/* dialect_nats - NATS over WebSocket: lines, and payloads of a length that they name.
 * https://docs.nats.io/reference/reference-protocols/nats-protocol */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/dialect.h"

static void target(char *out, size_t size, unsigned number, const char *room)
{
	(void)number;
	(void)room;
	(void)snprintf(out, size, "/");
}

/* The answer to the PING says that the subscription before it has been taken. */
static void greet(struct load_link *link, const char *room,
		  const struct dialect_ears *ears)
{
	(void)ears;
	dialect_say(
		link,
		"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB %s 1\r\nPING\r\n",
		room);
	load_flush(link);
}

static void publish(struct load_link *link, const char *room, unsigned i,
		    const char *body)
{
	char number[16];
	int n = snprintf(number, sizeof number, "%u", i + 1);

	dialect_say(link, "PUB %s %zu\r\n{\"seq\":%s,\"body\":\"%s\"}\r\n", room,
		    strlen("{\"seq\":,\"body\":\"\"}") + (size_t)n + strlen(body), number,
		    body);
}

/* "MSG subject sid length": the length, or 0 for another line. */
static size_t payload_len(const char *line, size_t len)
{
	const char *last;

	if (len < 4 || memcmp(line, "MSG ", 4) != 0)
		return 0;
	last = memrchr(line, ' ', len);
	return strtoul(last, NULL, 10);
}

static void on_line(struct load_link *link, const char *line, size_t len,
		    const struct dialect_ears *ears)
{
	if (len >= 4 && memcmp(line, "PONG", 4) == 0) {
		ears->joined(link, 0);
	} else if (len >= 4 && memcmp(line, "PING", 4) == 0) {
		dialect_say(link, "PONG\r\n");
		load_flush(link);
	} else if (*line == '-') {
		ears->failed(link, line, len);
	}
}

static void hear(struct load_link *link, const char *data, size_t len, const char *room,
		 const struct dialect_ears *ears)
{
	struct dialect_stream s = dialect_stream(link, data, len);
	size_t at = 0;

	(void)room;
	for (;;) {
		const char *end = memmem(s.at + at, s.len - at, "\r\n", 2);
		size_t line_len, payload;

		if (!end)
			break;
		line_len = (size_t)(end - (s.at + at));
		payload = payload_len(s.at + at, line_len);
		if (payload && s.len - at < line_len + 2 + payload + 2)
			break;
		if (payload)
			ears->delivered(link, load_number(end + 2, payload, "\"seq\":"));
		else
			on_line(link, s.at + at, line_len, ears);
		at += line_len + 2 + (payload ? payload + 2 : 0);
	}
	dialect_keep(link, s, at);
}

const struct dialect dialect_nats = {
	.name = "nats",
	.target = target,
	.greet = greet,
	.publish = publish,
	.hear = hear,
};
