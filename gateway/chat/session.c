#include "gateway/chat/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

struct session *session_new(struct chat *chat, struct link *link, const char *user,
			    struct grants *grants)
{
	size_t user_len = strlen(user);
	struct session *session = calloc(1, sizeof *session + user_len + 1);

	CHECK(user_len <= USER_NAME_MAX);
	if (!session) {
		grants_unref(grants);
		return NULL;
	}
	session->magic = SESSION_MAGIC;
	session->chat = chat;
	session->link = link;
	session->grants = grants;
	session->news_first = session->news_last = NO_PLACE;
	session->user_len = (uint8_t)user_len;
	memcpy(session->user, user, user_len);
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	CHECK_OBJ(session, SESSION_MAGIC);
	CHECK(session->n_memberships == 0 && !session->to_ask && !session->pending &&
	      !session->history && !session->pace);
	session->magic = 0;
	outbox_release(&session->outbox);
	grants_unref(session->grants);
	free(session->memberships);
	free(session);
}

int session_add_room(struct session *session, struct room *room, uint32_t room_place)
{
	if (session->n_memberships == session->memberships_size) {
		uint32_t size = session->n_memberships ? 2 * session->n_memberships : 1;
		struct membership *grown = realloc(session->memberships,
						   size * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		session->memberships = grown;
		session->memberships_size = size;
	}
	session->memberships[session->n_memberships] = (struct membership){ room,
									    room_place,
									    NO_PLACE };
	return (int)session->n_memberships++;
}

/* Whoever follows `before` (NO_PLACE: the list itself) now has `to` as its next. */
static void link_news(struct session *session, uint32_t before, uint32_t to)
{
	if (before == NO_PLACE)
		session->news_first = to;
	else
		session->memberships[before].next = to;
}

/* In the list `from` is replaced by `to`, or by its own successor if `to` is NO_PLACE. */
static void replace_news(struct session *session, uint32_t from, uint32_t to)
{
	uint32_t before = NO_PLACE;
	uint32_t at = session->news_first;

	while (at != NO_PLACE && at != from) {
		before = at;
		at = session->memberships[at].next;
	}
	if (at == NO_PLACE)
		return;
	if (session->news_last == from)
		session->news_last = to == NO_PLACE ? before : to;
	link_news(session, before, to == NO_PLACE ? session->memberships[from].next : to);
}

struct membership *session_remove_room(struct session *session, uint32_t place)
{
	uint32_t last = session->n_memberships - 1;

	CHECK(place <= last);
	replace_news(session, place, NO_PLACE);
	if (place != last) {
		replace_news(session, last, place);
		session->memberships[place] = session->memberships[last];
	}
	session->n_memberships--;
	if (session->n_memberships == 0) {
		free(session->memberships);
		session->memberships = NULL;
		session->memberships_size = 0;
	}
	return place != last ? &session->memberships[place] : NULL;
}

void session_push_news(struct session *session, uint32_t place)
{
	CHECK(place < session->n_memberships);
	session->memberships[place].next = NO_PLACE;
	link_news(session, session->news_last, place);
	session->news_last = place;
}

uint32_t session_pop_news(struct session *session)
{
	uint32_t place = session->news_first;

	if (place == NO_PLACE)
		return NO_PLACE;
	session->news_first = session->memberships[place].next;
	if (session->news_first == NO_PLACE)
		session->news_last = NO_PLACE;
	return place;
}
