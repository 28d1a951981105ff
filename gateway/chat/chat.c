#include "gateway/chat/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/chat/catchup.h"
#include "gateway/chat/census.h"
#include "gateway/chat/history.h"
#include "gateway/chat/inside.h"
#include "gateway/chat/member.h"
#include "gateway/chat/presence.h"
#include "gateway/chat/read.h"

static void publish_waiting(struct chat *chat)
{
	counter_set(chat->slot, COUNTER_room_log_bytes, chat->rooms.log_bytes);
	counter_set(chat->slot, COUNTER_catchup_bytes,
		    chat->rooms.page_bytes + chat->history_bytes);
	counter_set(chat->slot, COUNTER_members_untold, chat->rooms.n_untold);
}

void chat_publish(struct chat *chat)
{
	counter_set(chat->slot, COUNTER_rooms, HASH_COUNT(chat->rooms.by_name));
	counter_set(chat->slot, COUNTER_members, chat->rooms.n_members);
	counter_set(chat->slot, COUNTER_outbox_bytes, chat->outbox_bytes);
	publish_waiting(chat);
	counter_set(chat->slot, COUNTER_sends_pending, pending_count(&chat->pendings));
	counter_set(chat->slot, COUNTER_sends_pending_bytes, chat->pendings.bytes);
}

/* For who watches how near the bounds are. */
static void publish_limits(struct chat *chat)
{
	const struct chat_limits *limits = &chat->limits;

	counter_set(chat->slot, COUNTER_sends_pending_max, limits->sends_pending);
	counter_set(chat->slot, COUNTER_outbox_max_bytes, limits->outboxes_bytes);
	counter_set(chat->slot, COUNTER_room_log_max_bytes, limits->room_logs_bytes);
	counter_set(chat->slot, COUNTER_catchup_max_bytes, limits->catchup_bytes);
}

int chat_new(const struct chat_io *io, const struct chat_limits *limits,
	     struct segment_slot *slot, struct chat **ret_chat)
{
	struct chat *chat = calloc(1, sizeof *chat);

	if (!chat)
		return -ENOMEM;
	chat->magic = CHAT_MAGIC;
	chat->io = *io;
	chat->limits = *limits;
	chat->slot = slot;
	chat->rooms.log_max = limits->room_log_bytes;
	chat->rooms.logs_max = limits->room_logs_bytes;
	chat->rooms.rooms_max = limits->rooms;
	chat->rooms.pages_max = limits->catchup_bytes / 2;
	chat->pendings.max = limits->sends_pending;
	chat->pendings.bytes_max = limits->sends_pending_bytes;
	if (scratch_grow(chat, 0) < 0) {
		free(chat);
		return -ENOMEM;
	}
	publish_limits(chat);
	*ret_chat = chat;
	return 0;
}

void chat_free(struct chat *chat)
{
	struct pending *pending, *next;

	if (!chat)
		return;
	CHECK_OBJ(chat, CHAT_MAGIC);
	CHECK(chat->n_sessions == 0);
	HASH_ITER(hh, chat->pendings.by_ticket, pending, next)
	pending_remove(&chat->pendings, pending);
	reads_forget(chat);
	histories_forget(chat);
	presence_stop(chat);
	censuses_forget(chat);
	rate_stop(chat);
	chat_publish(chat);
	chat->magic = 0;
	free(chat->lent);
	free(chat->scratch);
	deflated_stop(chat);
	free(chat);
}

struct session *chat_opened(struct chat *chat, struct link *link,
			    const char *session_name, const char *user,
			    struct grants *grants)
{
	struct session *session = session_new(chat, link, user, grants);
	const struct chat_limits *limits = &chat->limits;

	CHECK_OBJ(chat, CHAT_MAGIC);
	if (!session)
		return NULL;
	chat->n_sessions++;
	say(session, wire_welcome(scratch_at(chat), scratch_left(chat), session_name,
				  user, limits->message_max, limits->rooms_per_link,
				  limits->ping_interval_ms, limits->ping_timeout_ms));
	return session;
}

void chat_returns(struct session *session, uint64_t generation)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	session->former = (uint32_t)generation; /* names hold no more of it */
}

void chat_is_canary(struct session *session)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	session->canary = true;
}

bool chat_reserves(const struct chat *chat, struct text room)
{
	const char *name = chat->limits.canary_room;

	return name && strlen(name) == room.len && memcmp(name, room.at, room.len) == 0;
}

void chat_message(struct session *session, const char *data, size_t len)
{
	struct request request;
	const char *what;
	int r;

	CHECK_OBJ(session, SESSION_MAGIC);
	if (session->closing)
		return;
	counter_add(session->chat->slot, COUNTER_ops_in, 1);
	r = request_read(data, len, &request, &what);
	if (r < 0) {
		say_error(session, &request.ref, (enum wire_error)(-r - 1), what);
		return;
	}
	request_do(session, &request);
	request_release(&request);
}

void chat_closed(struct session *session)
{
	struct chat *chat = session->chat;

	CHECK_OBJ(session, SESSION_MAGIC);
	session_clear(session);
	pending_forget_session(&chat->pendings, session);
	session_free(session);
	chat->n_sessions--;
	chat_publish(chat);
}

size_t chat_next(struct session *session, size_t max, const uint8_t **ret_data)
{
	struct chat *chat = session->chat;
	uint64_t n_frames = 0;
	size_t run;

	CHECK_OBJ(session, SESSION_MAGIC);
	free(chat->lent);
	chat->lent = NULL;
	session->asked = false;
	run = outbox_take(&session->outbox, max, ret_data, &chat->lent);
	if (run) {
		chat->outbox_bytes -= run;
		counter_set(chat->slot, COUNTER_outbox_bytes, chat->outbox_bytes);
		return run;
	}
	run = history_next(session, ret_data);
	if (run)
		return run;
	run = member_next(&chat->rooms, session, max, ret_data, &n_frames);
	if (n_frames)
		counter_add(chat->slot, COUNTER_deliveries, n_frames);
	return run;
}

bool chat_has_next(const struct session *session)
{
	CHECK_OBJ(session, SESSION_MAGIC);
	return outbox_len(&session->outbox) || history_has_next(session) ||
	       session->news_first != NO_PLACE;
}

bool chat_flush(struct chat *chat)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
	presence_turn(chat);
	tell_rooms(chat);
	ask_links(chat);
	reads_start(chat);
	histories_start(chat);
	censuses_turn(chat);
	latency_turn(chat);
	publish_waiting(chat);
	return chat->rooms.dirty || chat->ask;
}

void chat_tick(struct chat *chat, uint64_t now_ms)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
	pages_release_idle(&chat->rooms);
	reads_resume(chat);
	presence_tick(chat);
	censuses_ask_again(chat);
	rate_tick(chat);
	chat_publish(chat);
}

void chat_tell_drain(struct session *session, uint64_t reconnect_after_ms)
{
	struct chat *chat = session->chat;

	CHECK_OBJ(session, SESSION_MAGIC);
	say(session,
	    wire_drain(scratch_at(chat), scratch_left(chat), reconnect_after_ms));
}
