#include "gateway/chat/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/chat/frames.h"

enum {
	SIZE_FIRST = 256
};

void outbox_release(struct outbox *outbox)
{
	free(outbox->bytes);
	memset(outbox, 0, sizeof *outbox);
}

/* Room for `len` more bytes at the end. */
static int make_room(struct outbox *outbox, size_t len)
{
	size_t waits = outbox_len(outbox);
	size_t size = outbox->size ? outbox->size : SIZE_FIRST;
	uint8_t *bytes;

	if (outbox->from) {
		memmove(outbox->bytes, outbox->bytes + outbox->from, waits);
		outbox->from = 0;
		outbox->to = (uint32_t)waits;
	}
	while (size < waits + len)
		size *= 2;
	if (size == outbox->size)
		return 0;
	bytes = realloc(outbox->bytes, size);
	if (!bytes)
		return -ENOMEM;
	outbox->bytes = bytes;
	outbox->size = (uint32_t)size;
	return 0;
}

int outbox_put(struct outbox *outbox, const uint8_t *frame, size_t len, size_t max)
{
	if (outbox_len(outbox) + len > max || len > UINT32_MAX / 4)
		return -ENOBUFS;
	if (outbox->size - outbox->to < len) {
		int r = make_room(outbox, len);

		if (r < 0)
			return r;
	}
	memcpy(outbox->bytes + outbox->to, frame, len);
	outbox->to += (uint32_t)len;
	return 0;
}

size_t outbox_take(struct outbox *outbox, size_t max, const uint8_t **ret_data,
		   uint8_t **ret_free)
{
	size_t run = outbox_len(outbox);
	uint32_t n;

	if (!run)
		return 0;
	*ret_data = outbox->bytes + outbox->from;
	if (run > max)
		run = frames_run(*ret_data, run, max, &n);
	outbox->from += (uint32_t)run;
	if (outbox->from == outbox->to) {
		*ret_free = outbox->bytes;
		memset(outbox, 0, sizeof *outbox);
	}
	return run;
}
