#include "gateway/chat/presence.h"

#include <stdlib.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/join.h"
#include "gateway/chat/member.h"

enum {
	NAMES_MAX = 100,   /* of one event */
	TOLD_MAX = 20000,  /* links that are told in a turn, about */
	WHO_DEFAULT = 100, /* users of one answer */
};

/* ---- to members ----------------------------------------------------------------- */

/* Half of what may wait for a client is for what must not be lost. */
static bool keeps_up(const struct chat *chat, const struct room *room,
		     const struct member *member, size_t len)
{
	size_t waits = outbox_len(&member->session->outbox);
	uint64_t at = member->cursor.at;

	return waits + len <= session_outbox_max(member->session) / 2 &&
	       (at == NOWHERE ||
		room_log_of(room, member)->head - at <= chat->limits.room_log_bytes / 2);
}

void say_to_others(struct chat *chat, struct room *room, int len, struct text user)
{
	const uint8_t *frame;
	size_t frame_len;

	CHECK(len >= 0);
	frame = scratch_frame(chat, (size_t)len, &frame_len);
	for (uint32_t i = 0; i < room->n_members; i++) {
		struct member *member = &room->members[i];
		struct session *session = member->session;

		if (join_waits(member) || text_equal(session_user(session), user))
			continue;
		if (!keeps_up(chat, room, member, frame_len) ||
		    outbox_put(&session->outbox, frame, frame_len,
			       session_outbox_max(session)) < 0) {
			counter_add(chat->slot, COUNTER_ephemeral_dropped, 1);
			continue;
		}
		chat->outbox_bytes += frame_len;
	}
	room_tell(&chat->rooms, room);
	counter_set(chat->slot, COUNTER_outbox_bytes, chat->outbox_bytes);
}

struct telling {
	struct text joined[NAMES_MAX], left[NAMES_MAX];
	unsigned n, n_joined, n_left; /* n: changes looked at */
};

/* The first of what changed. */
static void collect(struct telling *telling, const struct crowd *crowd)
{
	const struct person *person;

	telling->n = telling->n_joined = telling->n_left = 0;
	LL_FOREACH2(crowd->changed, person, next_changed)
	{
		bool present = person_present(person);

		if (telling->n == NAMES_MAX)
			return;
		telling->n++;
		if (present && !person->told)
			telling->joined[telling->n_joined++] = person_name(person);
		else if (!present && person->told)
			telling->left[telling->n_left++] = person_name(person);
	}
}

static void tell_names(struct chat *chat, struct room *room)
{
	struct telling telling;

	for (;;) {
		struct text alone = { "", 0 };

		collect(&telling, &room->crowd);
		if (telling.n_joined == 1 && !telling.n_left)
			alone = telling.joined[0]; /* who knows it */
		if (telling.n_joined + telling.n_left)
			say_to_others(chat, room,
				      wire_presence(scratch_at(chat), scratch_left(chat),
						    room_name(room), telling.joined,
						    telling.n_joined, telling.left,
						    telling.n_left,
						    crowd_members(&room->crowd)),
				      alone);
		if (!telling.n)
			return;
		for (unsigned i = 0; i < telling.n; i++)
			crowd_settle(&room->crowd);
	}
}

static void tell_number(struct chat *chat, struct room *room, uint64_t members)
{
	const struct text nobody = { "", 0 };

	while (room->crowd.changed)
		crowd_settle(&room->crowd);
	if (members == room->crowd_told)
		return;
	say_to_others(chat, room,
		      wire_presence(scratch_at(chat), scratch_left(chat), room_name(room),
				    NULL, 0, NULL, 0, members),
		      nobody);
}

static void tell(struct chat *chat, struct room *room)
{
	uint64_t members = crowd_members(&room->crowd);

	if (members > chat->limits.presence_members_max)
		tell_number(chat, room, members);
	else
		tell_names(chat, room);
	room->crowd_told = members;
}

/* A user may have many links, each of which is told. */
static uint64_t size_of(const struct room *room)
{
	uint64_t members = crowd_members(&room->crowd);

	return members > room->n_members ? members : room->n_members;
}

/* The larger the room, the more seldom: in an interval no more is sent for it than for
 * the largest room that is told names. */
static uint64_t interval_ms(const struct chat *chat, const struct room *room)
{
	uint64_t times = size_of(room) / chat->limits.presence_members_max;

	return chat->limits.presence_interval_ms * (times > 1 ? times : 1);
}

static bool is_due(const struct chat *chat, const struct room *room, uint64_t now_ms)
{
	return now_ms - room->crowd_told_ms >= interval_ms(chat, room) ||
	       (size_of(room) <= chat->limits.presence_at_once_max &&
		!room->crowd.receiving);
}

static void look_at(struct chat *chat, struct room *room, uint64_t now_ms)
{
	if (!is_due(chat, room, now_ms) || !cast_crowd(chat, room)) {
		room_crowd_later(&chat->rooms, room);
		return;
	}
	room->crowd_told_ms = now_ms;
	tell(chat, room);
	room_crowd_done(&chat->rooms, room);
}

/* Presence is off: crowds are counted, and nobody is told. */
static void settle_all(struct chat *chat)
{
	while (chat->rooms.crowds) {
		struct room *room = chat->rooms.crowds;

		while (room->crowd.changed)
			crowd_settle(&room->crowd);
		room_crowd_done(&chat->rooms, room);
	}
}

void presence_turn(struct chat *chat)
{
	uint64_t now_ms, n_told = 0;

	if (!chat->limits.presence_members_max) {
		settle_all(chat);
		return;
	}
	if (!chat->rooms.crowds && !chat->rooms.farewells)
		return;
	if (scratch_grow(chat, 2 * NAMES_MAX * (size_t)WIRE_NAME_MAX) < 0 ||
	    !casts_begin(chat))
		return; /* later */
	now_ms = chat->io.now_ms(chat->io.app);
	/* The rest of them in the next: messages come first. */
	while (chat->rooms.crowds && n_told < TOLD_MAX) {
		n_told += 1 + chat->rooms.crowds->n_members;
		look_at(chat, chat->rooms.crowds, now_ms);
	}
}

/* ---- asked for ------------------------------------------------------------------ */

/* As many users as were asked for, and as there is place for. */
static uint32_t list(const struct crowd *crowd, uint64_t limit, size_t bytes,
		     struct text users[WIRE_WHO_MAX])
{
	const struct person *person;
	uint32_t n = 0;

	PEOPLE_FOREACH(&crowd->people, person)
	{
		size_t len = 2 * (size_t)person->name_len + 3; /* if it is all quotes */

		if (!person_present(person))
			continue;
		if (n >= limit || bytes < len)
			break;
		bytes -= len;
		users[n++] = person_name(person);
	}
	return n;
}

void do_who(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	uint64_t limit = request->limit.given ? request->limit.value : WHO_DEFAULT;
	/* An answer that leaves place for others in the outbox. */
	size_t bytes = chat->limits.outbox_max / 2;
	struct text users[WIRE_WHO_MAX];
	uint32_t place = request_membership(session, request), n;
	const struct crowd *crowd;

	if (place == NO_PLACE)
		return;
	if (scratch_grow(chat, 3 * bytes) < 0) {
		say_error(session, &request->ref, WIRE_unavailable, "out of memory");
		return;
	}
	crowd = &session_membership(session, place)->room->crowd;
	n = list(crowd, limit, bytes, users);
	say(session, wire_who(scratch_at(chat), scratch_left(chat), &request->ref,
			      request->room, users, n, crowd_members(crowd)));
}

void tell_typing(struct chat *chat, struct room *room, struct text user, bool active)
{
	say_to_others(chat, room,
		      wire_typing(scratch_at(chat), scratch_left(chat), room_name(room),
				  user, active),
		      user);
}

/* Never answered, unless it is wrong; what is too much is dropped. */
void do_typing(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	uint32_t place = request_membership(session, request);
	struct room *room;

	if (place == NO_PLACE || !request_allowed(session, request, GRANT_send) ||
	    join_waits(member_at(session, place)))
		return;
	room = session_membership(session, place)->room;
	if (size_of(room) > chat->limits.presence_members_max ||
	    !rate_may_type(session)) {
		counter_add(chat->slot, COUNTER_ephemeral_dropped, 1);
		return;
	}
	tell_typing(chat, room, session_user(session), request->active);
	cast_typing(chat, room, session_user(session), request->active);
}
