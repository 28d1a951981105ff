/*
 * outbox - whole frames for one client only: answers, errors, notices.
 *
 * Grows as needed and has no memory while it is empty. Zeroed is ready.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stddef.h>
#include <stdint.h>

struct outbox {
	struct waiting *waiting; /* NULL: nothing */
};

struct waiting {
	uint32_t from, to, size; /* bytes[from..to) */
	uint8_t bytes[];
};

static inline size_t outbox_len(const struct outbox *outbox)
{
	return outbox->waiting ? outbox->waiting->to - outbox->waiting->from : 0;
}

void outbox_release(struct outbox *outbox);

/* Appends a frame. -ENOBUFS: more than `max` bytes would wait. -ENOMEM. */
int outbox_put(struct outbox *outbox, const uint8_t *frame, size_t len, size_t max);

/*
 * Takes the next run of frames, at most `max` bytes or one frame if that is longer;
 * 0 for none. *ret_data is lent as long as the outbox is not touched, or, when that
 * was the last of it, until *ret_free is freed: that memory is the caller's then.
 */
size_t outbox_take(struct outbox *outbox, size_t max, const uint8_t **ret_data,
		   void **ret_free);

#endif
