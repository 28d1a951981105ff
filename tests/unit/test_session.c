/* A session keeps its rooms, and which of them have news, however many come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/chat/session.h"

enum {
	ROOMS = 9
};

static char rooms[ROOMS]; /* only their addresses are used */

static struct room *room(uint32_t i)
{
	return (struct room *)(void *)&rooms[i];
}

static struct session *session_in(uint32_t n)
{
	struct session *session = session_new(NULL, NULL, "ann", NULL);

	assert_non_null(session);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(session_add_room(session, room(i), 100 + i), i);
	return session;
}

static void leave_all(struct session *session)
{
	while (session->n_memberships)
		assert_false(session_remove_room(session, session->n_memberships - 1));
	session_free(session);
}

static void the_user_s_name_is_whole(void **state)
{
	struct session *session = session_in(0);

	assert_true(text_equal(session_user(session), (struct text){ "ann", 3 }));
	leave_all(session);
}

/* The first leaves, the last takes its place: again and again. */
static void rooms_stay_known_as_others_come_and_go(void **state)
{
	for (uint32_t n = 1; n <= ROOMS; n++) {
		struct session *session = session_in(n);

		for (uint32_t left = n; left > 1; left--) {
			assert_true(session_remove_room(session, 0));
			assert_ptr_equal(session_membership(session, 0)->room,
					 room(left - 1));
			for (uint32_t i = 1; i < left - 1; i++)
				assert_ptr_equal(session_membership(session, i)->room,
						 room(i));
		}
		session_set_room_place(session, 0, 7);
		assert_int_equal(session_add_room(session, room(0), 8), 1);
		assert_int_equal(session_membership(session, 0)->place, 7);
		assert_int_equal(session_membership(session, 1)->place, 8);
		leave_all(session);
	}
}

static void news_stay_in_order_as_rooms_go(void **state)
{
	struct session *session = session_in(4);

	session_push_news(session, 3);
	session_push_news(session, 1);
	session_push_news(session, 0);
	assert_true(session_remove_room(session, 1)); /* 3 is 1 now */
	assert_true(session_remove_room(session, 0)); /* 2 is 0 */
	session_push_news(session, 0);
	assert_int_equal(session_pop_news(session), 1);
	assert_false(session_remove_room(session, 1)); /* one is left */
	assert_int_equal(session_pop_news(session), 0);
	assert_int_equal(session_pop_news(session), NO_PLACE);
	leave_all(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_user_s_name_is_whole),
		cmocka_unit_test(rooms_stay_known_as_others_come_and_go),
		cmocka_unit_test(news_stay_in_order_as_rooms_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
