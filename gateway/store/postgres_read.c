#include "gateway/store/postgres_read.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct pgread {
	struct pgcall call;
	struct pgreads *reads;
	struct pgread *prev, *next;
	struct store_query query;
	char room[ROOM_NAME_MAX];
	uint64_t due_ms;
	store_read_done *done;
	void *app;
	bool answered;
};

static struct pgread *read_of(struct pgcall *call)
{
	return (struct pgread *)((char *)call - offsetof(struct pgread, call));
}

/* ---- what came ---- */

/* How many there are in the database between the query's bounds: no holes. */
static uint64_t n_between(const struct store_query *query, const struct store_page *page)
{
	uint64_t from = query->after + 1, to = page->head;

	if (from < page->first)
		from = page->first;
	if (query->before && query->before <= to)
		to = query->before - 1;
	return to >= from && query->after < UINT64_MAX ? to - from + 1 : 0;
}

static void fill_message(const struct store_query *query, const struct pgrows *rows,
			 unsigned row, struct message *message)
{
	*message = (struct message){
		.room = query->room,
		.seq = pgrows_int(rows, row, 2),
		.at_ms = pgrows_ms(rows, row, 3),
		.from = pgrows_text(rows, row, 4),
		.id = pgrows_text(rows, row, 5),
		.body = pgrows_text(rows, row, 6),
	};
}

/* A room without messages between the bounds comes as a row of nulls. */
static int fill_page(const struct store_query *query, const struct pgrows *rows,
		     struct store_page *page)
{
	unsigned n = pgrows_n(rows);
	struct message *messages = NULL;

	*page = (struct store_page){ .first = 1 };
	if (n == 0)
		return 0;
	page->head = pgrows_int(rows, 0, 0);
	page->first = pgrows_int(rows, 0, 1);
	if (query->limit > 0 && !pgrows_null(rows, 0, 2)) {
		messages = calloc(n, sizeof *messages);
		if (!messages)
			return -ENOMEM;
		for (unsigned i = 0; i < n; i++)
			fill_message(query, rows, i, &messages[i]);
		page->messages = messages;
		page->n = n;
	}
	page->more = n_between(query, page) > page->n;
	return 0;
}

/* Answered here, where the rows are; there is nothing that a commit could change. */
static void on_rows(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgread *read = read_of(call);
	struct store_page page;
	int r = fill_page(&read->query, rows, &page);

	(void)nth; /* there is one statement */
	read->answered = true;
	/* The callback may close the store, and then this read is no more. */
	read->done(read->app, r, r < 0 ? NULL : &page);
	if (r == 0)
		free((void *)(uintptr_t)page.messages);
}

/* ---- sending ---- */

static void send_some(struct pgreads *reads);

static void on_done(struct pgcall *call, int status)
{
	struct pgread *read = read_of(call);
	struct pgreads *reads = read->reads;

	reads->n_under_way--;
	if (!read->answered)
		read->done(read->app, status == 0 || status == -EAGAIN ? -EIO : status,
			   NULL);
	free(read);
	if (status == 0)
		send_some(reads);
}

static uint64_t number(uint64_t n)
{
	return htobe64(n < INT64_MAX ? n : INT64_MAX);
}

static void send_one(struct pgreads *reads, struct pgread *read)
{
	const struct store_query *q = &read->query;
	uint64_t after = number(q->after), limit = number(q->limit),
		 before = number(q->before ? q->before : INT64_MAX),
		 bytes = number(q->bytes_max);
	const struct pgvalue values[] = {
		{ q->room.at, (int)q->room.len }, { &after, sizeof after },
		{ &before, sizeof before },       { &limit, sizeof limit },
		{ &bytes, sizeof bytes },
	};
	const char *page = q->newest ? "newest" : "oldest";

	reads->n_under_way++;
	pglink_execute(reads->link, q->limit ? page : "head", values, q->limit ? 5 : 1);
	pglink_end(reads->link, &read->call, read->due_ms);
}

static void send_some(struct pgreads *reads)
{
	while (reads->queue && reads->n_under_way < PGREADS_UNDER_WAY_MAX) {
		struct pgread *read = reads->queue;

		DL_DELETE(reads->queue, read);
		send_one(reads, read);
	}
}

int pgreads_begin(struct pgreads *reads, const struct store_query *query, uint64_t now_ms,
		  store_read_done *done, void *app)
{
	struct pgread *read;

	if (query->room.len > ROOM_NAME_MAX)
		return -EINVAL;
	read = calloc(1, sizeof *read);
	if (!read)
		return -ENOMEM;
	memcpy(read->room, query->room.at, query->room.len);
	read->query = *query;
	read->query.room.at = read->room;
	read->reads = reads;
	read->call.rows = on_rows;
	read->call.done = on_done;
	read->due_ms = now_ms + reads->deadline_ms;
	read->done = done;
	read->app = app;
	DL_APPEND(reads->queue, read);
	send_some(reads);
	return 0;
}

void pgreads_lost(struct pgreads *reads)
{
	while (reads->queue) {
		struct pgread *read = reads->queue;

		DL_DELETE(reads->queue, read);
		read->done(read->app, -ENOTCONN, NULL);
		free(read);
	}
}
