/*
 * fake_links - a chat with links that only remember what happened to them.
 *
 * A link takes its bytes when asked, unless it is `stuck`; what it got is kept as
 * text, one event a line. The sequencer is the test: said() gives messages their
 * sequence. The store is fake_store.h's.
 */
#ifndef FAKE_LINKS_H
#define FAKE_LINKS_H

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

#include "common/segment_writer.h"
#include "gateway/chat/cast.h"
#include "gateway/chat/chat.h"
#include "gateway/chat/frames.h"
#include "gateway/wire/deflate.h"
#include "gateway/wire/frame.h"
#include "tests/unit/fake_store.h"

enum {
	LINKS = 8,
	SUBMITS = 64,
	CASTS = 256,
	FORMER = 17, /* the generation of a dead process */
	TAKE_MAX = 65536
};

struct link {
	struct session *session;
	bool stuck;    /* the socket has no room */
	bool deflates; /* reads compressed frames */
	unsigned n_asked;
	uint16_t closed; /* code */
	size_t n_events, n_compressed, got_len;
	char got[1 << 20];
};

static struct link links[LINKS];
static struct chat *chat;
static struct segment_slot slot;
static struct chat_limits limits;
static int submit_answer;
static struct submitted {
	uint64_t ticket;
	char room[65], id[65], from[65];
} submits[SUBMITS];
static unsigned n_submits;
static uint64_t now_ms, mono_us; /* mono_us 0: follows now_ms */
static int cast_answer;
static struct {
	size_t len;
	uint8_t bytes[CAST_BYTES];
} casts[CASTS];
static unsigned n_casts;
static int n_whole, n_trimmed; /* links that came back from FORMER, and how */
static unsigned n_peers;       /* in the first slots, generations 40, 41 … */

/* ---- what chat asks for --------------------------------------------------------- */

static inline void keep_text(struct link *link, const uint8_t *text, size_t len)
{
	assert_true(link->got_len + len + 2 < sizeof link->got);
	memcpy(link->got + link->got_len, text, len);
	link->got_len += len;
	link->got[link->got_len++] = '\n';
	link->got[link->got_len] = '\0';
	link->n_events++;
}

static inline void keep_event(struct link *link, const uint8_t *frame, size_t len)
{
	size_t head = frame[1] < 126 ? 2 : frame[1] == 126 ? 4 : 10;
	struct inflater *inflater;
	const uint8_t *text;
	size_t text_len;

	if (frame[0] == (0x80 | FRAME_TEXT)) {
		keep_text(link, frame + head, len - head);
		return;
	}
	assert_int_equal(frame[0], 0x80 | FRAME_RSV1 | FRAME_TEXT);
	assert_true(link->deflates);
	assert_int_equal(inflater_new(1 << 20, &inflater), 0);
	assert_int_equal(
		inflater_run(inflater, frame + head, len - head, &text, &text_len), 0);
	assert_true(len - head < text_len); /* or it was not worth it */
	keep_text(link, text, text_len);
	link->n_compressed++;
	inflater_free(inflater);
}

/* One run, as a socket with room would take it. */
static inline size_t take(struct link *link, size_t max)
{
	const uint8_t *data = NULL;
	size_t len = chat_next(link->session, max, &data);

	for (size_t at = 0; at < len;) {
		size_t n = frame_length(data + at);

		assert_true(at + n <= len); /* whole frames only */
		keep_event(link, data + at, n);
		at += n;
	}
	return len;
}

static inline void on_wants_to_send(struct link *link)
{
	link->n_asked++;
	assert_int_equal(link->closed, 0);
	while (!link->stuck && take(link, TAKE_MAX))
		;
}

static inline void on_close(struct link *link, uint16_t code, const char *reason)
{
	assert_int_equal(link->closed, 0);
	assert_true(*reason);
	link->closed = code;
}

static inline int on_submit(void *app, uint64_t ticket, const struct message *message)
{
	assert_ptr_equal(app, links);
	if (submit_answer < 0)
		return submit_answer;
	assert_true(n_submits < SUBMITS);
	submits[n_submits].ticket = ticket;
	snprintf(submits[n_submits].id, sizeof submits->id, "%.*s", (int)message->id.len,
		 message->id.at);
	snprintf(submits[n_submits].from, sizeof submits->from, "%.*s",
		 (int)message->from.len, message->from.at);
	snprintf(submits[n_submits].room, sizeof submits->room, "%.*s",
		 (int)message->room.len, message->room.at);
	n_submits++;
	return 0;
}

/* What is due goes out; reads are answered unless they wait for the test. */
static inline void flush(void)
{
	while (chat_flush(chat))
		;
	while (n_asked && !reads_wait) {
		answer(0, 0);
		while (chat_flush(chat))
			;
	}
}

/* The oldest read that waits is answered. */
static inline void answer_read(int status)
{
	answer(0, status);
	chat_flush(chat);
}

static inline int on_cast(void *app, const void *data, size_t len)
{
	assert_ptr_equal(app, links);
	if (cast_answer < 0)
		return cast_answer;
	assert_true(n_casts < CASTS && len <= sizeof casts->bytes);
	memcpy(casts[n_casts].bytes, data, len);
	casts[n_casts++].len = len;
	return 0;
}

static inline void on_peers(void *app, uint64_t generations[SEGMENT_SLOTS_MAX])
{
	assert_ptr_equal(app, links);
	for (unsigned i = 0; i < n_peers; i++)
		generations[i] = 40 + i;
}

static inline uint64_t on_now_ms(void *app)
{
	assert_ptr_equal(app, links);
	return now_ms;
}

static inline uint64_t on_now_us(void *app)
{
	assert_ptr_equal(app, links);
	return mono_us ? mono_us : now_ms * 1000;
}

/* ---- life ----------------------------------------------------------------------- */

/* Limits that tests change before chat_start. */
static inline int links_setup(void **state)
{
	(void)state;
	memset(links, 0, sizeof links);
	memset(&slot, 0, sizeof slot);
	limits = (struct chat_limits){
		.message_max = 65536,
		.rooms_per_link = 4,
		.rooms = 100,
		.room_log_bytes = 65536,
		.room_logs_bytes = 1 << 20,
		.outbox_max = 4096,
		.outboxes_bytes = 1 << 30,
		.sends_pending = 8,
		.sends_pending_bytes = 1 << 20,
		.catchup_bytes = 1 << 20,
		.reads_max = 64,
		.asks_max = 4096,
		.generation = 7,
		.cast_bytes = 262144,
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 20000,
	};
	fake_store_reset();
	submit_answer = cast_answer = 0;
	n_casts = n_peers = 0;
	n_whole = n_trimmed = 0;
	now_ms = 1000000;
	mono_us = 0;
	n_submits = 0;
	return 0;
}

static inline void on_resumed(void *app, uint64_t generation, enum resumed how, int n)
{
	assert_ptr_equal(app, links);
	assert_int_equal(generation, FORMER);
	assert_true(how == RESUMED_whole || how == RESUMED_trimmed);
	if (how == RESUMED_whole)
		n_whole += n;
	else
		n_trimmed += n;
}

/* A new chat, in which the first n links are open and have read their welcome. */
static inline void chat_start(unsigned n)
{
	const struct chat_io io = {
		.app = links,
		.wants_to_send = on_wants_to_send,
		.close = on_close,
		.submit = on_submit,
		.read = on_read,
		.cast = on_cast,
		.peers = on_peers,
		.now_ms = on_now_ms,
		.now_us = on_now_us,
		.resumed = on_resumed,
	};
	char user[16];

	assert_int_equal(chat_new(&io, &limits, &slot, &chat), 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(user, sizeof user, "u%u", i);
		links[i].session = chat_opened(chat, &links[i], "s", user, NULL);
		assert_non_null(links[i].session);
	}
	flush();
	for (unsigned i = 0; i < n; i++)
		links[i].got_len = links[i].n_events = 0;
}

static inline void hang_up(struct link *link)
{
	chat_closed(link->session);
	link->session = NULL;
}

/* Every gauge is 0 once everybody is gone: nothing was forgotten. */
static inline int links_teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LINKS; i++)
		if (links[i].session)
			hang_up(&links[i]);
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
	assert_int_equal(counter_get(&slot, COUNTER_members), 0);
	assert_int_equal(counter_get(&slot, COUNTER_room_log_bytes), 0);
	assert_int_equal(counter_get(&slot, COUNTER_outbox_bytes), 0);
	chat_flush(chat);
	assert_int_equal(counter_get(&slot, COUNTER_members_untold), 0);
	chat_free(chat);
	while (n_asked) /* they find nobody */
		answer(0, n_asked % 2 ? 0 : -ENOTCONN);
	assert_int_equal(counter_get(&slot, COUNTER_catchup_bytes), 0);
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
	return 0;
}

/* ---- doing ---------------------------------------------------------------------- */

/* The link agreed on compression; before it does anything. */
static inline void deflates(struct link *link)
{
	assert_int_equal(chat_deflates(link->session), 0);
	link->deflates = true;
}

/* The client says this; what is due goes out. */
static inline void ask(struct link *link, const char *json)
{
	chat_message(link->session, json, strlen(json));
	flush();
}

static inline void join(struct link *link, const char *room)
{
	char json[128];

	snprintf(json, sizeof json, "{\"op\":\"join\",\"room\":\"%s\"}", room);
	ask(link, json);
}

static inline void join_since(struct link *link, const char *room, uint64_t since)
{
	char json[128];

	snprintf(json, sizeof json, "{\"op\":\"join\",\"room\":\"%s\",\"since\":%llu}",
		 room, (unsigned long long)since);
	ask(link, json);
}

static inline void leave(struct link *link, const char *room)
{
	char json[128];

	snprintf(json, sizeof json, "{\"op\":\"leave\",\"room\":\"%s\"}", room);
	ask(link, json);
}

/* A send with body 1. */
static inline void send_id(struct link *link, const char *room, const char *id)
{
	char json[128];

	snprintf(json, sizeof json,
		 "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"%s\",\"body\":1,\"ref\":9}",
		 room, id);
	ask(link, json);
}

/* The room's message `seq` comes, not flushed. */
static inline void said(const char *room, uint64_t seq, const char *body, bool mine,
			uint64_t ticket)
{
	struct message message = stored_message(room, seq);

	message.body = (struct text){ body, (uint32_t)strlen(body) };
	store_has(room, seq);
	chat_sequenced(chat, &message, false, mine, ticket);
}

/* The same of another worker's client, flushed. */
static inline void heard(const char *room, uint64_t seq)
{
	said(room, seq, "1", false, 0);
	flush();
}

/* ---- seeing --------------------------------------------------------------------- */

/* What the link got since the last time, one event a line. */
static inline void assert_got(struct link *link, const char *expected)
{
	link->got[link->got_len] = '\0';
	assert_string_equal(link->got, expected);
	link->got_len = link->n_events = 0;
}

/* The line of message `seq` of a room with body 1. */
#define MESSAGE(room, seq)                                       \
	"{\"op\":\"message\",\"room\":\"" room "\",\"seq\":" seq \
	",\"id\":\"i\",\"from\":\"ann\",\"at\":1000,\"body\":1}\n"
#define JOINED(room, head, members)                               \
	"{\"op\":\"joined\",\"room\":\"" room "\",\"head\":" head \
	",\"members\":" members "}\n"
#define LEFT(room) "{\"op\":\"left\",\"room\":\"" room "\"}\n"

#endif
