/* What a worker casts is bounded, and none of it is lost by that. */
#include "tests/unit/fake_links.h"

static struct cast_out out;

static int setup(void **state)
{
	links_setup(state);
	limits.presence_members_max = 1000;
	limits.presence_at_once_max = 32;
	limits.presence_interval_ms = 1000;
	return 0;
}

static void tick(uint64_t ms)
{
	now_ms += ms;
	chat_tick(chat, now_ms);
	flush();
}

static void what_a_worker_casts_between_two_beats_is_bounded(void **state)
{
	uint64_t bytes = 0;
	char name[80];

	chat_start(2);
	snprintf(name, sizeof name, "%064d", 1);
	for (unsigned i = 0; i < 3000; i++) {
		join(&links[1], name);
		leave(&links[1], name);
		for (unsigned k = 0; k < n_casts; k++)
			bytes += casts[k].len;
		links[1].got_len = n_casts = 0;
	}
	assert_true(bytes > 250000 && bytes < 262144 + CAST_BYTES);
	join(&links[1], name);
	assert_int_equal(n_casts, 0);
	tick(100);
	assert_true(n_casts > 0); /* what was left */
}

/* How many names the casts of this kind have; they are forgotten. */
static unsigned names_cast(enum cast_kind kind)
{
	struct text name;
	unsigned n = 0;
	bool flag;

	for (unsigned i = 0; i < n_casts; i++) {
		struct cast_in in;

		assert_true(cast_read(&in, casts[i].bytes, casts[i].len));
		while (in.kind == kind && cast_next_name(&in, &name, &flag))
			n++;
	}
	n_casts = 0;
	return n;
}

/* Each room once, for as many beats as it takes. */
static void what_is_too_much_for_a_beat_goes_out_in_several(void **state)
{
	char json[128];

	limits.cast_bytes = CAST_BYTES;
	limits.rooms_per_link = 100;
	chat_start(1);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(json, sizeof json, "{\"op\":\"join\",\"room\":\"%064u\"}", i);
		chat_message(links[0].session, json, strlen(json));
	}
	for (unsigned i = 0; i < 10; i++)
		tick(100);
	assert_int_equal(names_cast(CAST_ASK), 100);
	hang_up(&links[0]);
	for (unsigned i = 0; i < 10; i++)
		tick(100);
	assert_int_equal(names_cast(CAST_GONE), 100);
}

static void a_roster_larger_than_a_beat_takes_goes_out_whole(void **state)
{
	static struct link many[150];
	char user[80];
	unsigned parts = 0;

	limits.cast_bytes = CAST_BYTES;
	chat_start(0);
	for (unsigned i = 0; i < 150; i++) {
		static const char json[] = "{\"op\":\"join\",\"room\":\"a\"}";

		snprintf(user, sizeof user, "%060u", i);
		many[i].session = chat_opened(chat, &many[i], "s", user, NULL);
		many[i].stuck = true;
		chat_message(many[i].session, json, sizeof json - 1);
	}
	tick(1000);
	tick(1000);
	n_casts = 0;
	cast_begin(&out, CAST_ASK, 0);
	assert_true(cast_put_name(&out, (struct text){ "a", 1 }, false));
	chat_heard(chat, 1, 100, out.bytes, out.len);
	tick(1000);
	tick(1000);
	for (unsigned i = 0; i < n_casts; i++)
		parts += casts[i].bytes[0] == CAST_ROSTER;
	assert_int_equal(parts, 3);
	for (unsigned i = 0; i < 150; i++)
		hang_up(&many[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, links_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_worker_casts_between_two_beats_is_bounded),
		TEST(what_is_too_much_for_a_beat_goes_out_in_several),
		TEST(a_roster_larger_than_a_beat_takes_goes_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
