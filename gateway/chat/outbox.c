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
	free(outbox->waiting);
	outbox->waiting = NULL;
}

/* Room for `len` more bytes at the end. */
static int make_room(struct outbox *outbox, size_t len)
{
	size_t waits = outbox_len(outbox), size = SIZE_FIRST, had = 0;
	struct waiting *waiting = outbox->waiting;

	if (waiting) {
		memmove(waiting->bytes, waiting->bytes + waiting->from, waits);
		waiting->from = 0;
		waiting->to = (uint32_t)waits;
		size = had = waiting->size;
	}
	while (size < waits + len)
		size *= 2;
	if (size == had)
		return 0;
	waiting = realloc(waiting, sizeof *waiting + size);
	if (!waiting)
		return -ENOMEM;
	if (!had)
		waiting->from = waiting->to = 0;
	waiting->size = (uint32_t)size;
	outbox->waiting = waiting;
	return 0;
}

int outbox_put(struct outbox *outbox, const uint8_t *frame, size_t len, size_t max)
{
	if (outbox_len(outbox) + len > max || len > UINT32_MAX / 4)
		return -ENOBUFS;
	if (!outbox->waiting || outbox->waiting->size - outbox->waiting->to < len) {
		int r = make_room(outbox, len);

		if (r < 0)
			return r;
	}
	memcpy(outbox->waiting->bytes + outbox->waiting->to, frame, len);
	outbox->waiting->to += (uint32_t)len;
	return 0;
}

size_t outbox_take(struct outbox *outbox, size_t max, const uint8_t **ret_data,
		   void **ret_free)
{
	struct waiting *waiting = outbox->waiting;
	size_t run = outbox_len(outbox);
	uint32_t n;

	if (!run)
		return 0;
	*ret_data = waiting->bytes + waiting->from;
	if (run > max)
		run = frames_run(*ret_data, run, max, &n);
	waiting->from += (uint32_t)run;
	if (waiting->from == waiting->to) {
		*ret_free = waiting;
		outbox->waiting = NULL;
	}
	return run;
}
