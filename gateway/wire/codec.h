/*
 * codec - parley.v1: JSON text to operations, and events to JSON text.
 *
 * It and field.h are the users of jansson in chat and wire. Pure: no session, no room, no
 * clock. gateway/PROTOCOL.md is the reference for every field.
 */
#ifndef CODEC_H
#define CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/message.h"

/* What a client may ask. */
#define OPS(X) X(join) X(leave) X(send) X(history) X(who) X(typing) X(ping)
enum op {
#define X(name) OP_##name,
	OPS(X)
#undef X
	OP_COUNT
};

/* What can be wrong with it; the name is the `code` of the error. */
#define WIRE_ERRORS(X)    \
	X(bad_json)       \
	X(bad_type)       \
	X(bad_field)      \
	X(unknown_op)     \
	X(too_deep)       \
	X(too_long)       \
	X(not_member)     \
	X(too_many_rooms) \
	X(busy)           \
	X(unavailable)    \
	X(rate_limited)   \
	X(forbidden)
enum wire_error {
#define X(name) WIRE_##name,
	WIRE_ERRORS(X)
#undef X
	WIRE_ERROR_COUNT
};
const char *wire_error_name(enum wire_error error);

/* `ref` of a request, echoed in its answer: an integer or a string, kept as it was
 * written, at most 66 bytes with its quotes. */
#define REF_MAX 72
struct ref {
	char text[REF_MAX]; /* JSON text; "" when the request had none */
};

struct number {
	bool given;
	uint64_t value; /* below 2^63 */
};

struct request {
	enum op op;
	struct ref ref;
	struct text room, id; /* id: of send */
	struct text body;     /* send: JSON text, a piece of what was read, unchanged */
	struct number since;  /* join */
	struct number before, after; /* history: at most one of them */
	struct number limit;         /* history, who: at least 1 */
	bool active;                 /* typing */
	void *storage;               /* what room and id lie in */
};

enum {
	WIRE_DEPTH_MAX = 32,        /* arrays and objects within each other */
	WIRE_ENVELOPE_MAX = 1024,   /* any event but its body, text or users is shorter */
	WIRE_NAME_MAX = 6 * 64 + 3, /* a name as a JSON string, and a comma */
	WIRE_HISTORY_MAX = 200,     /* messages of one answer */
	WIRE_WHO_MAX = 1000,        /* users of one answer */
};

/*
 * Reads one message. 0: *ret_request is good until request_release, and as long as
 * `data` is. Otherwise a negative -(enum wire_error) - 1, with `ref` filled when it
 * could be read and *ret_what saying in words what is wrong (static); there is then
 * nothing to release.
 */
int request_read(const char *data, size_t len, struct request *ret_request,
		 const char **ret_what);
void request_release(struct request *request);

/* Events, as JSON text without a frame, not terminated. `ref` NULL or empty is left
 * out. Each returns the length, or -ENOSPC when `size` is too small: nothing is
 * written past it. */
int wire_welcome(char *out, size_t size, const char *session, const char *user,
		 uint64_t message_max, uint64_t rooms_max, uint64_t ping_interval_ms,
		 uint64_t ping_timeout_ms);
/* `first`: what comes begins there, since what was asked for before it is gone; 0:
 * nothing of it is. */
int wire_joined(char *out, size_t size, const struct ref *ref, struct text room,
		uint64_t head, uint64_t first, uint64_t members);
int wire_left(char *out, size_t size, const struct ref *ref, struct text room);
int wire_sent(char *out, size_t size, const struct ref *ref, struct text room,
	      struct text id, uint64_t seq, int64_t at_ms);
int wire_message(char *out, size_t size, const struct message *message);
int wire_pong(char *out, size_t size, const struct ref *ref);
int wire_error(char *out, size_t size, const struct ref *ref, enum wire_error error,
	       const char *text);
int wire_rate_limited(char *out, size_t size, const struct ref *ref,
		      uint64_t retry_after_ms);

/* Each of the messages takes WIRE_ENVELOPE_MAX and its body. */
struct wire_history {
	struct text room;
	const struct message *messages;
	uint32_t n;
	uint64_t first, head; /* the oldest that is kept, the newest there is */
	bool more;
};
int wire_history(char *out, size_t size, const struct ref *ref,
		 const struct wire_history *history);

/* Each of the users takes WIRE_NAME_MAX. */
int wire_who(char *out, size_t size, const struct ref *ref, struct text room,
	     const struct text *users, uint32_t n, uint64_t total);
int wire_presence(char *out, size_t size, struct text room, const struct text *joined,
		  uint32_t n_joined, const struct text *left, uint32_t n_left,
		  uint64_t members);
int wire_typing(char *out, size_t size, struct text room, struct text user, bool active);
int wire_drain(char *out, size_t size, uint64_t reconnect_after_ms);

#endif
