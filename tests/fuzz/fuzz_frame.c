/* fuzz_frame - the same bytes whole and in pieces give the same events. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/frame.h"
#include "gateway/wire/utf8.h"

enum {
	MESSAGE_MAX = 300
};

/* What was seen, as bytes to compare. */
struct seen {
	uint8_t *at;
	size_t len, size;
};

static void see(struct seen *seen, const void *data, size_t len)
{
	if (seen->len + len > seen->size) {
		seen->size = (seen->len + len) * 2;
		seen->at = realloc(seen->at, seen->size);
		CHECK(seen->at);
	}
	if (len)
		memcpy(seen->at + seen->len, data, len);
	seen->len += len;
}

static void see_event(struct seen *seen, const struct frame_in *in)
{
	CHECK(in->event != FRAME_MESSAGE ||
	      in->len <= MESSAGE_MAX + (in->compressed ? 64 : 0));
	CHECK(in->event != FRAME_MESSAGE || !in->text || in->compressed ||
	      utf8_valid(in->data, in->len));
	CHECK((in->event != FRAME_GOT_PING && in->event != FRAME_GOT_PONG) ||
	      in->len <= 125);
	see(seen, &in->event, sizeof(in->event));
	see(seen, &in->text, sizeof(in->text));
	see(seen, &in->compressed, sizeof(in->compressed));
	see(seen, &in->code, sizeof(in->code));
	see(seen, &in->len, sizeof(in->len));
	see(seen, in->data, in->len);
	if (in->reason)
		see(seen, in->reason, strlen(in->reason));
}

static void read_piece(struct frame_reader *reader, const uint8_t *data, size_t len,
		       struct seen *seen)
{
	uint8_t *piece = malloc(len + 1);
	size_t at = 0, used;
	struct frame_in in;

	CHECK(piece);
	memcpy(piece, data, len);
	do {
		frame_read(reader, MESSAGE_MAX, piece + at, len - at, &used, &in);
		CHECK(used <= len - at);
		at += used;
		if (in.event != FRAME_MORE)
			see_event(seen, &in);
	} while (in.event != FRAME_MORE);
	CHECK(at == len);
	CHECK(reader->kept_size <= MESSAGE_MAX + 64 + 125);
	free(piece);
}

/* The first byte says how the rest is cut, 0 is bytewise; and whether compression was
 * agreed on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_reader whole = { .kept = NULL }, split = { .kept = NULL };
	struct seen a = { .len = 0 }, b = { .len = 0 };
	size_t step, at, n;

	if (size < 2)
		return 0;
	step = data[0] + 1u;
	whole.deflate = split.deflate = data[0] & 1;
	data++;
	size--;
	read_piece(&whole, data, size, &a);
	for (at = 0; at < size; at += n) {
		n = size - at < step ? size - at : step;
		read_piece(&split, data + at, n, &b);
	}
	CHECK(a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len)));
	CHECK(whole.n_frames == split.n_frames);
	frame_reader_release(&whole);
	frame_reader_release(&split);
	free(a.at);
	free(b.at);
	return 0;
}
