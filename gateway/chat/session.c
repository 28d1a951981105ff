#include "gateway/chat/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

struct session *session_new(struct chat *chat, struct link *link, const char *user,
			    struct grants *grants)
{
	size_t user_len = strlen(user);
	size_t size = offsetof(struct session, user) + user_len;
	struct session *session = calloc(1,
					 size > sizeof *session ? size : sizeof *session);

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
	free(session);
}

/* ---- memberships ---------------------------------------------------------------- */
/* Many lie in an array with place for the next power of two of them. */

static struct membership *at(struct session *session, uint32_t place)
{
	return session->n_memberships > 1 ? &session->many[place] : &session->one;
}

static bool is_full(const struct session *session)
{
	return session->n_memberships &&
	       !(session->n_memberships & (session->n_memberships - 1));
}

/* Place for one more. -ENOMEM. */
static int grow(struct session *session)
{
	uint32_t n = session->n_memberships;
	struct membership *many = realloc(n > 1 ? session->many : NULL,
					  2 * n * sizeof *many);

	if (!many)
		return -ENOMEM;
	if (n == 1)
		many[0] = session->one;
	session->many = many;
	return 0;
}

int session_add_room(struct session *session, struct room *room, uint32_t room_place)
{
	if (is_full(session) && grow(session) < 0)
		return -ENOMEM;
	session->n_memberships++;
	*at(session, session->n_memberships - 1) = (struct membership){ room, room_place,
									NO_PLACE };
	return (int)session->n_memberships - 1;
}

void session_set_room_place(struct session *session, uint32_t place, uint32_t room_place)
{
	at(session, place)->place = room_place;
}

/* The last one is no more. */
static void shrink(struct session *session)
{
	struct membership *many = session->many, first;

	session->n_memberships--;
	if (session->n_memberships == 1) {
		first = many[0];
		free(many);
		session->one = first;
	} else if (session->n_memberships && is_full(session)) {
		many = realloc(many, session->n_memberships * sizeof *many);
		session->many = many ? many : session->many;
	}
}

/* ---- news ----------------------------------------------------------------------- */

/* Whoever follows `before` (NO_PLACE: the list itself) now has `to` as its next. */
static void link_news(struct session *session, uint32_t before, uint32_t to)
{
	if (before == NO_PLACE)
		session->news_first = to;
	else
		at(session, before)->next = to;
}

/* In the list `from` is replaced by `to`, or by its own successor if `to` is NO_PLACE. */
static void replace_news(struct session *session, uint32_t from, uint32_t to)
{
	uint32_t before = NO_PLACE;
	uint32_t here = session->news_first;

	while (here != NO_PLACE && here != from) {
		before = here;
		here = at(session, here)->next;
	}
	if (here == NO_PLACE)
		return;
	if (session->news_last == from)
		session->news_last = to == NO_PLACE ? before : to;
	link_news(session, before, to == NO_PLACE ? at(session, from)->next : to);
}

bool session_remove_room(struct session *session, uint32_t place)
{
	uint32_t last = session->n_memberships - 1;

	CHECK(place <= last);
	replace_news(session, place, NO_PLACE);
	if (place != last) {
		replace_news(session, last, place);
		*at(session, place) = *at(session, last);
	}
	shrink(session);
	return place != last;
}

void session_push_news(struct session *session, uint32_t place)
{
	CHECK(place < session->n_memberships);
	at(session, place)->next = NO_PLACE;
	link_news(session, session->news_last, place);
	session->news_last = place;
}

uint32_t session_pop_news(struct session *session)
{
	uint32_t place = session->news_first;

	if (place == NO_PLACE)
		return NO_PLACE;
	session->news_first = at(session, place)->next;
	if (session->news_first == NO_PLACE)
		session->news_last = NO_PLACE;
	return place;
}
