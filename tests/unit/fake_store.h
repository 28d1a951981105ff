/*
 * fake_store - a store whose answers the test releases: at once, late, or failing.
 *
 * A room holds the messages first .. head, all alike but for their sequence (and their
 * body, if body_of says so). What said() tells is in the store as well.
 */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/store.h"

enum {
	STORE_ROOMS = 128,
	STORE_READS = 128,
};

struct stored_room {
	char name[ROOM_NAME_MAX + 1];
	uint64_t first, head;
};

struct store_asked {
	char room[ROOM_NAME_MAX + 1];
	struct store_query query;
	uint64_t head; /* when it was asked */
	store_read_done *done;
	void *app;
};

static struct stored_room stored[STORE_ROOMS];
static unsigned n_stored;
static struct store_asked asked[STORE_READS]; /* not answered yet; in order */
static unsigned n_asked;
static unsigned n_reads; /* ever asked */
static bool reads_wait;  /* for the test to answer them */
static bool reads_early; /* answers are of the moment of the asking */
static int read_refusal; /* what store_read itself answers */
static const char *(*body_of)(const char *room, uint64_t seq);

static inline void fake_store_reset(void)
{
	n_stored = n_asked = n_reads = 0;
	reads_wait = reads_early = false;
	read_refusal = 0;
	body_of = NULL;
}

static inline struct stored_room *stored_room(const char *name)
{
	for (unsigned i = 0; i < n_stored; i++)
		if (strcmp(stored[i].name, name) == 0)
			return &stored[i];
	assert_true(n_stored < STORE_ROOMS);
	snprintf(stored[n_stored].name, sizeof stored->name, "%s", name);
	stored[n_stored].first = 1;
	stored[n_stored].head = 0;
	return &stored[n_stored++];
}

/* The room has the messages first .. head. */
static inline void store_holds(const char *room, uint64_t first, uint64_t head)
{
	stored_room(room)->first = first;
	stored_room(room)->head = head;
}

static inline void store_has(const char *room, uint64_t seq)
{
	if (stored_room(room)->head < seq)
		stored_room(room)->head = seq;
}

static inline struct message stored_message(const char *room, uint64_t seq)
{
	const char *body = body_of ? body_of(room, seq) : "1";

	return (struct message){
		.room = { room, (uint32_t)strlen(room) },
		.id = { "i", 1 },
		.from = { "ann", 3 },
		.body = { body, (uint32_t)strlen(body) },
		.seq = seq,
		.at_ms = 1000,
	};
}

static inline int on_read(void *app, const struct store_query *query,
			  store_read_done *done, void *done_app)
{
	struct store_asked *ask = &asked[n_asked];

	(void)app;
	n_reads++;
	if (read_refusal < 0)
		return read_refusal;
	assert_true(n_asked < STORE_READS);
	*ask = (struct store_asked){ .query = *query, .done = done, .app = done_app };
	snprintf(ask->room, sizeof ask->room, "%.*s", (int)query->room.len,
		 query->room.at);
	ask->head = stored_room(ask->room)->head;
	n_asked++;
	return 0;
}

/* What the store says of the query now. The messages are the caller's to free. */
static inline struct store_page stored_page(const struct store_asked *ask,
					    struct message **ret_messages)
{
	const struct store_query *query = &ask->query;
	const struct stored_room *room = stored_room(ask->room);
	uint64_t head = reads_early ? ask->head : room->head;
	uint64_t first = room->first > head + 1 ? head + 1 : room->first;
	struct store_page page = { .head = head, .first = first };
	uint64_t from = query->after + 1 > first ? query->after + 1 : first;
	uint64_t to = query->before && query->before <= head ? query->before - 1 : head;
	uint64_t n = from <= to ? to - from + 1 : 0;
	uint64_t bytes = 0;

	page.more = n > query->limit;
	if (page.more && query->newest)
		from = to + 1 - query->limit;
	n = page.more ? query->limit : n;
	*ret_messages = calloc(n + 1, sizeof **ret_messages);
	assert_non_null(*ret_messages);
	for (; page.n < n; page.n++) {
		struct message *message = &(*ret_messages)[page.n];

		*message = stored_message(ask->room, from + page.n);
		message->body.at = strdup(message->body.at);
		bytes += message->body.len;
		if (page.n && query->bytes_max && bytes > query->bytes_max) {
			free((void *)(uintptr_t)message->body.at);
			page.more = true;
			break;
		}
	}
	page.messages = *ret_messages;
	return page;
}

/* Answers one of those that wait. */
static inline void answer(unsigned i, int status)
{
	struct store_asked ask;
	struct store_page page;
	struct message *messages;

	assert_true(i < n_asked);
	ask = asked[i];
	memmove(asked + i, asked + i + 1, (n_asked - i - 1) * sizeof *asked);
	n_asked--;
	if (status < 0) {
		ask.done(ask.app, status, NULL);
		return;
	}
	page = stored_page(&ask, &messages);
	ask.done(ask.app, 0, &page);
	for (uint32_t k = 0; k < page.n; k++)
		free((void *)(uintptr_t)messages[k].body.at);
	free(messages);
}

#endif
