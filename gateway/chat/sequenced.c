#include <errno.h>

#include "common/check.h"
#include "gateway/breaks.h"
#include "gateway/chat/census.h"
#include "gateway/chat/inside.h"
#include "gateway/chat/presence.h"
#include "gateway/chat/read.h"
#include "gateway/chat/send.h"

/* Closes the links of those who read this tail and whose cursor is before `position`. Who
 * still has a page to read only loses its place in the log: it goes on from the store. */
static void doom_readers(const struct tail *tail, uint64_t position, uint16_t code,
			 const char *reason)
{
	struct room *room = tail->room;

	/* From the end: whoever takes the place of one that leaves was seen already. */
	for (uint32_t i = room->n_members; i-- > 0;) {
		struct member *member = &room->members[i];

		if (member->form != tail->form || member->cursor.at == NOWHERE ||
		    member->cursor.at >= position)
			continue;
		if (member->catchup)
			member->cursor.at = NOWHERE;
		else
			session_doom(member->session, code, reason);
	}
}

/* A frame that is to be put into one of the room's logs. */
struct piece {
	struct tail *tail; /* NULL: nobody reads that form */
	const uint8_t *frame;
	size_t len;
	int r; /* as room_reserve */
};

/* The event that was written, in each form that somebody reads. */
static void make_pieces(struct chat *chat, struct room *room, int len,
			struct piece pieces[FORM_COUNT])
{
	for (unsigned form = 0; form < FORM_COUNT; form++) {
		struct piece *piece = &pieces[form];
		struct tail *tail = room->tails[form];

		*piece = (struct piece){ .r = len };
		if (!tail || !tail->n_readers)
			continue;
		piece->tail = tail;
		if (len < 0)
			continue;
		if (form == FORM_deflated)
			piece->frame = deflated_frame(chat, (size_t)len, &piece->len);
		if (!piece->frame)
			piece->frame = scratch_frame(chat, (size_t)len, &piece->len);
	}
}

/* Whether somebody would lose something. */
static bool reserve(struct chat *chat, struct piece pieces[FORM_COUNT], int len)
{
	bool loses = false;

	for (unsigned i = 0; i < FORM_COUNT && len >= 0; i++)
		if (pieces[i].tail) {
			pieces[i].r = room_reserve(&chat->rooms, pieces[i].tail,
						   pieces[i].len);
			loses |= pieces[i].r == -ENOBUFS;
		}
	return loses;
}

/* Who loses something by it. */
static void doom_losers(struct chat *chat, const struct piece *piece)
{
	if (piece->r == -ENOBUFS) {
		doom_readers(piece->tail, piece->tail->log.tail, CLOSE_SLOW_READER,
			     "slow reader");
	} else if (piece->r < 0) {
		room_clear_tail(&chat->rooms, piece->tail);
		doom_readers(piece->tail, NOWHERE, CLOSE_TRY_LATER, "out of memory");
	}
}

/*
 * Puts the event that was written into the room's logs. Members who lose something by
 * it are slow readers and closed; if the event itself has no place, all are, since
 * nobody could tell them what they missed. The head is where it was until all logs have
 * it: who is asked meanwhile reads what was there.
 */
static void put(struct chat *chat, struct room *room, uint64_t head, int len)
{
	struct piece pieces[FORM_COUNT];

	make_pieces(chat, room, len, pieces);
	/* Much may come before all were told: who reads gets the chance to. */
	if (reserve(chat, pieces, len)) {
		ask_room(chat, room);
		(void)reserve(chat, pieces, len);
	}
	for (unsigned i = 0; i < FORM_COUNT; i++)
		if (pieces[i].tail && (pieces[i].r >= 0 || pieces[i].r == -ENOBUFS))
			room_append(&chat->rooms, pieces[i].tail, pieces[i].frame,
				    pieces[i].len);
	room->head = head;
	for (unsigned i = 0; i < FORM_COUNT; i++)
		if (pieces[i].tail)
			doom_losers(chat, &pieces[i]);
}

static void put_message(struct chat *chat, struct room *room,
			const struct message *message)
{
	int r = scratch_grow(chat, message->body.len);

	if (r == 0)
		r = wire_message(scratch_at(chat), scratch_left(chat), message);
	counter_add(chat->slot, COUNTER_room_messages, 1);
	put(chat, room, message->seq, r);
	delivery_begin(chat, room, message->read_us);
}

/* The room's members hear of a message that was not, or that there is one. A repeat of
 * what is long past does not tell a room its head, only that it is there at least. */
static void hear(struct chat *chat, struct room *room, const struct message *message,
		 bool repeat)
{
	uint64_t before = repeat ? message->seq : message->seq - 1;

	if (!room->based) {
		room->based = !repeat;
		if (before > room->head)
			room->head = before;
	}
	if (!room->based || message->seq <= room->head)
		return;
	if (BREAK_DROPS(message->seq))
		return;
	if (before > room->head && PARLEY_BREAK_drop_bus)
		room->head = before;
	else if (before > room->head)
		room_jump(chat, room, before);
	if (!repeat)
		put_message(chat, room, message);
}

static void answer(struct chat *chat, const struct message *message, bool repeat,
		   uint64_t ticket)
{
	struct pending *pending = pending_find(&chat->pendings, ticket);

	if (!pending)
		return; /* answered before */
	counter_add(chat->slot, COUNTER_sends_acknowledged, 1);
	latency_note(chat, HISTOGRAM_send_to_ack, pending->message.read_us);
	if (pending->session)
		say(pending->session,
		    wire_sent(scratch_at(chat), scratch_left(chat), &pending->ref,
			      pending->message.room, pending->message.id, message->seq,
			      message->at_ms));
	if (pending->posted)
		pending->posted(pending->posted_app, 0, message, repeat);
	pending_remove(&chat->pendings, pending);
	chat_publish(chat);
}

void chat_sequenced(struct chat *chat, const struct message *message, bool repeat,
		    bool mine, uint64_t ticket)
{
	struct room *room;
	bool last_left;

	CHECK_OBJ(chat, CHAT_MAGIC);
	if (message->room.len > ROOM_NAME_MAX)
		return;
	if (mine)
		answer(chat, message, repeat, ticket);
	room = rooms_find(&chat->rooms, message->room);
	if (!room)
		return;
	room_hold(room);
	hear(chat, room, message, repeat);
	last_left = !room->n_members;
	room_unhold(&chat->rooms, room);
	if (last_left)
		chat_publish(chat);
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

void chat_resubmit(struct chat *chat, bool all)
{
	struct pending *pending, *next;

	CHECK_OBJ(chat, CHAT_MAGIC);
	HASH_ITER(hh, chat->pendings.by_ticket, pending, next)
	if (!pending->held)
		pending_submit(chat, pending);
	presence_again(chat, !all);
	censuses_ask_again(chat);
	chat_publish(chat);
}

void chat_look(struct chat *chat)
{
	CHECK_OBJ(chat, CHAT_MAGIC);
	for (struct room *room = chat->rooms.by_name; room; room = room->hh.next) {
		room->looks = true;
		rooms_want(&chat->rooms, room);
	}
	reads_resume(chat);
}

void chat_overrun(struct chat *chat)
{
	chat_resubmit(chat, false);
	chat_look(chat);
}
