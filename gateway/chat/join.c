#include "gateway/chat/join.h"

#include <errno.h>

#include "common/check.h"
#include "gateway/chat/catchup.h"
#include "gateway/chat/member.h"
#include "gateway/chat/send.h"

bool join_waits(const struct member *member)
{
	return member->catchup && member->catchup->joining;
}

static void say_joined(struct session *session, const struct ref *ref,
		       const struct room *room, uint64_t first)
{
	struct chat *chat = session->chat;

	say(session,
	    wire_joined(scratch_at(chat), scratch_left(chat), ref, room_name(room),
			room->head, first, crowd_members(&room->crowd)));
}

/* ---- who lost a link to a dead process ----------------------------------------- */

static bool waits_somewhere(const struct session *session)
{
	for (uint32_t i = 0; i < session->n_memberships; i++)
		if (join_waits(member_at(session, i)))
			return true;
	return false;
}

static void become(struct session *session, enum resumed how)
{
	const struct chat_io *io = &session->chat->io;

	if (session->resumed != RESUMED_nothing)
		io->resumed(io->app, session->former, session->resumed, -1);
	io->resumed(io->app, session->former, how, 1);
	session->resumed = how;
}

/* A join with `since` was answered, with nothing of the room from `since` on missing, or
 * not. */
static void resumed(struct session *session, bool complete)
{
	if (!session->former || !session->chat->io.resumed ||
	    session->resumed == RESUMED_trimmed)
		return;
	if (!complete)
		become(session, RESUMED_trimmed);
	else if (session->resumed == RESUMED_nothing && !waits_somewhere(session))
		become(session, RESUMED_whole);
}

void join_was_trimmed(struct session *session)
{
	resumed(session, false);
}

/* Where what it missed comes from; `told_first` as next_of has it. */
static enum counter outcome(const struct room *room, enum form form, uint64_t since,
			    uint64_t next, uint64_t told_first)
{
	if (since > room->head)
		return COUNTER_resumes_ahead;
	if (told_first && told_first != since + 1)
		return COUNTER_resumes_trimmed;
	if (since == room->head)
		return COUNTER_resumes_nothing;
	return next < room_first(room, form) ? COUNTER_resumes_store
					     : COUNTER_resumes_memory;
}

/* ---- who waits ------------------------------------------------------------------ */

/* The sequence that the member gets next. *ret_first: where what it asked for begins,
 * if what came before is gone, else 0. */
static uint64_t next_of(const struct room *room, const struct catchup *catchup,
			uint64_t first, uint64_t *ret_first)
{
	uint64_t next = room->head + 1;

	*ret_first = 0;
	/* Who has seen more than there ever was is told by the head. */
	if (!catchup->since.given || catchup->since.value > room->head)
		return next;
	if (catchup->since.value + 1 >= first)
		return catchup->since.value + 1;
	*ret_first = first < next ? first : next;
	return *ret_first;
}

static void let_in(struct chat *chat, struct room *room, struct member *member,
		   uint64_t first)
{
	struct catchup *catchup = member->catchup;
	struct session *session = member->session;
	const struct number since = catchup->since;
	uint64_t told_first, next = next_of(room, catchup, first, &told_first);

	if (member_enter(&chat->rooms, room, member) < 0) {
		session_doom(session, CLOSE_TRY_LATER, "out of memory");
		return;
	}
	say_joined(session, &catchup->ref, room, told_first);
	if (session->closing)
		return;
	catchup->joining = catchup->waits = false;
	catchup->next = next;
	catchup_move(&chat->rooms, room, member);
	if (member_has_more(room, member)) {
		member_has_news(member);
		session_will_ask(session);
	}
	if (since.given) {
		enum counter how = outcome(room, member->form, since.value, next,
					   told_first);

		counter_add(chat->slot, how, 1);
		resumed(session,
			how != COUNTER_resumes_trimmed && how != COUNTER_resumes_ahead);
	}
	pending_release(session, room_name(room));
}

void joins_let_in(struct chat *chat, struct room *room, uint64_t first)
{
	CHECK(room->held && room->based);
	/* From the end: whoever takes the place of one that leaves was seen already. */
	for (uint32_t i = room->n_members; i-- > 0 && room->n_catching;)
		if (join_waits(&room->members[i]))
			let_in(chat, room, &room->members[i], first);
}

/* The join of one who waits is answered with an error. False: the link is closed. */
static bool refuse(struct session *session, struct member *member, struct text room,
		   enum wire_error error, const char *text)
{
	say_error(session, &member->catchup->ref, error, text);
	if (!session->closing)
		pending_drop(session, room, error, text);
	return !session->closing;
}

void joins_fail(struct chat *chat, struct room *room)
{
	CHECK(room->held);
	for (uint32_t i = room->n_members; i-- > 0 && room->n_catching;) {
		struct member *member = &room->members[i];
		struct session *session = member->session;

		if (join_waits(member) &&
		    refuse(session, member, room_name(room), WIRE_unavailable,
			   "the store is away; join later"))
			member_leave(&chat->rooms, session, room->members[i].place);
	}
}

/* ---- requests ------------------------------------------------------------------- */

/* Whether the log alone can say what the member gets next. */
static bool log_serves(const struct room *room, enum form form,
		       const struct number *since)
{
	return room->based &&
	       (!since->given || (since->value + 1 >= room_first(room, form) &&
				  since->value <= room->head));
}

/* Into the room, which is made if need be, as one who waits. */
static int enter(struct session *session, struct room *room,
		 const struct request *request, struct room **ret_room)
{
	struct rooms *rooms = &session->chat->rooms;
	int place, r = 0;

	if (!room)
		r = rooms_add(rooms, request->room, &room);
	if (r < 0)
		return r;
	place = member_join(rooms, session, room);
	if (place >= 0)
		r = catchup_begin(room, &room->members[place],
				  request->since.given ? request->since.value + 1 : 0);
	if (place >= 0 && r < 0)
		member_leave(rooms, session, room->members[place].place);
	else if (!room->n_members)
		rooms_remove(rooms, room);
	if (place < 0 || r < 0)
		return place < 0 ? place : r;
	room->members[place].catchup->joining = true;
	room->members[place].catchup->since = request->since;
	room->members[place].catchup->ref = request->ref;
	*ret_room = room;
	return place;
}

static void join(struct session *session, struct room *room,
		 const struct request *request)
{
	struct chat *chat = session->chat;
	int place = enter(session, room, request, &room);
	struct member *member;

	if (place < 0) {
		say_error(session, &request->ref, WIRE_unavailable,
			  place == -ENOMEM ? "out of memory"
					   : "there is no place for another room");
		return;
	}
	member = &room->members[place];
	if (log_serves(room, member->form, &request->since))
		let_in(chat, room, member, 0);
	else
		catchup_wait(&chat->rooms, room, member);
}

void do_join(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	struct room *room = rooms_find(&chat->rooms, request->room);
	uint32_t place = room ? member_find(session, room) : NO_PLACE;

	if (!request_allowed(session, request, GRANT_join))
		return;
	if (place != NO_PLACE && join_waits(member_at(session, place)))
		say_error(session, &request->ref, WIRE_busy,
			  "you are being let into this room");
	else if (place != NO_PLACE)
		say_joined(session, &request->ref, room, 0);
	else if (session->n_memberships >= chat->limits.rooms_per_link)
		say_error(session, &request->ref, WIRE_too_many_rooms,
			  "you are in as many rooms as you may");
	else
		join(session, room, request);
	chat_publish(chat);
}

void do_leave(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	uint32_t place = request_membership(session, request);
	struct member *member;

	if (place == NO_PLACE)
		return;
	member = member_at(session, place);
	if (join_waits(member) && !refuse(session, member, request->room, WIRE_not_member,
					  "you left before you were let in"))
		return;
	member_leave(&chat->rooms, session, place);
	chat_publish(chat);
	say(session, wire_left(scratch_at(chat), scratch_left(chat), &request->ref,
			       request->room));
}
