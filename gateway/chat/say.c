#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/history.h"
#include "gateway/chat/inside.h"
#include "gateway/chat/member.h"
#include "gateway/chat/rate.h"

/* ---- making frames -------------------------------------------------------------- */
/* An event is written behind place for the longest head; the head, once its length
 * is known, is put right before it. */

char *scratch_at(struct chat *chat)
{
	return (char *)chat->scratch + FRAME_HEAD_MAX;
}

size_t scratch_left(const struct chat *chat)
{
	return chat->scratch_size - FRAME_HEAD_MAX;
}

int scratch_grow(struct chat *chat, size_t len)
{
	size_t size = FRAME_HEAD_MAX + WIRE_ENVELOPE_MAX + len;
	uint8_t *scratch;

	if (size <= chat->scratch_size)
		return 0;
	scratch = realloc(chat->scratch, size);
	if (!scratch)
		return -ENOMEM;
	chat->scratch = scratch;
	chat->scratch_size = size;
	return 0;
}

const uint8_t *scratch_frame(struct chat *chat, size_t len, size_t *ret_len)
{
	uint8_t head[FRAME_HEAD_MAX];
	unsigned n = frame_head(head, FRAME_TEXT, len);
	uint8_t *frame = chat->scratch + FRAME_HEAD_MAX - n;

	for (unsigned i = 0; i < n; i++)
		frame[i] = head[i];
	*ret_len = n + len;
	return frame;
}

/* ---- asking links to send ------------------------------------------------------- */

void session_will_ask(struct session *session)
{
	if (session->asked || session->to_ask || session->closing)
		return;
	session->to_ask = true;
	DL_APPEND2(session->chat->ask, session, ask_prev, ask_next);
}

static void unlist(struct session *session)
{
	if (session->to_ask)
		DL_DELETE2(session->chat->ask, session, ask_prev, ask_next);
	session->to_ask = false;
}

void session_ask(struct session *session)
{
	unlist(session);
	session->asked = true;
	session->chat->io.wants_to_send(session->link);
}

/* ---- one client ----------------------------------------------------------------- */

void session_clear(struct session *session)
{
	struct chat *chat = session->chat;

	unlist(session);
	history_drop(session);
	rate_forget(session);
	member_leave_all(&chat->rooms, session);
	chat->outbox_bytes -= outbox_len(&session->outbox);
	outbox_release(&session->outbox);
	chat_publish(chat);
}

void session_doom(struct session *session, uint16_t code, const char *reason)
{
	if (session->closing)
		return;
	session_clear(session);
	session->closing = true;
	session->chat->io.close(session->link, code, reason);
}

size_t session_outbox_max(const struct session *session)
{
	const struct chat *chat = session->chat;
	const struct chat_limits *limits = &chat->limits;
	uint64_t left = limits->outboxes_bytes > chat->outbox_bytes
				? limits->outboxes_bytes - chat->outbox_bytes
				: 0;
	uint64_t own = outbox_len(&session->outbox) + left;

	return own < limits->outbox_max ? own : limits->outbox_max;
}

static int keep(struct session *session, const uint8_t *frame, size_t len)
{
	int r = outbox_put(&session->outbox, frame, len, session_outbox_max(session));

	/* Much may be answered in one turn: who reads gets the chance to. */
	if (r == -ENOBUFS && session->to_ask) {
		session_ask(session);
		r = outbox_put(&session->outbox, frame, len, session_outbox_max(session));
	}
	return r;
}

void say(struct session *session, int len)
{
	struct chat *chat = session->chat;
	const uint8_t *frame;
	size_t frame_len;
	int r = len;

	if (session->closing)
		return;
	if (r >= 0) {
		frame = scratch_frame(chat, (size_t)len, &frame_len);
		r = keep(session, frame, frame_len);
	}
	if (r == -ENOBUFS) {
		session_doom(session, CLOSE_SLOW_READER, "slow reader");
	} else if (r < 0) {
		session_doom(session, CLOSE_INTERNAL, "out of memory");
	} else {
		chat->outbox_bytes += frame_len;
		counter_set(chat->slot, COUNTER_outbox_bytes, chat->outbox_bytes);
		session_will_ask(session);
	}
}

void say_error(struct session *session, const struct ref *ref, enum wire_error error,
	       const char *text)
{
	struct chat *chat = session->chat;

	counter_add(chat->slot, COUNTER_errors_out, 1);
	say(session, wire_error(scratch_at(chat), scratch_left(chat), ref, error, text));
}
