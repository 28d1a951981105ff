#include <errno.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/codec.h"

const char *wire_error_name(enum wire_error error)
{
	static const char *const names[] = {
#define X(name) [WIRE_##name] = #name,
		WIRE_ERRORS(X)
#undef X
	};

	CHECK((unsigned)error < WIRE_ERROR_COUNT);
	return names[error];
}

/* ---- JSON into a buffer that may be too small ----------------------------------- */

struct out {
	char *at;
	size_t size, len; /* len > size: it did not fit */
};

static struct out begin(char *at, size_t size)
{
	struct out out = { .size = size };

	out.at = at;
	return out;
}

static void put(struct out *out, const char *text, size_t len)
{
	if (!len)
		return; /* an empty text may lie nowhere */
	if (out->len <= out->size && len <= out->size - out->len) {
		memcpy(out->at + out->len, text, len);
		out->len += len;
	} else {
		out->len = out->size + 1;
	}
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_number(struct out *out, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put(out, digits + at, sizeof digits - at);
}

static void put_signed(struct out *out, int64_t number)
{
	if (number < 0)
		put(out, "-", 1);
	put_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void put_escape(struct out *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char unicode[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	char plain[2] = { '\\', (char)c };

	if (c == '"' || c == '\\')
		put(out, plain, sizeof plain);
	else
		put(out, unicode, sizeof unicode);
}

/* Valid UTF-8 in; quotes and escapes are added. */
static void put_string(struct out *out, struct text text)
{
	uint32_t from = 0;

	put(out, "\"", 1);
	for (uint32_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(out, text.at + from, i - from);
		put_escape(out, c);
		from = i + 1;
	}
	put(out, text.at + from, text.len - from);
	put(out, "\"", 1);
}

static void put_c_string(struct out *out, const char *text)
{
	put_string(out, (struct text){ text, (uint32_t)strlen(text) });
}

static void put_ref(struct out *out, const struct ref *ref)
{
	if (ref && *ref->text) {
		put_text(out, ",\"ref\":");
		put_text(out, ref->text);
	}
}

static void put_room(struct out *out, struct text room)
{
	put_text(out, ",\"room\":");
	put_string(out, room);
}

static int end(struct out *out)
{
	put(out, "}", 1);
	return out->len > out->size ? -ENOSPC : (int)out->len;
}

/* ---- events --------------------------------------------------------------------- */

int wire_welcome(char *out, size_t size, const char *session, const char *user,
		 uint64_t message_max, uint64_t rooms_max, uint64_t ping_interval_ms,
		 uint64_t ping_timeout_ms)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"welcome\",\"session\":");
	put_c_string(&o, session);
	put_text(&o, ",\"user\":");
	put_c_string(&o, user);
	put_text(&o, ",\"limits\":{\"message\":");
	put_number(&o, message_max);
	put_text(&o, ",\"rooms\":");
	put_number(&o, rooms_max);
	put_text(&o, "},\"heartbeat\":{\"interval_ms\":");
	put_number(&o, ping_interval_ms);
	put_text(&o, ",\"timeout_ms\":");
	put_number(&o, ping_timeout_ms);
	put_text(&o, "}");
	return end(&o);
}

int wire_joined(char *out, size_t size, const struct ref *ref, struct text room,
		uint64_t head, uint64_t first, uint64_t members)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"joined\"");
	put_ref(&o, ref);
	put_room(&o, room);
	put_text(&o, ",\"head\":");
	put_number(&o, head);
	if (first) {
		put_text(&o, ",\"first\":");
		put_number(&o, first);
	}
	put_text(&o, ",\"members\":");
	put_number(&o, members);
	return end(&o);
}

int wire_left(char *out, size_t size, const struct ref *ref, struct text room)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"left\"");
	put_ref(&o, ref);
	put_room(&o, room);
	return end(&o);
}

int wire_sent(char *out, size_t size, const struct ref *ref, struct text room,
	      struct text id, uint64_t seq, int64_t at_ms)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"sent\"");
	put_ref(&o, ref);
	put_room(&o, room);
	put_text(&o, ",\"id\":");
	put_string(&o, id);
	put_text(&o, ",\"seq\":");
	put_number(&o, seq);
	put_text(&o, ",\"at\":");
	put_signed(&o, at_ms);
	return end(&o);
}

/* What a message says besides its room. */
static void put_message(struct out *out, const struct message *message)
{
	put_text(out, "\"seq\":");
	put_number(out, message->seq);
	put_text(out, ",\"id\":");
	put_string(out, message->id);
	put_text(out, ",\"from\":");
	put_string(out, message->from);
	put_text(out, ",\"at\":");
	put_signed(out, message->at_ms);
	put_text(out, ",\"body\":");
	put(out, message->body.at, message->body.len);
}

int wire_message(char *out, size_t size, const struct message *message)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"message\"");
	put_room(&o, message->room);
	put_text(&o, ",");
	put_message(&o, message);
	return end(&o);
}

int wire_pong(char *out, size_t size, const struct ref *ref)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"pong\"");
	put_ref(&o, ref);
	return end(&o);
}

int wire_error(char *out, size_t size, const struct ref *ref, enum wire_error error,
	       const char *text)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"error\"");
	put_ref(&o, ref);
	put_text(&o, ",\"code\":");
	put_c_string(&o, wire_error_name(error));
	put_text(&o, ",\"message\":");
	put_c_string(&o, text);
	return end(&o);
}

int wire_rate_limited(char *out, size_t size, const struct ref *ref,
		      uint64_t retry_after_ms)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"error\"");
	put_ref(&o, ref);
	put_text(&o, ",\"code\":");
	put_c_string(&o, wire_error_name(WIRE_rate_limited));
	put_text(&o, ",\"retry_after_ms\":");
	put_number(&o, retry_after_ms);
	put_text(&o, ",\"message\":\"more than you may send at a time\"");
	return end(&o);
}

int wire_history(char *out, size_t size, const struct ref *ref,
		 const struct wire_history *history)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"history\"");
	put_ref(&o, ref);
	put_room(&o, history->room);
	put_text(&o, ",\"messages\":[");
	for (uint32_t i = 0; i < history->n; i++) {
		put_text(&o, i ? ",{" : "{");
		put_message(&o, &history->messages[i]);
		put_text(&o, "}");
	}
	put_text(&o, "],\"first\":");
	put_number(&o, history->first);
	put_text(&o, ",\"head\":");
	put_number(&o, history->head);
	put_text(&o, history->more ? ",\"more\":true" : ",\"more\":false");
	return end(&o);
}

static void put_names(struct out *out, const char *member, const struct text *names,
		      uint32_t n)
{
	put_text(out, member);
	for (uint32_t i = 0; i < n; i++) {
		put_text(out, i ? "," : "");
		put_string(out, names[i]);
	}
	put_text(out, "]");
}

int wire_who(char *out, size_t size, const struct ref *ref, struct text room,
	     const struct text *users, uint32_t n, uint64_t total)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"who\"");
	put_ref(&o, ref);
	put_room(&o, room);
	put_names(&o, ",\"users\":[", users, n);
	put_text(&o, ",\"total\":");
	put_number(&o, total);
	return end(&o);
}

int wire_presence(char *out, size_t size, struct text room, const struct text *joined,
		  uint32_t n_joined, const struct text *left, uint32_t n_left,
		  uint64_t members)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"presence\"");
	put_room(&o, room);
	put_names(&o, ",\"joined\":[", joined, n_joined);
	put_names(&o, ",\"left\":[", left, n_left);
	put_text(&o, ",\"members\":");
	put_number(&o, members);
	return end(&o);
}

int wire_typing(char *out, size_t size, struct text room, struct text user, bool active)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"typing\"");
	put_room(&o, room);
	put_text(&o, ",\"user\":");
	put_string(&o, user);
	put_text(&o, active ? ",\"active\":true" : ",\"active\":false");
	return end(&o);
}

int wire_drain(char *out, size_t size, uint64_t reconnect_after_ms)
{
	struct out o = begin(out, size);

	put_text(&o, "{\"op\":\"drain\",\"reconnect_after_ms\":");
	put_number(&o, reconnect_after_ms);
	return end(&o);
}
