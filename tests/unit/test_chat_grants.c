/* What a token says of rooms is what its bearer may do in them. */
#include "gateway/grants.h"
#include "tests/unit/fake_links.h"

/* Grants with at most one pattern of each kind; NULL: none. */
static struct grants *granting(const char *join_pattern, const char *send_pattern)
{
	const struct text patterns[GRANT_COUNT] = {
		[GRANT_join] = { join_pattern, join_pattern ? strlen(join_pattern) : 0 },
		[GRANT_send] = { send_pattern, send_pattern ? strlen(send_pattern) : 0 },
	};
	const struct grant_list lists[GRANT_COUNT] = {
		[GRANT_join] = { &patterns[GRANT_join], join_pattern != NULL },
		[GRANT_send] = { &patterns[GRANT_send], send_pattern != NULL },
	};
	struct grants *grants;

	assert_int_equal(grants_new(lists, &grants), 0);
	return grants;
}

/* The link is open and has read its welcome; takes the grants. */
static void open_with(struct link *link, const char *user, struct grants *grants)
{
	link->session = chat_opened(chat, link, "s", user, grants);
	assert_non_null(link->session);
	flush();
	link->got_len = link->n_events = 0;
}

static void say_typing(struct link *link, const char *room)
{
	char json[128];

	snprintf(json, sizeof json,
		 "{\"op\":\"typing\",\"room\":\"%s\",\"active\":true,\"ref\":3}", room);
	ask(link, json);
}

#define MAY_NOT(ref, what)       \
	"{\"op\":\"error\"," ref \
	"\"code\":\"forbidden\",\"message\":\"you may not " what " this room\"}\n"
#define MAY_NOT_SEND(ref) MAY_NOT("\"ref\":" ref ",", "send to")

static void who_may_not_join_is_told_and_is_not_in(void **state)
{
	chat_start(0);
	open_with(&links[0], "ann", granting("team.*", "*"));
	ask(&links[0], "{\"op\":\"join\",\"room\":\"lobby\",\"ref\":1}");
	assert_got(&links[0], MAY_NOT("\"ref\":1,", "join"));
	assert_int_equal(counter_get(&slot, COUNTER_rooms), 0);
	assert_int_equal(n_reads, 0); /* nor was the store asked */
	heard("lobby", 1);
	assert_got(&links[0], "");
	send_id(&links[0], "lobby", "i");
	assert_int_equal(n_submits, 0);
	assert_int_equal(links[0].closed, 0);
}

static void a_pattern_opens_what_it_matches(void **state)
{
	chat_start(0);
	open_with(&links[0], "ann", granting("team.*", "team.*.chat"));
	join(&links[0], "team.a.chat");
	assert_got(&links[0], JOINED("team.a.chat", "0", "1"));
	send_id(&links[0], "team.a.chat", "i");
	assert_int_equal(n_submits, 1);
	said("team.a.chat", 1, "1", true, submits[0].ticket);
}

static void a_reader_hears_and_may_not_send(void **state)
{
	chat_start(0);
	open_with(&links[0], "ann", granting("news", NULL));
	join(&links[0], "news");
	heard("news", 1);
	assert_got(&links[0], JOINED("news", "0", "1") MESSAGE("news", "1"));
	send_id(&links[0], "news", "x");
	assert_got(&links[0], MAY_NOT_SEND("9"));
	assert_int_equal(n_submits, 0);
	assert_int_equal(counter_get(&slot, COUNTER_sends), 0);
}

/* A room with many readers must not hear of each that pretends to type. */
static void nor_is_a_reader_seen_typing(void **state)
{
	limits.presence_members_max = 100;
	chat_start(1);
	open_with(&links[1], "ann", granting("news", NULL));
	join(&links[1], "news");
	join(&links[0], "news");
	links[0].got_len = links[1].got_len = 0;
	n_casts = 0;
	say_typing(&links[1], "news");
	assert_got(&links[1], MAY_NOT_SEND("3"));
	assert_got(&links[0], "");
	assert_int_equal(n_casts, 0);
}

/* While the join waits for the store, too: what may not be sent is not kept. */
static void what_may_not_be_sent_is_not_held_either(void **state)
{
	reads_wait = true;
	chat_start(0);
	open_with(&links[0], "ann", granting("news", NULL));
	join(&links[0], "news");
	send_id(&links[0], "news", "x");
	assert_got(&links[0], MAY_NOT_SEND("9"));
	assert_int_equal(counter_get(&slot, COUNTER_sends_pending), 0);
	answer_read(0);
	assert_got(&links[0], JOINED("news", "0", "1"));
}

/* Who may not join learns nothing by asking. */
static void forbidden_comes_before_all_else_that_a_join_may_meet(void **state)
{
	limits.rooms_per_link = 1;
	chat_start(0);
	open_with(&links[0], "ann", granting("a", NULL));
	join(&links[0], "a");
	links[0].got_len = 0;
	join(&links[0], "b");
	assert_got(&links[0], MAY_NOT("", "join"));
}

static void grants_live_as_long_as_one_of_their_sessions(void **state)
{
	struct grants *grants = granting("a", "a");

	chat_start(0);
	open_with(&links[0], "ann", grants_ref(grants));
	open_with(&links[1], "bob", grants);
	hang_up(&links[0]);
	join(&links[1], "a");
	join(&links[1], "b");
	assert_got(&links[1], JOINED("a", "0", "1") MAY_NOT("", "join"));
}

static void without_grants_everything_is_open(void **state)
{
	chat_start(1);
	join(&links[0], "any");
	send_id(&links[0], "any", "i");
	assert_got(&links[0], JOINED("any", "0", "1"));
	assert_int_equal(n_submits, 1);
	said("any", 1, "1", true, submits[0].ticket);
}

#define test(f) cmocka_unit_test_setup_teardown(f, links_setup, links_teardown)

static void the_canary_is_in_its_room_and_nobody_else_is(void **state)
{
	limits.canary_room = "c.room";
	chat_start(2);
	chat_is_canary(links[0].session);
	ask(&links[1], "{\"op\":\"join\",\"room\":\"c.room\",\"ref\":1}");
	assert_got(&links[1], MAY_NOT("\"ref\":1,", "join"));
	ask(&links[0], "{\"op\":\"join\",\"room\":\"lobby\",\"ref\":1}");
	assert_got(&links[0], MAY_NOT("\"ref\":1,", "join"));
	join(&links[0], "c.room");
	assert_got(&links[0], JOINED("c.room", "0", "1"));
	send_id(&links[0], "c.room", "i");
	assert_int_equal(n_submits, 1);
	said("c.room", 1, "1", true, submits[0].ticket);
	limits.canary_room = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(who_may_not_join_is_told_and_is_not_in),
		test(a_pattern_opens_what_it_matches),
		test(a_reader_hears_and_may_not_send),
		test(nor_is_a_reader_seen_typing),
		test(what_may_not_be_sent_is_not_held_either),
		test(forbidden_comes_before_all_else_that_a_join_may_meet),
		test(grants_live_as_long_as_one_of_their_sessions),
		test(without_grants_everything_is_open),
		test(the_canary_is_in_its_room_and_nobody_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
