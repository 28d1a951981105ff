/* Members of other workers are members: told by casts, gone with their worker. */
#include "tests/unit/fake_links.h"

#define PRESENCE(joined, left, members)                                               \
	"{\"op\":\"presence\",\"room\":\"a\",\"joined\":[" joined "],\"left\":[" left \
	"],\"members\":" members "}\n"

static struct cast_out out;

static int setup(void **state)
{
	links_setup(state);
	limits.presence_members_max = 100;
	limits.presence_at_once_max = 32;
	limits.presence_interval_ms = 1000;
	return 0;
}

/* Link 0 is in room a; what that cast and told is forgotten. */
static void start_in_room(void)
{
	chat_start(3);
	join(&links[0], "a");
	links[0].got_len = 0;
	n_casts = 0;
}

static struct text text(const char *of)
{
	return (struct text){ of, (uint32_t)strlen(of) };
}

/* ---- what other workers cast ---- */

/* Names separated by blanks; of room a. */
static void names_heard(unsigned from, uint64_t generation, enum cast_kind kind,
			uint8_t flags, const char *names, bool there)
{
	char copy[256], *save, *name;

	cast_begin(&out, kind, flags);
	assert_true(cast_put_name(&out, text("a"), false));
	snprintf(copy, sizeof copy, "%s", names);
	for (name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
		assert_true(cast_put_name(&out, text(name), there));
	chat_heard(chat, from, generation, out.bytes, out.len);
	flush();
}

static void roster_heard(unsigned from, uint64_t generation, const char *names)
{
	names_heard(from, generation, CAST_ROSTER, CAST_FIRST | CAST_LAST, names, true);
}

static void rooms_heard(unsigned from, uint64_t generation, enum cast_kind kind,
			const char *room)
{
	cast_begin(&out, kind, 0);
	assert_true(cast_put_name(&out, text(room), false));
	chat_heard(chat, from, generation, out.bytes, out.len);
	flush();
}

/* ---- what this one cast ---- */

/* "KIND flags: name+ name-", and a line for each. */
static const char *cast_lines(void)
{
	static const char *const kinds[] = { "",    "changes", "roster", "count",
					     "ask", "gone",    "typing" };
	static char lines[65536];
	char *at = lines;

	for (unsigned i = 0; i < n_casts; i++) {
		struct cast_in in;
		struct text name;
		bool flag;

		assert_true(cast_read(&in, casts[i].bytes, casts[i].len));
		at += sprintf(at, "%s %u:", kinds[in.kind], in.flags);
		while (cast_next_name(&in, &name, &flag))
			at += sprintf(at, " %.*s%s", (int)name.len, name.at,
				      flag ? "+" : "");
		at += sprintf(at, "\n");
	}
	*at = '\0';
	n_casts = 0;
	return lines;
}

static void tick(uint64_t ms)
{
	now_ms += ms;
	chat_tick(chat, now_ms);
	flush();
}

/* ---- tests ---- */

static void the_first_user_of_a_room_makes_its_worker_ask_and_tell(void **state)
{
	chat_start(2);
	join(&links[0], "a");
	assert_string_equal(cast_lines(), "ask 0: a\nchanges 0: a u0+\n");
	join(&links[1], "a");
	assert_string_equal(cast_lines(), "changes 0: a u1+\n");
	hang_up(&links[0]);
	flush();
	assert_string_equal(cast_lines(), "changes 0: a u0\n");
	leave(&links[1], "a");
	assert_string_equal(cast_lines(), "gone 0: a\n");
	flush();
	assert_string_equal(cast_lines(), "");
}

static void users_of_other_workers_are_members(void **state)
{
	start_in_room();
	roster_heard(1, 100, "bob cid");
	assert_got(&links[0], PRESENCE("\"bob\",\"cid\"", "", "3"));
	names_heard(1, 100, CAST_CHANGES, 0, "dan", true);
	assert_got(&links[0], PRESENCE("\"dan\"", "", "4"));
	names_heard(1, 100, CAST_CHANGES, 0, "bob", false);
	assert_got(&links[0], PRESENCE("", "\"bob\"", "3"));
	join(&links[1], "a");
	assert_got(&links[1], JOINED("a", "0", "4"));
	links[1].got_len = 0;
	ask(&links[1], "{\"op\":\"who\",\"room\":\"a\"}");
	assert_non_null(strstr(links[1].got, "\"total\":4"));
	assert_non_null(strstr(links[1].got, "\"dan\""));
	rooms_heard(1, 100, CAST_GONE, "a");
	links[0].got[links[0].got_len] = '\0';
	assert_non_null(strstr(links[0].got, PRESENCE("", "\"dan\",\"cid\"", "2")));
}

static void who_is_asked_answers_with_all_its_users(void **state)
{
	start_in_room();
	join(&links[1], "a");
	roster_heard(1, 100, "bob");
	n_casts = 0;
	rooms_heard(1, 100, CAST_ASK, "a");
	assert_string_equal(cast_lines(), "roster 3: a u0+ u1+\n");
	rooms_heard(1, 100, CAST_ASK, "elsewhere");
	assert_string_equal(cast_lines(), "");
}

static void a_roster_replaces_what_was_known_of_its_worker(void **state)
{
	start_in_room();
	roster_heard(1, 100, "bob cid");
	roster_heard(2, 200, "eve");
	links[0].got_len = 0;
	roster_heard(1, 100, "cid dan");
	assert_got(&links[0], PRESENCE("\"dan\"", "\"bob\"", "4"));
}

/* Its parts are told together, however long nothing was told before. */
static void a_roster_in_parts_is_told_once_it_is_whole(void **state)
{
	start_in_room();
	now_ms += 60000;
	roster_heard(1, 100, "bob cid");
	links[0].got_len = 0;
	names_heard(1, 100, CAST_ROSTER, CAST_FIRST, "bob", true);
	assert_got(&links[0], "");
	names_heard(1, 100, CAST_ROSTER, CAST_LAST, "cid dan", true);
	assert_got(&links[0], PRESENCE("\"dan\"", "", "4"));
}

static void ghosts_of_a_dead_worker_are_gone_at_once(void **state)
{
	start_in_room();
	roster_heard(1, 100, "bob cid");
	roster_heard(2, 200, "cid");
	links[0].got_len = 0;
	chat_peer_gone(chat, 1, 99); /* another life of it */
	flush();
	assert_got(&links[0], "");
	chat_peer_gone(chat, 1, 100);
	flush();
	assert_got(&links[0], PRESENCE("", "\"bob\"", "2")); /* cid is in slot 2 too */
}

static void a_new_life_in_a_slot_ends_the_old_one(void **state)
{
	start_in_room();
	roster_heard(1, 100, "bob");
	links[0].got_len = 0;
	roster_heard(1, 101, "cid");
	assert_got(&links[0], PRESENCE("\"cid\"", "\"bob\"", "2"));
}

static void a_user_of_two_workers_is_there_until_it_left_both(void **state)
{
	start_in_room();
	roster_heard(1, 100, "u0 bob");
	links[0].got_len = 0;
	join(&links[1], "a");
	hang_up(&links[0]); /* u0 is in slot 1 still */
	flush();
	assert_got(&links[1], JOINED("a", "0", "3"));
	names_heard(1, 100, CAST_CHANGES, 0, "u0", false);
	assert_got(&links[1], PRESENCE("", "\"u0\"", "2"));
}

static void a_large_worker_tells_a_number(void **state)
{
	limits.presence_members_max = 1;
	chat_start(3);
	join(&links[0], "a");
	n_casts = 0;
	join(&links[1], "a");
	assert_non_null(strstr(cast_lines(), "count 0: a")); /* and the number */
	leave(&links[1], "a");
	assert_string_equal(cast_lines(), "roster 3: a u0+\n");
}

static void a_number_of_another_worker_counts(void **state)
{
	start_in_room();
	roster_heard(1, 100, "bob");
	links[0].got_len = 0;
	cast_begin(&out, CAST_COUNT, 0);
	assert_true(cast_put_name(&out, text("a"), false));
	assert_true(cast_put_number(&out, 500));
	chat_heard(chat, 1, 100, out.bytes, out.len);
	tick(5000); /* five times as large as those that are told names */
	assert_got(&links[0], PRESENCE("", "", "501"));
	roster_heard(1, 100, "bob cid");
	assert_got(&links[0], PRESENCE("\"bob\",\"cid\"", "", "3"));
	chat_peer_gone(chat, 1, 100);
	flush();
	assert_got(&links[0], PRESENCE("", "\"bob\",\"cid\"", "1"));
}

/* What was cast in an epoch that ended may not have been heard. */
static void a_new_epoch_hears_all_again_and_who_lost_something_asks_too(void **state)
{
	start_in_room();
	chat_resubmit(chat, true);
	flush();
	assert_string_equal(cast_lines(), "roster 3: a u0+\n");
	chat_resubmit(chat, false);
	flush();
	assert_string_equal(cast_lines(), "ask 0: a\nroster 3: a u0+\n");
	chat_overrun(chat);
	flush();
	assert_string_equal(cast_lines(), "ask 0: a\nroster 3: a u0+\n");
}

static void what_cannot_be_cast_now_is_cast_later(void **state)
{
	start_in_room();
	cast_answer = -EAGAIN;
	join(&links[1], "a");
	assert_int_equal(n_casts, 0);
	cast_answer = 0;
	chat_tick(chat, now_ms);
	flush();
	assert_string_equal(cast_lines(), "roster 3: a u0+ u1+\n");
	cast_answer = -EAGAIN;
	leave(&links[0], "a");
	leave(&links[1], "a");
	cast_answer = 0;
	join(&links[2], "a");
	assert_string_equal(cast_lines(), "gone 0: a\nask 0: a\nchanges 0: a u2+\n");
}

static void typing_goes_to_all_workers(void **state)
{
	start_in_room();
	ask(&links[0], "{\"op\":\"typing\",\"room\":\"a\"}");
	assert_string_equal(cast_lines(), "typing 0: a u0+\n");
	names_heard(1, 100, CAST_TYPING, 0, "bob", true);
	assert_got(&links[0], "{\"op\":\"typing\",\"room\":\"a\",\"user\":\"bob\","
			      "\"active\":true}\n");
	names_heard(1, 100, CAST_TYPING, 0, "u0", true); /* of the same user */
	assert_got(&links[0], "");
}

static void ones_own_casts_come_back_and_change_nothing(void **state)
{
	start_in_room();
	roster_heard(3, limits.generation, "bob");
	names_heard(3, limits.generation, CAST_TYPING, 0, "bob", true);
	assert_got(&links[0], "");
}

static void nonsense_harms_nobody(void **state)
{
	static uint8_t bytes[200];
	unsigned seed = 1;

	start_in_room();
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = (seed = seed * 1103515245u + 12345u) >> 16 & 127;

		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
		bytes[0] = (uint8_t)(i % 8);
		bytes[2] = i % 3 ? 1 : bytes[2];
		bytes[3] = i % 3 ? 'a' : bytes[3];
		n_casts = 0;
		chat_heard(chat, seed % 300, 1 + i % 5, bytes, len);
		flush();
		links[0].got_len = 0;
	}
	assert_int_equal(links[0].closed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_user_of_a_room_makes_its_worker_ask_and_tell),
		TEST(users_of_other_workers_are_members),
		TEST(who_is_asked_answers_with_all_its_users),
		TEST(a_roster_replaces_what_was_known_of_its_worker),
		TEST(a_roster_in_parts_is_told_once_it_is_whole),
		TEST(ghosts_of_a_dead_worker_are_gone_at_once),
		TEST(a_new_life_in_a_slot_ends_the_old_one),
		TEST(a_user_of_two_workers_is_there_until_it_left_both),
		TEST(a_large_worker_tells_a_number),
		TEST(a_number_of_another_worker_counts),
		TEST(a_new_epoch_hears_all_again_and_who_lost_something_asks_too),
		TEST(what_cannot_be_cast_now_is_cast_later),
		TEST(typing_goes_to_all_workers),
		TEST(ones_own_casts_come_back_and_change_nothing),
		TEST(nonsense_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
