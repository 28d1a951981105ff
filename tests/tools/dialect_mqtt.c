/* dialect_mqtt - MQTT 3.1.1 on TCP, QoS 0: Debian's mosquitto knows no WebSocket.
 * https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/ */
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "tests/tools/dialect.h"

enum {
	CONNECT = 0x10,
	CONNACK = 0x20,
	PUBLISH = 0x30,
	SUBSCRIBE = 0x82,
	SUBACK = 0x90,
	PACKET_MAX = 70000
};

static void say(struct load_link *link, uint8_t kind, const uint8_t *data, size_t len)
{
	uint8_t packet[PACKET_MAX];
	size_t at = 0, rest = len;

	CHECK(len + 5 < sizeof packet);
	packet[at++] = kind;
	do {
		packet[at++] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
		rest >>= 7;
	} while (rest);
	memcpy(packet + at, data, len);
	ws_bytes_add(&link->out, packet, at + len);
}

/* A string with its length before it, after what is there already. */
static size_t put(uint8_t *out, size_t at, const char *text)
{
	size_t len = strlen(text);

	out[at] = (uint8_t)(len >> 8);
	out[at + 1] = (uint8_t)len;
	memcpy(out + at + 2, text, len);
	return at + 2 + len;
}

/* A clean session without a name, kept alive for ever. */
static void greet(struct load_link *link, const char *room,
		  const struct dialect_ears *ears)
{
	static const uint8_t connect[] = { 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0 };

	(void)room;
	(void)ears;
	say(link, CONNECT, connect, sizeof connect);
	load_flush(link);
}

static void subscribe(struct load_link *link, const char *room)
{
	uint8_t data[300] = { 0, 1 };
	size_t len = put(data, 2, room);

	data[len++] = 0; /* QoS */
	say(link, SUBSCRIBE, data, len);
	load_flush(link);
}

static void publish(struct load_link *link, const char *room, unsigned i,
		    const char *body)
{
	uint8_t data[PACKET_MAX - 8];
	size_t at = put(data, 0, room);
	int n = snprintf((char *)data + at, sizeof data - at,
			 "{\"seq\":%u,\"body\":\"%s\"}", i + 1, body);

	CHECK(n > 0 && (size_t)n < sizeof data - at);
	say(link, PUBLISH, data, at + (size_t)n);
}

static void on_packet(struct load_link *link, const uint8_t *data, size_t len,
		      uint8_t kind, const char *room, const struct dialect_ears *ears)
{
	if (kind == CONNACK)
		subscribe(link, room);
	else if (kind == SUBACK)
		ears->joined(link, 0);
	else if ((kind & 0xf0) == PUBLISH)
		ears->delivered(link, load_number((const char *)data, len, "\"seq\":"));
}

/* The whole packet at the start of `at`: its length with head, 0 when it is not whole. */
static size_t one_packet(const uint8_t *at, size_t len, size_t *ret_head)
{
	size_t rest = 0, i = 1;

	for (unsigned shift = 0; i < len && shift < 28; shift += 7) {
		rest |= (size_t)(at[i] & 127) << shift;
		if (!(at[i++] & 128)) {
			*ret_head = i;
			return len - i >= rest ? i + rest : 0;
		}
	}
	return 0;
}

static void hear(struct load_link *link, const char *data, size_t len, const char *room,
		 const struct dialect_ears *ears)
{
	struct dialect_stream s = dialect_stream(link, data, len);
	size_t at = 0, head, n;

	while ((n = one_packet((const uint8_t *)s.at + at, s.len - at, &head)) > 0) {
		const uint8_t *packet = (const uint8_t *)s.at + at;

		on_packet(link, packet + head, n - head, packet[0], room, ears);
		at += n;
	}
	dialect_keep(link, s, at);
}

const struct dialect dialect_mqtt = {
	.name = "mqtt",
	.plain = true,
	.greet = greet,
	.publish = publish,
	.hear = hear,
};
