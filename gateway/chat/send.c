#include "gateway/chat/send.h"

#include <errno.h>
#include <utlist.h>

#include "gateway/chat/join.h"
#include "gateway/chat/member.h"
#include "gateway/chat/rate.h"

/* ---- posts ---------------------------------------------------------------------- */

static int post_status(enum wire_error error)
{
	switch (error) {
	case WIRE_busy: return -EAGAIN;
	case WIRE_too_long: return -EMSGSIZE;
	default: return -ENOTCONN;
	}
}

int chat_post(struct chat *chat, const struct message *message, chat_post_done *done,
	      void *app, uint64_t *ret_ticket)
{
	struct message timed = *message;
	struct pending *pending;
	int r;

	timed.read_us = chat->io.now_us(chat->io.app);
	r = pending_add(&chat->pendings, NULL, &timed, NULL, &pending);
	if (r == 0) {
		counter_add(chat->slot, COUNTER_sends, 1);
		*ret_ticket = pending->ticket;
		r = chat->io.submit(chat->io.app, pending->ticket, &pending->message);
		if (r < 0)
			pending_remove(&chat->pendings, pending);
	}
	if (r < 0 && r != -ENOMEM && r != -EMSGSIZE) {
		counter_add(chat->slot, COUNTER_sends_refused, 1);
		return -EAGAIN;
	}
	if (r < 0)
		return r;
	pending->posted = done;
	pending->posted_app = app;
	chat_publish(chat);
	return 0;
}

void chat_post_forget(struct chat *chat, uint64_t ticket)
{
	struct pending *pending = pending_find(&chat->pendings, ticket);

	if (pending)
		pending->posted = NULL;
}

/* ---- sends ---------------------------------------------------------------------- */

void pending_fail(struct chat *chat, struct pending *pending, enum wire_error error,
		  const char *text)
{
	if (pending->session)
		say_error(pending->session, &pending->ref, error, text);
	if (pending->posted)
		pending->posted(pending->posted_app, post_status(error),
				&pending->message, false);
	pending_remove(&chat->pendings, pending);
}

void pending_submit(struct chat *chat, struct pending *pending)
{
	int r = chat->io.submit(chat->io.app, pending->ticket, &pending->message);

	if (r == -EMSGSIZE) {
		pending_fail(chat, pending, WIRE_too_long, "the message is too long");
	} else if (r < 0) {
		counter_add(chat->slot, COUNTER_sends_refused, 1);
		pending_fail(chat, pending, WIRE_busy, "too much waits; send it later");
	}
}

void pending_release(struct session *session, struct text room)
{
	struct pending *pending, *next;

	DL_FOREACH_SAFE(session->pending, pending, next)
	{
		if (!pending->held || !text_equal(pending->message.room, room))
			continue;
		pending->held = false;
		pending_submit(session->chat, pending);
	}
}

void pending_drop(struct session *session, struct text room, enum wire_error error,
		  const char *text)
{
	struct pending *pending, *next;

	DL_FOREACH_SAFE(session->pending, pending, next)
	if (pending->held && text_equal(pending->message.room, room))
		pending_fail(session->chat, pending, error, text);
}

void do_send(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	const struct message message = {
		.room = request->room,
		.id = request->id,
		.from = session_user(session),
		.body = request->body,
		.read_us = chat->io.now_us(chat->io.app),
	};
	struct pending *pending;
	uint64_t wait_ms;
	uint32_t place;
	int r;

	place = request_membership(session, request);
	if (place == NO_PLACE || !request_allowed(session, request, GRANT_send))
		return;
	wait_ms = rate_message(session, request->body.len);
	if (wait_ms) {
		counter_add(chat->slot, COUNTER_rate_limited, 1);
		counter_add(chat->slot, COUNTER_errors_out, 1);
		say(session, wire_rate_limited(scratch_at(chat), scratch_left(chat),
					       &request->ref, wait_ms));
		return;
	}
	r = pending_add(&chat->pendings, session, &message, &request->ref, &pending);
	if (r == -ENOBUFS) {
		counter_add(chat->slot, COUNTER_sends_refused, 1);
		say_error(session, &request->ref, WIRE_busy,
			  "too much waits; send it later");
	} else if (r < 0) {
		say_error(session, &request->ref, WIRE_unavailable, "out of memory");
	} else {
		counter_add(chat->slot, COUNTER_sends, 1);
		pending->held = join_waits(member_at(session, place));
		if (!pending->held)
			pending_submit(chat, pending);
		chat_publish(chat);
	}
}
