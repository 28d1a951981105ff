#include "gateway/chat/room_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/chat/frames.h"

enum {
	MARK_EVERY = 256 /* frames between places that are noted for seekers */
};

void room_log_release(struct room_log *log)
{
	free(log->bytes);
	log->bytes = NULL;
	log->size = 0;
	log->tail = log->base = log->base_before = log->mark = log->head;
	log->n_tail = log->n_base = log->n_mark = log->n_head;
}

/* What is kept becomes one lap in the new memory. */
int room_log_grow(struct room_log *log, uint32_t size)
{
	uint8_t *bytes;
	size_t before = log->tail < log->base ? log->base - log->tail : 0;
	uint64_t from = before ? log->base : log->tail;

	CHECK(size > log->size);
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	if (before)
		memcpy(bytes, log->bytes + (log->tail - log->base_before), before);
	if (log->head > from)
		memcpy(bytes + before, log->bytes + (from - log->base), log->head - from);
	free(log->bytes);
	log->bytes = bytes;
	log->size = size;
	log->base = log->base_before = log->mark = log->tail;
	log->n_base = log->n_mark = log->n_tail;
	return 0;
}

uint64_t room_log_loses(const struct room_log *log, size_t len)
{
	uint64_t used = log->head - log->base;

	if (len > log->size)
		return UINT64_MAX;
	if (used + len > log->size) /* a new lap: this one becomes the lap before */
		return log->base + len > log->head ? log->head : log->base + len;
	if (log->tail >= log->base)
		return log->tail;
	used += log->base_before + len;
	return used > log->base ? log->base : used;
}

static void begin_lap(struct room_log *log)
{
	if (log->tail < log->base) {
		log->tail = log->base;
		log->n_tail = log->n_base;
	}
	log->base_before = log->base;
	log->base = log->head;
	log->n_base = log->n_head;
}

void room_log_append(struct room_log *log, const uint8_t *frame, size_t len)
{
	size_t at;

	CHECK(len && len <= log->size);
	if (log->head - log->base + len > log->size)
		begin_lap(log);
	at = log->head - log->base;
	while (log->tail < log->base && log->tail - log->base_before < at + len) {
		log->tail += frame_length(log->bytes + (log->tail - log->base_before));
		log->n_tail++;
	}
	memcpy(log->bytes + at, frame, len);
	log->head += len;
	log->n_head++;
}

struct log_cursor room_log_end(const struct room_log *log)
{
	return (struct log_cursor){ log->head, log->n_head };
}

/* The nearer of the two to frame n, among those that are kept and not behind it. */
static void begin_nearer(const struct room_log *log, struct log_cursor *cursor,
			 uint64_t at, uint32_t n_at, uint32_t n)
{
	uint32_t kept = n_at - log->n_tail;

	if (at >= log->tail && kept <= n && kept >= cursor->n - log->n_tail)
		*cursor = (struct log_cursor){ at, n_at };
}

struct log_cursor room_log_seek(struct room_log *log, uint32_t n)
{
	struct log_cursor cursor = { log->tail, log->n_tail };

	CHECK(n <= room_log_count(log));
	begin_nearer(log, &cursor, log->base, log->n_base, n);
	begin_nearer(log, &cursor, log->mark, log->n_mark, n);
	while (cursor.n - log->n_tail < n) {
		uint64_t begin = cursor.at < log->base ? log->base_before : log->base;

		cursor.at += frame_length(log->bytes + (cursor.at - begin));
		if (++cursor.n % MARK_EVERY == 0) {
			log->mark = cursor.at;
			log->n_mark = cursor.n;
		}
	}
	return cursor;
}

size_t room_log_run(const struct room_log *log, struct log_cursor *cursor, size_t max,
		    const uint8_t **ret_data)
{
	uint64_t begin = cursor->at < log->base ? log->base_before : log->base;
	uint64_t end = cursor->at < log->base ? log->base : log->head;
	uint32_t n_end = cursor->at < log->base ? log->n_base : log->n_head;
	size_t run = end - cursor->at;

	CHECK(cursor->at >= log->tail);
	if (!run)
		return 0;
	*ret_data = log->bytes + (cursor->at - begin);
	if (run <= max) {
		cursor->n = n_end;
	} else {
		uint32_t n;

		run = frames_run(*ret_data, run, max, &n);
		cursor->n += n;
	}
	cursor->at += run;
	return run;
}
