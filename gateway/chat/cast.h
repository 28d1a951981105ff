/*
 * cast - what the chats of the workers say to each other, as bytes.
 *
 * CHANGES  room, users who came or went since the last
 * ROSTER   room, users: all of them, in as many casts as it takes (first .. last)
 * COUNT    room, how many users, without names
 * ASK      rooms whose rosters the sender wants to hear
 * GONE     rooms that the sender has no user in any more
 * TYPING   room, one user
 * CENSUS   two numbers that name it, room: who is in it is to be answered, also by who
 *          has nobody there
 * COUNTED  those numbers, how many users; users: some of them or all, in as many casts
 *          as it takes (first .. last)
 *
 * Names and numbers are packed end to end. What is read may be nonsense: no call reads
 * past it.
 */
#ifndef CAST_H
#define CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/message.h"

enum {
	CAST_BYTES = 4096 /* of one; well within what the smallest bus takes */
};

enum cast_kind {
	CAST_CHANGES = 1,
	CAST_ROSTER,
	CAST_COUNT,
	CAST_ASK,
	CAST_GONE,
	CAST_TYPING,
	CAST_CENSUS,
	CAST_COUNTED,
};

/* With a name: the user is there (CHANGES), is typing (TYPING). With a cast: */
enum {
	CAST_FIRST = 1, /* of a roster, or of COUNTED */
	CAST_LAST = 2,
};

struct cast_out {
	size_t len;
	uint8_t bytes[CAST_BYTES];
};

void cast_begin(struct cast_out *cast, enum cast_kind kind, uint8_t flags);
void cast_flag(struct cast_out *cast, uint8_t flag); /* in addition */

/* False: there is no place for it. */
bool cast_put_name(struct cast_out *cast, struct text name, bool flag);
bool cast_put_number(struct cast_out *cast, uint32_t number);

struct cast_in {
	enum cast_kind kind;
	uint8_t flags;
	const uint8_t *at, *end;
};

/* False: it is none. */
bool cast_read(struct cast_in *cast, const void *data, size_t len);

/* The next name, 1 to 64 bytes, lent as the cast is; false: there is none, or nonsense.
 */
bool cast_next_name(struct cast_in *cast, struct text *ret_name, bool *ret_flag);
bool cast_next_number(struct cast_in *cast, uint32_t *ret_number);

#endif
