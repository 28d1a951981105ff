/*
 * What chat itself costs: one room, 1,000 members, links that take their bytes and
 * drop them. Nanoseconds per delivery, one and 32 messages a turn, and the memory
 * of a session in one room.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/segment_writer.h"
#include "gateway/chat/chat.h"

enum {
	MEMBERS = 1000,
	MESSAGES = 32000,
	ROUNDS = 3,
	RUN_MAX = 262144
};

struct link {
	struct session *session;
};

static struct link links[MEMBERS];
static struct segment_slot slot;
static uint64_t n_bytes;

static void on_wants_to_send(struct link *link)
{
	const uint8_t *data;
	size_t len;

	while ((len = chat_next(link->session, RUN_MAX, &data)))
		n_bytes += len;
}

static void on_close(struct link *link, uint16_t code, const char *reason)
{
	CHECK(!"no link is closed here");
}

static int on_submit(void *app, uint64_t ticket, const struct message *message)
{
	return 0;
}

static store_read_done *read_done;
static void *read_app;

static int on_read(void *app, const struct store_query *query, store_read_done *done,
		   void *done_app)
{
	read_done = done;
	read_app = done_app;
	return 0;
}

/* Nothing was ever said. */
static void answer_read(void)
{
	const struct store_page empty = { .first = 1 };

	if (read_done)
		read_done(read_app, 0, &empty);
	read_done = NULL;
}

static void open_links(struct chat *chat)
{
	static const char join[] = "{\"op\":\"join\",\"room\":\"lobby\"}";
	struct mallinfo2 before = mallinfo2();

	for (unsigned i = 0; i < MEMBERS; i++) {
		links[i].session = chat_opened(chat, &links[i], "0123456789abcdef",
					       "user-name", NULL);
		CHECK(links[i].session);
		chat_message(links[i].session, join, sizeof join - 1);
		chat_flush(chat);
		answer_read();
		chat_flush(chat);
	}
	printf("memory of a session in one room: %zu bytes\n",
	       (mallinfo2().uordblks - before.uordblks) / MEMBERS);
}

static uint64_t on_now_us(void *app)
{
	return clock_mono_ns() / 1000;
}

/* Nanoseconds per delivery with so many messages in each turn. */
static double fan_out(struct chat *chat, uint64_t *seq, unsigned per_turn)
{
	struct message message = {
		.room = { "lobby", 5 },
		.id = { "c1-1234", 7 },
		.from = { "user-name", 9 },
		.body = { "{\"text\":\"hello everybody\"}", 26 },
	};
	uint64_t start = clock_mono_ns();

	for (unsigned i = 0; i < MESSAGES / per_turn; i++) {
		for (unsigned k = 0; k < per_turn; k++) {
			message.seq = ++*seq;
			message.at_ms = 1700000000000;
			message.read_us = 1;
			chat_sequenced(chat, &message, false, false, 0);
		}
		chat_flush(chat);
	}
	return (double)(clock_mono_ns() - start) / MESSAGES / MEMBERS;
}

int main(void)
{
	static const unsigned per_turn[] = { 1, 32 };
	const struct chat_io io = {
		.wants_to_send = on_wants_to_send,
		.close = on_close,
		.submit = on_submit,
		.read = on_read,
		.now_us = on_now_us,
	};
	const struct chat_limits limits = {
		.message_max = 65536,
		.rooms_per_link = 64,
		.rooms = 1000,
		.room_log_bytes = 4 << 20,
		.room_logs_bytes = 1 << 30,
		.outbox_max = 65536,
		.outboxes_bytes = 1 << 30,
		.sends_pending = 4096,
		.sends_pending_bytes = 1 << 20,
		.catchup_bytes = 1 << 20,
		.reads_max = 64,
		.asks_max = 2 * MEMBERS,
	};
	struct chat *chat;
	uint64_t seq = 0;

	CHECK(chat_new(&io, &limits, &slot, &chat) == 0);
	open_links(chat);
	for (size_t i = 0; i < sizeof per_turn / sizeof *per_turn; i++) {
		double best = 1e9;

		for (unsigned round = 0; round < ROUNDS; round++) {
			double ns = fan_out(chat, &seq, per_turn[i]);

			best = ns < best ? ns : best;
		}
		printf("delivery, %2u messages a turn: %.1f ns\n", per_turn[i], best);
	}
	CHECK(counter_get(&slot, COUNTER_deliveries) == seq * MEMBERS);
	CHECK(n_bytes > seq * MEMBERS * 100);
	for (unsigned i = 0; i < MEMBERS; i++)
		chat_closed(links[i].session);
	chat_free(chat);
	return 0;
}
