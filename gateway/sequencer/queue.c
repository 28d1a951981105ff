#include "gateway/sequencer/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

void queue_init(struct queue *queue, unsigned n_max, size_t batch_bytes, size_t bytes_max)
{
	*queue = (struct queue){
		.n_max = n_max,
		.batch_bytes = batch_bytes,
		.bytes_max = bytes_max,
	};
}

static void free_all(struct batch *batch)
{
	while (batch) {
		struct batch *next = batch->next;

		free(batch);
		batch = next;
	}
}

void queue_release(struct queue *queue)
{
	CHECK(!queue->out);
	free_all(queue->first);
	free_all(queue->spare);
	*queue = (struct queue){ .n = 0 };
}

/* ---- batches ---- */

static void append(struct queue *queue, struct batch *batch)
{
	batch->next = NULL;
	if (queue->last)
		queue->last->next = batch;
	else
		queue->first = batch;
	queue->last = batch;
}

static struct batch *remove_first(struct queue *queue)
{
	struct batch *batch = queue->first;

	queue->first = batch->next;
	if (!queue->first)
		queue->last = NULL;
	return batch;
}

static void retire(struct queue *queue, struct batch *batch)
{
	batch->next = queue->spare;
	queue->spare = batch;
}

/* An empty batch at the end of the queue; NULL: no memory. */
static struct batch *begin_batch(struct queue *queue)
{
	struct batch *batch = queue->spare;

	if (batch)
		queue->spare = batch->next;
	else
		batch = malloc(sizeof *batch + queue->batch_bytes);
	if (!batch)
		return NULL;
	batch->n = 0;
	batch->used = 0;
	batch->tried = false;
	append(queue, batch);
	return batch;
}

/* ---- sends ---- */

static size_t texts_len(const struct message *message)
{
	return (size_t)message->room.len + message->id.len + message->from.len +
	       message->body.len;
}

static struct text copy(struct batch *batch, struct text text)
{
	struct text copied = { batch->texts + batch->used, text.len };

	if (text.len)
		memcpy(batch->texts + batch->used, text.at, text.len);
	batch->used += text.len;
	return copied;
}

static bool has_place(const struct queue *queue, const struct batch *batch, size_t len)
{
	return batch && batch->n < STORE_BATCH_MAX &&
	       batch->used + len <= queue->batch_bytes;
}

int queue_add(struct queue *queue, const struct send_owner *owner,
	      const struct message *message)
{
	struct batch *batch = queue->last;
	size_t len = texts_len(message);
	struct message *copied;

	if (len > queue->batch_bytes)
		return -EMSGSIZE;
	if (queue->n >= queue->n_max || queue->bytes + len > queue->bytes_max)
		return -ENOBUFS;
	if (!has_place(queue, batch, len))
		batch = begin_batch(queue);
	if (!batch)
		return -ENOMEM;
	copied = &batch->sends[batch->n].message;
	*copied = (struct message){ .room = copy(batch, message->room),
				    .id = copy(batch, message->id),
				    .from = copy(batch, message->from),
				    .body = copy(batch, message->body),
				    .read_us = message->read_us };
	batch->sends[batch->n].repeat = false;
	batch->owners[batch->n++] = *owner;
	queue->n++;
	queue->bytes += len;
	return 0;
}

/* ---- on the way to the store ---- */

struct batch *queue_take(struct queue *queue)
{
	CHECK(!queue->out);
	if (queue->first)
		queue->out = remove_first(queue);
	return queue->out;
}

static void forget(struct queue *queue, const struct batch *batch, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		queue->bytes -= texts_len(&batch->sends[i].message);
	queue->n -= n;
}

void queue_done(struct queue *queue)
{
	CHECK(queue->out);
	forget(queue, queue->out, queue->out->n);
	retire(queue, queue->out);
	queue->out = NULL;
}

void queue_put_back(struct queue *queue)
{
	CHECK(queue->out);
	queue->out->tried = true;
	queue->out->next = queue->first;
	queue->first = queue->out;
	if (!queue->last)
		queue->last = queue->out;
	queue->out = NULL;
}

/* ---- too old ---- */

/* Takes the oldest `n` out of the first batch. What their texts took of its memory
 * comes back when it is done. */
static void drop(struct queue *queue, unsigned n)
{
	struct batch *batch = queue->first;

	forget(queue, batch, n);
	batch->n -= n;
	memmove(batch->sends, batch->sends + n, batch->n * sizeof *batch->sends);
	memmove(batch->owners, batch->owners + n, batch->n * sizeof *batch->owners);
	if (batch->n == 0)
		retire(queue, remove_first(queue));
}

bool queue_expire(struct queue *queue, uint64_t since_ms,
		  void (*expired)(void *app, const struct send_owner *owner), void *app)
{
	bool tried = false;
	unsigned n = 1;

	CHECK(!queue->out);
	while (queue->first && n) {
		const struct batch *batch = queue->first;

		for (n = 0; n < batch->n && batch->owners[n].since_ms < since_ms; n++)
			expired(app, &batch->owners[n]);
		tried |= n && batch->tried;
		drop(queue, n);
	}
	return tried;
}
