#include <errno.h>

#include "gateway/chat/inside.h"
#include "gateway/chat/member.h"

/* The membership that the request names, or NO_PLACE once the client is told that
 * there is none. */
static uint32_t find_membership(struct session *session, const struct request *request)
{
	struct room *room = rooms_find(&session->chat->rooms, request->room);
	uint32_t place = room ? member_find(session, room) : NO_PLACE;

	if (place == NO_PLACE)
		say_error(session, &request->ref, WIRE_not_member,
			  "you are not in this room");
	return place;
}

static void say_joined(struct session *session, const struct request *request,
		       const struct room *room)
{
	struct chat *chat = session->chat;

	say(session, wire_joined(scratch_at(chat), scratch_left(chat), &request->ref,
				 request->room, room->head, room->n_members));
}

/* Into the room, which is made if need be. */
static int join(struct session *session, struct room *room, struct text name,
		struct room **ret_room)
{
	struct chat *chat = session->chat;
	int r;

	if (!room) {
		r = rooms_add(&chat->rooms, name, chat->io.head(chat->io.app, name),
			      &room);
		if (r < 0)
			return r;
	}
	r = member_join(&chat->rooms, session, room);
	if (r < 0 && !room->n_members)
		rooms_remove(&chat->rooms, room);
	*ret_room = room;
	return r;
}

static void do_join(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	struct room *room = rooms_find(&chat->rooms, request->room);
	int r;

	if (room && member_find(session, room) != NO_PLACE) {
		say_joined(session, request, room);
		return;
	}
	if (session->n_memberships >= chat->limits.rooms_per_link) {
		say_error(session, &request->ref, WIRE_too_many_rooms,
			  "you are in as many rooms as you may");
		return;
	}
	r = join(session, room, request->room, &room);
	chat_publish(chat);
	if (r < 0)
		say_error(session, &request->ref, WIRE_unavailable,
			  r == -ENOMEM ? "out of memory"
				       : "there is no place for another room");
	else
		say_joined(session, request, room);
}

static void do_leave(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	uint32_t place = find_membership(session, request);

	if (place == NO_PLACE)
		return;
	member_leave(&chat->rooms, session, place);
	chat_publish(chat);
	say(session, wire_left(scratch_at(chat), scratch_left(chat), &request->ref,
			       request->room));
}

void pending_fail(struct chat *chat, struct pending *pending, enum wire_error error,
		  const char *text)
{
	if (pending->session)
		say_error(pending->session, &pending->ref, error, text);
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

static void do_send(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	const struct message message = {
		.room = request->room,
		.id = request->id,
		.from = session_user(session),
		.body = request->body,
	};
	struct pending *pending;
	int r;

	if (find_membership(session, request) == NO_PLACE)
		return;
	r = pending_add(&chat->pendings, session, &message, &request->ref, &pending);
	if (r == -ENOBUFS) {
		counter_add(chat->slot, COUNTER_sends_refused, 1);
		say_error(session, &request->ref, WIRE_busy,
			  "too much waits; send it later");
	} else if (r < 0) {
		say_error(session, &request->ref, WIRE_unavailable, "out of memory");
	} else {
		counter_add(chat->slot, COUNTER_sends, 1);
		pending_submit(chat, pending);
		chat_publish(chat);
	}
}

static void do_ping(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;

	say(session, wire_pong(scratch_at(chat), scratch_left(chat), &request->ref));
}

void request_do(struct session *session, const struct request *request)
{
	static void (*const does[OP_COUNT])(struct session *, const struct request *) = {
		[OP_join] = do_join,
		[OP_leave] = do_leave,
		[OP_send] = do_send,
		[OP_ping] = do_ping,
	};

	does[request->op](session, request);
}
