/*
 * message - one message of a room, as all parts of the gateway pass it on.
 *
 * Strings are not terminated unless said; they are lent by whoever hands the
 * message over, for the length of the call.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	ROOM_NAME_MAX = 64, /* bytes of UTF-8 */
	USER_NAME_MAX = 64,
	MESSAGE_ID_MAX = 64,
};

/* A piece of text by place and length. */
struct text {
	const char *at;
	uint32_t len;
};

static inline bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && (!a.len || memcmp(a.at, b.at, a.len) == 0);
}

struct message {
	struct text room, id, from;
	struct text body; /* JSON text, valid UTF-8 */
	uint64_t seq;     /* 1, 2, 3 … per room; 0 while it has none yet */
	int64_t at_ms;    /* wall clock when it got its sequence */
	uint64_t read_us; /* when a worker read it, by the monotonic clock that all
			     processes of the gateway have; 0: not known */
};

/* Why a message got no sequence; its sender may send it again under the same id. */
enum refusal {
	REFUSED_unavailable, /* the store is away, or failed */
	REFUSED_busy,        /* too much is waiting */
	REFUSED_too_long,
	REFUSAL_COUNT
};

#endif
