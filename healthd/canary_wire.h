/*
 * canary_wire - what the canary writes and hears: handshake, frames, Parley's messages.
 *
 * Pure: bytes in, events out. What comes in is hostile: one item is at most
 * CANARY_ITEM_MAX bytes long, all of one connection CANARY_TOTAL_MAX, and everything that
 * a Parley gateway does not send is a breach, fragments and masked frames among it.
 */
#ifndef CANARY_WIRE_H
#define CANARY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CANARY_ITEM_MAX = 4096,   /* the answer's head, or a frame */
	CANARY_TOTAL_MAX = 65536, /* of one connection */
	CANARY_ID_SIZE = 24,
	CANARY_CODE_SIZE = 24,
	CANARY_TOKEN_MAX = 8192,
};

/* ---- writing ---- */

struct canary_handshake {
	const char *host;     /* of the header */
	const char *instance; /* by which the gateway knows its canary */
	const char *token;    /* "" for none */
};

/* Each returns its length, or -ENOSPC. */
int canary_write_handshake(const struct canary_handshake *handshake, char *out,
			   size_t size);
int canary_write_join(const char *room, uint8_t *out, size_t size);
int canary_write_send(const char *room, const char *id, uint8_t *out, size_t size);
int canary_write_pong(const uint8_t *payload, size_t len, uint8_t *out, size_t size);
int canary_write_close(uint8_t *out, size_t size);

/* Takes the token from what a file holds: blanks around it go, and nothing may be in it
 * that has no place in a header. 0, or -EINVAL. */
int canary_token(char *text, size_t len);

/* ---- hearing ---- */

enum canary_heard {
	CANARY_MORE,   /* nothing whole is there */
	CANARY_ANSWER, /* `status`, and of a 101 `worker` */
	CANARY_TLS,    /* that is no HTTP: it speaks TLS */
	CANARY_TEXT,   /* `data` */
	CANARY_PING,   /* `data` */
	CANARY_CLOSE,  /* `status` is its code, 0 for none */
	CANARY_BREACH  /* `why`, static; nothing follows */
};

struct canary_in {
	enum canary_heard heard;
	unsigned status;
	int worker; /* -1: not told */
	const uint8_t *data;
	size_t len;
	const char *why;
};

/* Starts as zeros. */
struct canary_reader {
	uint8_t bytes[CANARY_ITEM_MAX];
	size_t len, used; /* used: taken by the last canary_next */
	size_t total;
	bool upgraded;
};

/* Where the next bytes go; 0: no room, which canary_next makes or complains of. */
size_t canary_space(struct canary_reader *reader, uint8_t **ret_at);
void canary_added(struct canary_reader *reader, size_t len);

/* The next item; `data` is lent until the next call. */
void canary_next(struct canary_reader *reader, struct canary_in *ret_in);

enum canary_op {
	CANARY_SAYS_other, /* what need not be understood */
	CANARY_SAYS_welcome,
	CANARY_SAYS_joined,
	CANARY_SAYS_sent,    /* of our id */
	CANARY_SAYS_message, /* of our id, in our room */
	CANARY_SAYS_error,   /* `code` */
	CANARY_SAYS_garbage
};

/* What a text says; `code` is made of letters, digits and `_` only. */
enum canary_op canary_understand(const uint8_t *data, size_t len, const char *room,
				 const char *id, char code[CANARY_CODE_SIZE]);

#endif
