#include "common/check.h"
#include "gateway/wire/codec.h"
#include "gateway/wire/out.h"

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

static void put_ref(struct out *out, const struct ref *ref)
{
	if (ref && *ref->text) {
		out_text(out, ",\"ref\":");
		out_text(out, ref->text);
	}
}

static void put_room(struct out *out, struct text room)
{
	out_text(out, ",\"room\":");
	out_string(out, room);
}

/* ---- events --------------------------------------------------------------------- */

int wire_welcome(char *out, size_t size, const char *session, const char *user,
		 uint64_t message_max, uint64_t rooms_max, uint64_t ping_interval_ms,
		 uint64_t ping_timeout_ms)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"welcome\",\"session\":");
	out_c_string(&o, session);
	out_text(&o, ",\"user\":");
	out_c_string(&o, user);
	out_text(&o, ",\"limits\":{\"message\":");
	out_number(&o, message_max);
	out_text(&o, ",\"rooms\":");
	out_number(&o, rooms_max);
	out_text(&o, "},\"heartbeat\":{\"interval_ms\":");
	out_number(&o, ping_interval_ms);
	out_text(&o, ",\"timeout_ms\":");
	out_number(&o, ping_timeout_ms);
	out_text(&o, "}");
	return out_end(&o, "}");
}

int wire_joined(char *out, size_t size, const struct ref *ref, struct text room,
		uint64_t head, uint64_t first, uint64_t members)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"joined\"");
	put_ref(&o, ref);
	put_room(&o, room);
	out_text(&o, ",\"head\":");
	out_number(&o, head);
	if (first) {
		out_text(&o, ",\"first\":");
		out_number(&o, first);
	}
	out_text(&o, ",\"members\":");
	out_number(&o, members);
	return out_end(&o, "}");
}

int wire_left(char *out, size_t size, const struct ref *ref, struct text room)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"left\"");
	put_ref(&o, ref);
	put_room(&o, room);
	return out_end(&o, "}");
}

int wire_sent(char *out, size_t size, const struct ref *ref, struct text room,
	      struct text id, uint64_t seq, int64_t at_ms)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"sent\"");
	put_ref(&o, ref);
	put_room(&o, room);
	out_text(&o, ",\"id\":");
	out_string(&o, id);
	out_text(&o, ",\"seq\":");
	out_number(&o, seq);
	out_text(&o, ",\"at\":");
	out_signed(&o, at_ms);
	return out_end(&o, "}");
}

int wire_message(char *out, size_t size, const struct message *message)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"message\"");
	put_room(&o, message->room);
	out_text(&o, ",");
	out_message(&o, message);
	return out_end(&o, "}");
}

int wire_pong(char *out, size_t size, const struct ref *ref)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"pong\"");
	put_ref(&o, ref);
	return out_end(&o, "}");
}

int wire_error(char *out, size_t size, const struct ref *ref, enum wire_error error,
	       const char *text)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"error\"");
	put_ref(&o, ref);
	out_text(&o, ",\"code\":");
	out_c_string(&o, wire_error_name(error));
	out_text(&o, ",\"message\":");
	out_c_string(&o, text);
	return out_end(&o, "}");
}

int wire_rate_limited(char *out, size_t size, const struct ref *ref,
		      uint64_t retry_after_ms)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"error\"");
	put_ref(&o, ref);
	out_text(&o, ",\"code\":");
	out_c_string(&o, wire_error_name(WIRE_rate_limited));
	out_text(&o, ",\"retry_after_ms\":");
	out_number(&o, retry_after_ms);
	out_text(&o, ",\"message\":\"more than you may send at a time\"");
	return out_end(&o, "}");
}

int wire_history(char *out, size_t size, const struct ref *ref,
		 const struct wire_history *history)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"history\"");
	put_ref(&o, ref);
	put_room(&o, history->room);
	out_text(&o, ",\"messages\":[");
	for (uint32_t i = 0; i < history->n; i++) {
		out_text(&o, i ? ",{" : "{");
		out_message(&o, &history->messages[i]);
		out_text(&o, "}");
	}
	out_text(&o, "],\"first\":");
	out_number(&o, history->first);
	out_text(&o, ",\"head\":");
	out_number(&o, history->head);
	out_text(&o, history->more ? ",\"more\":true" : ",\"more\":false");
	return out_end(&o, "}");
}

int wire_who(char *out, size_t size, const struct ref *ref, struct text room,
	     const struct text *users, uint32_t n, uint64_t total)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"who\"");
	put_ref(&o, ref);
	put_room(&o, room);
	out_names(&o, ",\"users\":[", users, n);
	out_text(&o, ",\"total\":");
	out_number(&o, total);
	return out_end(&o, "}");
}

int wire_presence(char *out, size_t size, struct text room, const struct text *joined,
		  uint32_t n_joined, const struct text *left, uint32_t n_left,
		  uint64_t members)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"presence\"");
	put_room(&o, room);
	out_names(&o, ",\"joined\":[", joined, n_joined);
	out_names(&o, ",\"left\":[", left, n_left);
	out_text(&o, ",\"members\":");
	out_number(&o, members);
	return out_end(&o, "}");
}

int wire_typing(char *out, size_t size, struct text room, struct text user, bool active)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"typing\"");
	put_room(&o, room);
	out_text(&o, ",\"user\":");
	out_string(&o, user);
	out_text(&o, active ? ",\"active\":true" : ",\"active\":false");
	return out_end(&o, "}");
}

int wire_drain(char *out, size_t size, uint64_t reconnect_after_ms)
{
	struct out o = out_begin(out, size);

	out_text(&o, "{\"op\":\"drain\",\"reconnect_after_ms\":");
	out_number(&o, reconnect_after_ms);
	return out_end(&o, "}");
}
