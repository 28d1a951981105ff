#include "tests/tools/dialect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/frame.h"

enum {
	TEXT_MAX = 70000
};

void dialect_say(struct load_link *link, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list words;
	int len;

	va_start(words, format);
	len = vsnprintf(text, sizeof text, format, words);
	va_end(words);
	CHECK(len > 0 && (size_t)len < sizeof text);
	load_send(link, text, (size_t)len);
}

struct dialect_stream dialect_stream(struct load_link *link, const char *data, size_t len)
{
	if (!link->heard.len)
		return (struct dialect_stream){ data, len };
	ws_bytes_add(&link->heard, data, len);
	return (struct dialect_stream){ (const char *)link->heard.at, link->heard.len };
}

void dialect_keep(struct load_link *link, struct dialect_stream stream, size_t used)
{
	if (link->heard.len)
		ws_bytes_drop(&link->heard, used);
	else if (used < stream.len)
		ws_bytes_add(&link->heard, stream.at + used, stream.len - used);
}

/* ---- parley.v1, and what speaks enough of it -----------------------------------------
 */

static void chat_target(char *out, size_t size, unsigned number, const char *room)
{
	(void)room;
	(void)snprintf(out, size, "/chat?user=u%u", number);
}

static void parley_greet(struct load_link *link, const char *room,
			 const struct dialect_ears *ears)
{
	(void)ears;
	load_join(link, room);
}

static void parley_publish(struct load_link *link, const char *room, unsigned i,
			   const char *body)
{
	dialect_say(link,
		    "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"m%u\",\"body\":\"%s\"}",
		    room, i, body);
}

static void parley_hear(struct load_link *link, const char *data, size_t len,
			const char *room, const struct dialect_ears *ears)
{
	(void)room;
	if (load_op_is(data, len, "message"))
		ears->delivered(link, load_number(data, len, "\"seq\":"));
	else if (load_op_is(data, len, "sent"))
		ears->acknowledged(link);
	else if (load_op_is(data, len, "joined"))
		ears->joined(link, load_number(data, len, "\"head\":"));
	else if (load_op_is(data, len, "error"))
		ears->failed(link, data, len);
}

/* ---- nchan: a location that publishes and subscribes ---------------------------------
 */

static void nchan_target(char *out, size_t size, unsigned number, const char *room)
{
	(void)number;
	(void)snprintf(out, size, "/room?id=%s", room);
}

/* Who is connected has joined. */
static void nchan_greet(struct load_link *link, const char *room,
			const struct dialect_ears *ears)
{
	(void)room;
	ears->joined(link, 0);
}

static void nchan_publish(struct load_link *link, const char *room, unsigned i,
			  const char *body)
{
	(void)room;
	dialect_say(link, "{\"seq\":%u,\"body\":\"%s\"}", i + 1, body);
}

static void nchan_hear(struct load_link *link, const char *data, size_t len,
		       const char *room, const struct dialect_ears *ears)
{
	(void)room;
	ears->delivered(link, load_number(data, len, "\"seq\":"));
}

static const struct dialect parley = {
	.name = "parley",
	.protocol = "parley.v1",
	.acknowledges = true,
	.numbers = true,
	.target = chat_target,
	.greet = parley_greet,
	.publish = parley_publish,
	.hear = parley_hear,
};

static const struct dialect nchan = {
	.name = "nchan",
	.target = nchan_target,
	.greet = nchan_greet,
	.publish = nchan_publish,
	.hear = nchan_hear,
};

const struct dialect *dialect_find(const char *name)
{
	static const struct dialect *const all[] = {
		&parley, &nchan, &dialect_nats, &dialect_mqtt, &dialect_socketio,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
