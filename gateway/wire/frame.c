#include "gateway/wire/frame.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/mask.h"
#include "gateway/wire/utf8.h"

enum {
	FIN = 0x80,
	RESERVED = 0x70,
	RESERVED_OTHERS = RESERVED & ~FRAME_RSV1,
	OPCODE = 0x0f,
	MASKED = 0x80,
	LENGTH = 0x7f,
	LENGTH_16 = 126, /* two bytes of length follow */
	LENGTH_64 = 127, /* eight do */
	CONTROL_MAX = 125,
	KEPT_MIN = 256,
	/* message_max must leave kept_len and kept_size room to be summed. */
	MESSAGE_MAX_MAX = 1 << 30,
};

static bool is_control(unsigned opcode)
{
	return opcode >= FRAME_CLOSE;
}

/* The longest message on the wire: zlib adds less than this to what it cannot compress.
 */
static size_t wire_max(const struct frame_reader *reader, size_t message_max)
{
	return reader->compressed ? message_max + message_max / 1024 + 64 : message_max;
}

static void drop_kept(struct frame_reader *reader)
{
	free(reader->kept);
	reader->kept = NULL;
	reader->kept_len = reader->kept_size = 0;
}

void frame_reader_release(struct frame_reader *reader)
{
	drop_kept(reader);
	reader->closed = true;
}

/* Returns false: nothing more is to be read. */
static bool breach(struct frame_reader *reader, uint16_t code, const char *reason,
		   struct frame_in *in)
{
	frame_reader_release(reader);
	*in = (struct frame_in){ .event = FRAME_BREACH, .code = code, .reason = reason };
	return false;
}

/* ---- header ----------------------------------------------------------------------- */

/* Length of the header whose first two bytes are these. */
static unsigned head_size(const uint8_t *head)
{
	unsigned length = head[1] & LENGTH;

	return 2 + (length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0) + 4;
}

/* RFC 7692 6: the first frame of a data message says it. */
static bool may_compress(const struct frame_reader *reader, unsigned opcode)
{
	return reader->deflate && (opcode == FRAME_TEXT || opcode == FRAME_BINARY);
}

/* Judges the first two bytes. The answer is the fault, or NULL. */
static const char *judge_start(const struct frame_reader *reader, const uint8_t *head)
{
	unsigned opcode = head[0] & OPCODE;

	if (head[0] & RESERVED_OTHERS ||
	    (head[0] & FRAME_RSV1 && !may_compress(reader, opcode)))
		return "reserved bit set";
	if (!(head[1] & MASKED))
		return "frame without a mask";
	switch (opcode) {
	case FRAME_CONTINUATION:
		return reader->message_opcode ? NULL : "continuation of nothing";
	case FRAME_TEXT:
	case FRAME_BINARY:
		return reader->message_opcode ? "new message within a message" : NULL;
	case FRAME_CLOSE:
	case FRAME_PING:
	case FRAME_PONG:
		if (!(head[0] & FIN))
			return "fragmented control frame";
		return (head[1] & LENGTH) > CONTROL_MAX ? "long control frame" : NULL;
	}
	return "reserved opcode";
}

/* Payload length of a whole header; false when a shorter form would have done. */
static bool head_length(const uint8_t *head, uint64_t *ret_length)
{
	unsigned length = head[1] & LENGTH, n = head_size(head) - 2 - 4;
	uint64_t value = 0;

	if (!n) {
		*ret_length = length;
		return true;
	}
	for (unsigned i = 0; i < n; i++)
		value = value << 8 | head[2 + i];
	*ret_length = value;
	return n == 2 ? value >= LENGTH_16 : value > UINT16_MAX && !(value >> 63);
}

/* A whole header, its start judged: the reader is in its payload from here on. */
static bool begin_frame(struct frame_reader *reader, size_t message_max,
			const uint8_t *head, struct frame_in *in)
{
	uint64_t length;

	if (!head_length(head, &length))
		return breach(reader, CLOSE_PROTOCOL, "length not in its shortest form",
			      in);
	reader->opcode = head[0] & OPCODE;
	if (!is_control(reader->opcode)) {
		if (reader->opcode != FRAME_CONTINUATION)
			reader->compressed = head[0] & FRAME_RSV1;
		message_max = wire_max(reader, message_max);
		if (length > message_max || reader->kept_len > message_max - length)
			return breach(reader, CLOSE_TOO_BIG, "message too big", in);
		if (reader->opcode != FRAME_CONTINUATION)
			reader->message_opcode = reader->opcode;
	}
	reader->fin = head[0] & FIN;
	reader->payload_left = (uint32_t)length;
	memcpy(reader->mask, head + head_size(head) - 4, 4);
	reader->head_len = 0;
	reader->in_payload = true;
	reader->n_frames++;
	return true;
}

/* Adds bytes to a header that is split, up to `want` of them. */
static bool collect_head(struct frame_reader *reader, unsigned want, const uint8_t *data,
			 size_t len, size_t *at)
{
	while (reader->head_len < want && *at < len)
		reader->head[reader->head_len++] = data[(*at)++];
	return reader->head_len >= want;
}

/* Takes header bytes. False: out of bytes, or a breach. */
static bool take_head(struct frame_reader *reader, size_t message_max,
		      const uint8_t *data, size_t len, size_t *at, struct frame_in *in)
{
	const uint8_t *head = data + *at;
	const char *fault;

	if (!reader->head_len && len - *at >= 2 && len - *at >= head_size(head)) {
		*at += head_size(head);
	} else {
		if (!collect_head(reader, 2, data, len, at))
			return false;
		head = reader->head;
	}
	fault = judge_start(reader, head);
	if (fault)
		return breach(reader, CLOSE_PROTOCOL, fault, in);
	if (head == reader->head && !collect_head(reader, head_size(head), data, len, at))
		return false;
	return begin_frame(reader, message_max, head, in);
}

/* ---- payload ---------------------------------------------------------------------- */

/* Adds to what is kept, behind `behind` bytes of it. */
static bool keep(struct frame_reader *reader, size_t message_max, size_t behind,
		 const uint8_t *data, size_t len)
{
	size_t need = behind + len, size = reader->kept_size * 2ull;
	uint8_t *grown;

	if (!len)
		return true;
	message_max = wire_max(reader, message_max);
	if (need > reader->kept_size) {
		size = size < KEPT_MIN ? KEPT_MIN : size;
		size = size < need ? need : size;
		if (size > message_max + CONTROL_MAX)
			size = message_max + CONTROL_MAX;
		CHECK(size >= need);
		grown = realloc(reader->kept, size);
		if (!grown)
			return false;
		reader->kept = grown;
		reader->kept_size = (uint32_t)size;
	}
	memcpy(reader->kept + behind, data, len);
	return true;
}

/* The three below return whether to read on: false once there is an event. */

/* A Close is whole: code and reason, judged. */
static bool judge_close(struct frame_reader *reader, const uint8_t *payload, size_t len,
			struct frame_in *in)
{
	uint16_t code = CLOSE_NONE;

	if (len == 1)
		return breach(reader, CLOSE_PROTOCOL, "close payload of one byte", in);
	if (len) {
		code = (uint16_t)(payload[0] << 8 | payload[1]);
		if (!frame_close_code_valid(code))
			return breach(reader, CLOSE_PROTOCOL, "invalid close code", in);
		payload += 2;
		len -= 2;
		if (!utf8_valid(payload, len))
			return breach(reader, CLOSE_BAD_DATA, "close reason is not UTF-8",
				      in);
	}
	reader->closed = true;
	*in = (struct frame_in){
		.event = FRAME_GOT_CLOSE, .data = payload, .len = len, .code = code
	};
	return false;
}

/* Payload of a control frame. A split one is collected behind the kept part of the
 * message it interrupts. */
static bool take_control(struct frame_reader *reader, size_t message_max,
			 const uint8_t *data, size_t len, struct frame_in *in)
{
	if (reader->payload_left || reader->control_len) {
		if (!keep(reader, message_max, reader->kept_len + reader->control_len,
			  data, len))
			return breach(reader, CLOSE_INTERNAL, "out of memory", in);
		reader->control_len += (uint8_t)len;
		if (reader->payload_left)
			return true;
		data = reader->kept + reader->kept_len;
		len = reader->control_len;
	}
	reader->in_payload = false;
	reader->control_len = 0;
	reader->lent = true;
	if (reader->opcode == FRAME_CLOSE)
		return judge_close(reader, data, len, in);
	*in = (struct frame_in){
		.event = reader->opcode == FRAME_PING ? FRAME_GOT_PING : FRAME_GOT_PONG,
		.data = data,
		.len = len,
	};
	return false;
}

/* Payload of a data frame: lent from the input when the message is whole there, else
 * kept until it is. */
static bool take_data(struct frame_reader *reader, size_t message_max,
		      const uint8_t *data, size_t len, bool ascii, struct frame_in *in)
{
	bool whole = !reader->payload_left && reader->fin;
	bool text = reader->message_opcode == FRAME_TEXT;

	if (text && !reader->compressed && (!ascii || reader->utf8 != UTF8_START)) {
		reader->utf8 = utf8_feed(reader->utf8, data, len);
		if (reader->utf8 == UTF8_BAD)
			return breach(reader, CLOSE_BAD_DATA, "text is not UTF-8", in);
	}
	if (reader->kept_len || !whole) {
		if (!keep(reader, message_max, reader->kept_len, data, len))
			return breach(reader, CLOSE_INTERNAL, "out of memory", in);
		reader->kept_len += (uint32_t)len;
		data = reader->kept;
		len = reader->kept_len;
	}
	reader->in_payload = reader->payload_left > 0;
	if (!whole)
		return true;
	if (reader->utf8 != UTF8_START)
		return breach(reader, CLOSE_BAD_DATA, "text ends within a character", in);
	reader->message_opcode = 0;
	reader->lent = true;
	*in = (struct frame_in){
		.event = FRAME_MESSAGE,
		.text = text,
		.compressed = reader->compressed,
		.data = data,
		.len = len,
	};
	return false;
}

void frame_read(struct frame_reader *reader, size_t message_max, uint8_t *data,
		size_t len, size_t *ret_used, struct frame_in *ret_in)
{
	bool more = !reader->closed;
	size_t at = 0;

	CHECK(message_max <= MESSAGE_MAX_MAX);
	*ret_in = (struct frame_in){ .event = FRAME_MORE };
	if (reader->lent) {
		reader->lent = false;
		if (!reader->message_opcode || reader->closed)
			drop_kept(reader);
	}
	while (more && at < len) {
		uint8_t *payload;
		size_t n;
		bool ascii;

		if (!reader->in_payload &&
		    !take_head(reader, message_max, data, len, &at, ret_in))
			break;
		payload = data + at;
		n = len - at < reader->payload_left ? len - at : reader->payload_left;
		at += n;
		reader->payload_left -= (uint32_t)n;
		ascii = mask_off(payload, n, reader->mask);
		more = is_control(reader->opcode)
			       ? take_control(reader, message_max, payload, n, ret_in)
			       : take_data(reader, message_max, payload, n, ascii,
					   ret_in);
	}
	if (reader->closed && ret_in->event != FRAME_GOT_CLOSE)
		at = len;
	*ret_used = at;
}

/* ---- writing ---------------------------------------------------------------------- */

unsigned frame_head(uint8_t head[FRAME_HEAD_MAX], enum frame_opcode opcode, uint64_t len)
{
	unsigned n = len < LENGTH_16 ? 0 : len <= UINT16_MAX ? 2 : 8;

	head[0] = (uint8_t)(FIN | opcode);
	head[1] = (uint8_t)(n == 0 ? len : n == 2 ? LENGTH_16 : LENGTH_64);
	for (unsigned i = 0; i < n; i++)
		head[2 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
	return 2 + n;
}

unsigned frame_close(uint8_t out[FRAME_CLOSE_MAX], uint16_t code, const char *reason)
{
	size_t len = reason ? strlen(reason) : 0;

	if (code == CLOSE_NONE)
		return frame_head(out, FRAME_CLOSE, 0);
	if (len > CONTROL_MAX - 2) {
		len = CONTROL_MAX - 2;
		while (len && ((uint8_t)reason[len] & 0xc0) == 0x80)
			len--;
	}
	(void)frame_head(out, FRAME_CLOSE, 2 + len); /* two bytes for so short a one */
	out[2] = (uint8_t)(code >> 8);
	out[3] = (uint8_t)code;
	if (len)
		memcpy(out + 4, reason, len);
	return (unsigned)(4 + len);
}

bool frame_close_code_valid(uint16_t code)
{
	switch (code) {
	case 1004: /* reserved; 1005, 1006 and 1015 are never sent */
	case 1005:
	case 1006: return false;
	}
	return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}
