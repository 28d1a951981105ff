#include "gateway/chat/history.h"
#include "gateway/chat/inside.h"
#include "gateway/chat/join.h"
#include "gateway/chat/member.h"
#include "gateway/chat/presence.h"
#include "gateway/chat/send.h"

uint32_t request_membership(struct session *session, const struct request *request)
{
	struct room *room = rooms_find(&session->chat->rooms, request->room);
	uint32_t place = room ? member_find(session, room) : NO_PLACE;

	if (place == NO_PLACE)
		say_error(session, &request->ref, WIRE_not_member,
			  "you are not in this room");
	return place;
}

bool request_allowed(struct session *session, const struct request *request,
		     enum grant grant)
{
	static const char *const texts[GRANT_COUNT] = {
		[GRANT_join] = "you may not join this room",
		[GRANT_send] = "you may not send to this room",
	};
	bool allowed = grants_allow(session->grants, grant, request->room) &&
		       chat_reserves(session->chat, request->room) == session->canary;

	if (!allowed)
		say_error(session, &request->ref, WIRE_forbidden, texts[grant]);
	return allowed;
}

static void do_ping(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;

	say(session, wire_pong(scratch_at(chat), scratch_left(chat), &request->ref));
}

void request_do(struct session *session, const struct request *request)
{
	static void (*const does[OP_COUNT])(struct session *, const struct request *) = {
		[OP_join] = do_join,       [OP_leave] = do_leave, [OP_send] = do_send,
		[OP_history] = do_history, [OP_who] = do_who,     [OP_typing] = do_typing,
		[OP_ping] = do_ping,
	};

	does[request->op](session, request);
}
