/*
 * frame - RFC 6455 framing: bytes to frames and back, as pure functions.
 *
 * The reader is strict: masks demanded, minimal lengths, no reserved bits or
 * opcodes, control frames whole and short, fragments in order, UTF-8 judged as
 * early as it can be, close payloads judged, nothing read after a Close. It knows
 * no socket and no clock; what must be *answered* (pong, close) is the caller's.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Close codes, RFC 6455 7.4.1; 4xxx are Parley's own (gateway/PROTOCOL.md). */
enum close_code {
	CLOSE_NORMAL = 1000,
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_UNSUPPORTED = 1003,
	CLOSE_NONE = 1005, /* never sent: the peer's Close had no code */
	CLOSE_BAD_DATA = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_TOO_BIG = 1009,
	CLOSE_INTERNAL = 1011,
	CLOSE_TRY_LATER = 1013,
	CLOSE_SLOW_READER = 4000, /* resumable: come back and go on */
	CLOSE_EXPIRED = 4001,     /* the token ended: come back with a new one */
};

enum frame_opcode {
	FRAME_CONTINUATION = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
};

enum frame_event {
	FRAME_MORE,    /* all bytes taken; nothing whole yet */
	FRAME_MESSAGE, /* a whole data message, put together from its fragments */
	FRAME_GOT_PING,
	FRAME_GOT_PONG,
	FRAME_GOT_CLOSE,
	FRAME_BREACH, /* close with .code; nothing more is read */
};

struct frame_in {
	enum frame_event event;
	bool text;           /* MESSAGE: text, else binary */
	bool compressed;     /* MESSAGE: to be inflated; text is not judged yet */
	const uint8_t *data; /* payload (CLOSE: the reason); lent until the next call or
				release */
	size_t len;
	uint16_t code;      /* CLOSE: the peer's (CLOSE_NONE if none); BREACH: ours */
	const char *reason; /* BREACH: in words, static */
};

/*
 * One per link, embedded; zeroed is ready. 48 bytes, and nothing else while no frame
 * is half in. `kept` holds what cannot be lent from the input: the unfinished message
 * as far as it has arrived and, behind it, a split control frame's payload.
 */
struct frame_reader {
	uint8_t *kept;
	uint32_t kept_len;     /* of the message, bytes */
	uint32_t kept_size;    /* grows by doubling, to message_max + 125 at most */
	uint32_t payload_left; /* of the current frame, bytes still to come */
	uint32_t n_frames;     /* frames seen, for the counters; wraps */
	uint8_t mask[4];       /* turned to the next payload byte */
	uint8_t head[14];      /* a split header */
	uint8_t head_len, control_len;
	uint8_t utf8; /* state of the UTF-8 judge over the message so far */
	uint8_t opcode : 4;
	uint8_t message_opcode : 4; /* TEXT or BINARY within a message, else 0 */
	bool fin : 1, in_payload : 1;
	bool lent : 1; /* what is kept may be in the caller's hands */
	bool closed : 1;
	bool deflate : 1;    /* permessage-deflate was agreed on; the link sets it */
	bool compressed : 1; /* the message is */
};

/* Frees what is kept; the reader takes and drops all bytes from then on. */
void frame_reader_release(struct frame_reader *reader);

/*
 * Takes bytes up to the next event; call again with the rest, also with a rest of 0
 * bytes, until FRAME_MORE: that call frees what was kept and lent. `data` is unmasked
 * in place. A message that arrives whole in `data` is lent from there without a copy.
 * Beyond message_max (at most 2^30): BREACH with CLOSE_TOO_BIG, judged from the
 * announced length before a byte is kept. Out of memory: BREACH with CLOSE_INTERNAL.
 * Compressed messages may be a little longer: what cannot be compressed gets longer by
 * it. After GOT_CLOSE or BREACH every byte is taken and dropped.
 *
 * The events depend on the bytes alone, not on how calls split them.
 */
void frame_read(struct frame_reader *reader, size_t message_max, uint8_t *data,
		size_t len, size_t *ret_used, struct frame_in *ret_in);

/* Header of an unmasked, unfragmented frame; returns its length (2, 4 or 10). */
#define FRAME_HEAD_MAX 10
unsigned frame_head(uint8_t head[FRAME_HEAD_MAX], enum frame_opcode opcode, uint64_t len);

/* Of a message that is compressed, in the first byte of its first frame. */
#define FRAME_RSV1 0x40

/* A whole Close frame; `reason` (NULL: none) is cut to 123 bytes at a character.
 * CLOSE_NONE: without payload. Returns its length. */
#define FRAME_CLOSE_MAX 127
unsigned frame_close(uint8_t out[FRAME_CLOSE_MAX], uint16_t code, const char *reason);

/* Whether a peer may send this code (RFC 6455 7.4.2). */
bool frame_close_code_valid(uint16_t code);

#endif
