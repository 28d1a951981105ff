#include "healthd/canary_wire.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* RFC 6455's own example. A fixed key, so that its answer is known without SHA-1: the key
 * guards against caches in between, of which a canary knows that it has none. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum {
	OP_TEXT = 1,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10,
	CONTROL_MAX = 125,
	HEAD_MAX = 4, /* of a server's frame that is not too long */
	WORKERS_MAX = 64,
	TLS_ALERT = 0x15,
	TLS_HANDSHAKE = 0x16,
};

/* ---- writing -------------------------------------------------------------------- */

static int fitted(int len, size_t size)
{
	return len >= 0 && (size_t)len < size ? len : -ENOSPC;
}

int canary_write_handshake(const struct canary_handshake *handshake, char *out,
			   size_t size)
{
	bool has_token = *handshake->token;

	return fitted(snprintf(out, size,
			       "GET /chat?user=canary&canary=%s HTTP/1.1\r\n"
			       "Host: %s\r\n"
			       "Upgrade: websocket\r\n"
			       "Connection: Upgrade\r\n"
			       "Sec-WebSocket-Version: 13\r\n"
			       "Sec-WebSocket-Key: " KEY "\r\n"
			       "Sec-WebSocket-Protocol: parley.v1\r\n"
			       "User-Agent: parley-healthd\r\n"
			       "%s%s%s\r\n",
			       handshake->instance, handshake->host,
			       has_token ? "Authorization: Bearer " : "",
			       handshake->token, has_token ? "\r\n" : ""),
		      size);
}

/* A final frame, masked as a client's must be. */
static int write_frame(unsigned opcode, const void *payload, size_t len, uint8_t *out,
		       size_t size)
{
	const uint8_t *from = payload;
	size_t head = len <= CONTROL_MAX ? 2 : 4;
	uint8_t mask[4] = { 0 };

	/* Unmasked in effect without randomness: only a proxy's cache would mind. */
	(void)!getrandom(mask, sizeof mask, GRND_NONBLOCK);
	if (len > UINT16_MAX || head + sizeof mask + len > size)
		return -ENOSPC;
	out[0] = (uint8_t)(0x80 | opcode);
	out[1] = (uint8_t)(0x80 | (head == 2 ? len : 126));
	if (head == 4) {
		out[2] = (uint8_t)(len >> 8);
		out[3] = (uint8_t)len;
	}
	memcpy(out + head, mask, sizeof mask);
	for (size_t i = 0; i < len; i++)
		out[head + sizeof mask + i] = from[i] ^ mask[i % sizeof mask];
	return (int)(head + sizeof mask + len);
}

/* Takes the object. */
static int write_json(json_t *object, uint8_t *out, size_t size)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int len = text ? write_frame(OP_TEXT, text, strlen(text), out, size) : -ENOSPC;

	free(text);
	json_decref(object);
	return len;
}

int canary_write_join(const char *room, uint8_t *out, size_t size)
{
	return write_json(json_pack("{s:s, s:s}", "op", "join", "room", room), out, size);
}

int canary_write_send(const char *room, const char *id, uint8_t *out, size_t size)
{
	return write_json(json_pack("{s:s, s:s, s:s, s:s}", "op", "send", "room", room,
				    "id", id, "body", "canary"),
			  out, size);
}

int canary_write_pong(const uint8_t *payload, size_t len, uint8_t *out, size_t size)
{
	return write_frame(OP_PONG, payload, len, out, size);
}

int canary_write_close(uint8_t *out, size_t size)
{
	static const uint8_t normal[] = { 1000 >> 8, 1000 & 255 };

	return write_frame(OP_CLOSE, normal, sizeof normal, out, size);
}

int canary_token(char *text, size_t len)
{
	size_t start = 0;

	while (start < len && isspace((unsigned char)text[start]))
		start++;
	while (len > start && isspace((unsigned char)text[len - 1]))
		len--;
	for (size_t i = start; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -EINVAL;
	if (start == len)
		return -EINVAL;
	memmove(text, text + start, len - start);
	text[len - start] = 0;
	return 0;
}

/* ---- bytes ---------------------------------------------------------------------- */

size_t canary_space(struct canary_reader *reader, uint8_t **ret_at)
{
	memmove(reader->bytes, reader->bytes + reader->used, reader->len - reader->used);
	reader->len -= reader->used;
	reader->used = 0;
	*ret_at = reader->bytes + reader->len;
	return sizeof reader->bytes - reader->len;
}

void canary_added(struct canary_reader *reader, size_t len)
{
	reader->len += len;
	reader->total += len;
}

static void breach(struct canary_in *in, const char *why)
{
	in->heard = CANARY_BREACH;
	in->why = why;
}

/* ---- the answer ----------------------------------------------------------------- */

/* Whether the line is the header `name`; then its value. */
static bool is_header(const char *line, size_t len, const char *name,
		      const char **ret_value, size_t *ret_len)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' ||
	    strncasecmp(line, name, name_len) != 0)
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	while (len && *line == ' ') {
		line++;
		len--;
	}
	*ret_value = line;
	*ret_len = len;
	return true;
}

static int read_worker(const char *value, size_t len)
{
	int worker = 0;

	if (len < 1 || len > 2)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return -1;
		worker = 10 * worker + value[i] - '0';
	}
	return worker < WORKERS_MAX ? worker : -1;
}

static void read_headers(const char *head, size_t len, struct canary_in *in)
{
	const char *value, *end;
	size_t value_len;
	bool accepted = false;

	for (; len > 2; len -= (size_t)(end + 2 - head), head = end + 2) {
		end = memmem(head, len, "\r\n", 2);
		if (is_header(head, (size_t)(end - head), "Sec-WebSocket-Accept", &value,
			      &value_len))
			accepted = value_len == strlen(ACCEPT) &&
				   memcmp(value, ACCEPT, value_len) == 0;
		if (is_header(head, (size_t)(end - head), "Parley-Worker", &value,
			      &value_len))
			in->worker = read_worker(value, value_len);
	}
	if (in->status == 101 && !accepted)
		breach(in, "its answer does not fit the handshake");
}

/* "HTTP/1.1 101 ": the status, 0 for anything else. */
static unsigned read_status(const char *head, size_t len)
{
	unsigned status = 0;

	if (len < 13 || memcmp(head, "HTTP/1.1 ", 9) != 0)
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (head[i] < '0' || head[i] > '9')
			return 0;
		status = 10 * status + (unsigned)(head[i] - '0');
	}
	return head[12] == ' ' || head[12] == '\r' ? status : 0;
}

static void next_answer(struct canary_reader *reader, struct canary_in *in)
{
	const char *head = (const char *)reader->bytes;
	const char *end = memmem(head, reader->len, "\r\n\r\n", 4);

	if (reader->len &&
	    (*reader->bytes == TLS_ALERT || *reader->bytes == TLS_HANDSHAKE)) {
		in->heard = CANARY_TLS;
		return;
	}
	if (!end) {
		if (reader->len == sizeof reader->bytes)
			breach(in, "its answer has no end");
		return;
	}
	reader->used = (size_t)(end + 4 - head);
	in->status = read_status(head, reader->used);
	in->heard = CANARY_ANSWER;
	if (!in->status)
		breach(in, "its answer is no HTTP");
	else
		read_headers(head, reader->used, in);
	reader->upgraded = in->heard == CANARY_ANSWER && in->status == 101;
}

/* ---- frames --------------------------------------------------------------------- */

static void take_frame(unsigned opcode, const uint8_t *payload, size_t len,
		       struct canary_in *in)
{
	in->data = payload;
	in->len = len;
	switch (opcode) {
	case OP_TEXT: in->heard = CANARY_TEXT; break;
	case OP_PING: in->heard = CANARY_PING; break;
	case OP_CLOSE:
		in->heard = CANARY_CLOSE;
		in->status = len >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 0;
		break;
	default: breach(in, "a frame that no gateway sends");
	}
	if (opcode >= OP_CLOSE && len > CONTROL_MAX)
		breach(in, "a control frame that is too long");
}

static void next_frame(struct canary_reader *reader, struct canary_in *in)
{
	const uint8_t *at = reader->bytes;
	size_t head = 2, len;

	if (reader->len < head)
		return;
	if ((at[0] & 0xf0) != 0x80 || at[1] & 0x80) {
		breach(in, "a frame that no gateway sends");
		return;
	}
	len = at[1];
	if (len == 126) {
		head = HEAD_MAX;
		if (reader->len < head)
			return;
		len = (size_t)at[2] << 8 | at[3];
	}
	if (at[1] == 127 || head + len > sizeof reader->bytes) {
		breach(in, "a frame that is too long");
		return;
	}
	if (reader->len < head + len)
		return;
	reader->used = head + len;
	take_frame(at[0] & 15, at + head, len, in);
}

void canary_next(struct canary_reader *reader, struct canary_in *ret_in)
{
	uint8_t *at;

	*ret_in = (struct canary_in){ .heard = CANARY_MORE, .worker = -1 };
	(void)canary_space(reader, &at); /* drops what was taken */
	if (reader->total > CANARY_TOTAL_MAX)
		breach(ret_in, "it does not end talking");
	else if (reader->upgraded)
		next_frame(reader, ret_in);
	else
		next_answer(reader, ret_in);
}

/* ---- messages ------------------------------------------------------------------- */

static bool has_text(const json_t *object, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(object, member));

	return value && strcmp(value, text) == 0;
}

static void take_code(const json_t *object, char code[CANARY_CODE_SIZE])
{
	const char *said = json_string_value(json_object_get(object, "code"));
	size_t len = 0;

	for (; said && *said && len < CANARY_CODE_SIZE - 1; said++)
		if (isalnum((unsigned char)*said) || *said == '_')
			code[len++] = *said;
	code[len] = 0;
}

enum canary_op canary_understand(const uint8_t *data, size_t len, const char *room,
				 const char *id, char code[CANARY_CODE_SIZE])
{
	json_t *object = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES,
				    NULL);
	enum canary_op op = CANARY_SAYS_other;

	code[0] = 0;
	if (!json_is_object(object)) {
		op = CANARY_SAYS_garbage;
	} else if (has_text(object, "op", "welcome")) {
		op = CANARY_SAYS_welcome;
	} else if (has_text(object, "op", "error")) {
		op = CANARY_SAYS_error;
		take_code(object, code);
	} else if (has_text(object, "room", room)) {
		if (has_text(object, "op", "joined"))
			op = CANARY_SAYS_joined;
		else if (has_text(object, "op", "sent") && has_text(object, "id", id))
			op = CANARY_SAYS_sent;
		else if (has_text(object, "op", "message") && has_text(object, "id", id))
			op = CANARY_SAYS_message;
	}
	json_decref(object);
	return op;
}
