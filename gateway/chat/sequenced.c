#include <errno.h>

#include "common/check.h"
#include "gateway/chat/inside.h"

/* Closes the links of members whose cursor is before `position`. The room is gone with
 * its last member; then true is returned. */
static bool doom_members(struct room *room, uint64_t position, uint16_t code,
			 const char *reason)
{
	/* From the end: whoever takes the place of one that leaves was seen already. */
	for (uint32_t i = room->n_members; i-- > 0;) {
		bool last = room->n_members == 1;

		if (room->members[i].cursor.at >= position)
			continue;
		session_doom(room->members[i].session, code, reason);
		if (last)
			return true;
	}
	return false;
}

/*
 * Puts the event that was written into the room's log. Members who lose something by
 * it are slow readers and closed; if the event itself has no place, all are, since
 * nobody could tell them what they missed. True: the room is gone.
 */
static bool put(struct chat *chat, struct room *room, uint64_t head, int len)
{
	const uint8_t *frame = NULL;
	size_t frame_len = 0;
	int r = len;

	if (r >= 0) {
		frame = scratch_frame(chat, (size_t)len, &frame_len);
		r = room_reserve(&chat->rooms, room, frame_len);
	}
	/* Much may come in one turn: who reads gets the chance to. */
	if (r == -ENOBUFS && room->dirty) {
		chat_flush(chat);
		r = room_reserve(&chat->rooms, room, frame_len);
	}
	if (r < 0 && r != -ENOBUFS)
		return doom_members(room, UINT64_MAX, CLOSE_TRY_LATER, "out of memory");
	room_append(&chat->rooms, room, frame, frame_len);
	room->head = head;
	return r == -ENOBUFS &&
	       doom_members(room, room->log.tail, CLOSE_SLOW_READER, "slow reader");
}

/* What lies between the room's head and `next` is lost here. True: the room is gone. */
static bool put_gap(struct chat *chat, struct room *room, uint64_t next)
{
	counter_add(chat->slot, COUNTER_gaps, 1);
	return put(chat, room, next - 1,
		   wire_gap(scratch_at(chat), scratch_left(chat), room_name(room),
			    room->head, next));
}

static void put_message(struct chat *chat, struct room *room,
			const struct message *message)
{
	int r = scratch_grow(chat, message->body.len);

	if (r == 0)
		r = wire_message(scratch_at(chat), scratch_left(chat), message);
	counter_add(chat->slot, COUNTER_messages, 1);
	(void)put(chat, room, message->seq, r); /* the room is not used any more */
}

static void answer(struct chat *chat, const struct message *message, uint64_t ticket)
{
	struct pending *pending = pending_find(&chat->pendings, ticket);

	if (!pending)
		return; /* given up after an overrun */
	counter_add(chat->slot, COUNTER_sends_acknowledged, 1);
	if (pending->session)
		say(pending->session,
		    wire_sent(scratch_at(chat), scratch_left(chat), &pending->ref,
			      pending->message.room, pending->message.id, message->seq,
			      message->at_ms));
	pending_remove(&chat->pendings, pending);
	chat_publish(chat);
}

void chat_sequenced(struct chat *chat, const struct message *message, bool repeat,
		    bool mine, uint64_t ticket)
{
	struct room *room;

	CHECK_OBJ(chat, CHAT_MAGIC);
	if (message->room.len > ROOM_NAME_MAX)
		return;
	if (mine)
		answer(chat, message, ticket);
	room = rooms_find(&chat->rooms, message->room);
	if (!room || message->seq <= room->head)
		return;
	if (repeat)
		(void)put_gap(chat, room, message->seq + 1);
	else if (message->seq == room->head + 1 || !put_gap(chat, room, message->seq))
		put_message(chat, room, message);
}

void chat_refused(struct chat *chat, uint64_t ticket, enum refusal reason)
{
	static const struct {
		enum wire_error error;
		const char *text;
	} told[REFUSAL_COUNT] = {
		[REFUSED_unavailable] = { WIRE_unavailable,
					  "the store is away; send it later" },
		[REFUSED_busy] = { WIRE_busy, "too much waits; send it later" },
		[REFUSED_too_long] = { WIRE_too_long, "the message is too long" },
	};
	struct pending *pending = pending_find(&chat->pendings, ticket);

	CHECK_OBJ(chat, CHAT_MAGIC);
	CHECK((unsigned)reason < REFUSAL_COUNT);
	if (!pending)
		return;
	counter_add(chat->slot, COUNTER_sends_refused, 1);
	pending_fail(chat, pending, told[reason].error, told[reason].text);
	chat_publish(chat);
}

void chat_resubmit(struct chat *chat)
{
	struct pending *pending, *next;

	CHECK_OBJ(chat, CHAT_MAGIC);
	HASH_ITER(hh, chat->pendings.by_ticket, pending, next)
	pending_submit(chat, pending);
	chat_publish(chat);
}

/* Tells the members of the first room that went on without them. False: there is none
 * left. One at a time, since a slow reader that is closed may end other rooms. */
static bool tell_ahead(struct chat *chat)
{
	for (struct room *room = chat->rooms.by_name; room; room = room->hh.next) {
		uint64_t head = chat->io.head(chat->io.app, room_name(room));
		unsigned n_rooms = HASH_COUNT(chat->rooms.by_name);

		if (head <= room->head)
			continue;
		(void)put_gap(chat, room, head + 1);
		if (HASH_COUNT(chat->rooms.by_name) != n_rooms)
			return true;
	}
	return false;
}

void chat_look(struct chat *chat)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
	while (tell_ahead(chat))
		;
}

void chat_overrun(struct chat *chat)
{
	chat_resubmit(chat);
	chat_look(chat);
}

void chat_heard(struct chat *chat, uint32_t slot, uint64_t generation, const void *data,
		size_t len)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
}

void chat_peer_gone(struct chat *chat, uint32_t slot, uint64_t generation)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
}

void chat_tick(struct chat *chat, uint64_t now_ms)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
}
