/* test_grants - patterns match what they say, and in no more time than it takes to read.
 */
#include "gateway/grants.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"

static struct text text(const char *at)
{
	return (struct text){ at, (uint32_t)strlen(at) };
}

static void a_star_stands_for_any_run_and_all_else_for_itself(void **state)
{
	static const struct {
		const char *pattern, *room;
		bool matches;
	} rows[] = {
		{ "lobby", "lobby", true },   { "lobby", "lobby2", false },
		{ "lobby", "Lobby", false },  { "lobby", "lobb", false },
		{ "*", "x", true },           { "**", "x", true },
		{ "a*", "a", true },          { "a*", "ab", true },
		{ "a*", "ba", false },        { "*a", "ba", true },
		{ "*a", "ab", false },        { "a*b", "ab", true },
		{ "a*b", "axxb", true },      { "a*a", "a", false },
		{ "ab*ba", "aba", false },    { "ab*ba", "abba", true },
		{ "*x*", "axb", true },       { "*x*", "ab", false },
		{ "a*b*c", "abbc", true },    { "a*bc*bc", "abc", false },
		{ "a*bc*bc", "abcbc", true }, { "a**b", "ab", true },
		{ "a.b", "axb", false },      { "a?", "ab", false },
		{ "[a]", "a", false },        { "", "a", false },
		{ "\\*", "*", false },        { "*\xc3\xa4*", "x\xc3\xa4", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (grants_match(text(rows[i].pattern), text(rows[i].room)) !=
		    rows[i].matches)
			fail_msg("%s %s", rows[i].pattern, rows[i].room);
}

/* A pattern that makes those who go back at each star take a power of its stars. */
static void no_pattern_takes_long(void **state)
{
	char pattern[129] = "", room[65];
	uint64_t from_ns = clock_mono_ns();

	(void)state;
	memset(room, 'a', 64);
	room[64] = 0;
	for (int i = 0; i < 60; i++)
		strcat(pattern, "*a");
	strcat(pattern, "*b");
	for (int i = 0; i < 1000; i++)
		assert_false(grants_match(text(pattern), text(room)));
	assert_true(clock_mono_ns() - from_ns < 1000 * MS_NS);
}

static void lists_are_kept_apart_and_counted(void **state)
{
	const struct text join[] = { text("a*"), text("b") }, send[] = { text("b") };
	struct grant_list lists[] = { { join, 2 }, { send, 1 } };
	struct grants *grants, *same, *other;

	(void)state;
	assert_int_equal(grants_new(lists, &grants), 0);
	assert_int_equal(grants_new(lists, &same), 0);
	assert_true(grants_allow(grants, GRANT_join, text("abc")));
	assert_true(grants_allow(grants, GRANT_join, text("b")));
	assert_false(grants_allow(grants, GRANT_send, text("abc")));
	assert_true(grants_allow(grants, GRANT_send, text("b")));
	assert_true(grants_same(grants, same));
	assert_int_equal(grants_hash(grants), grants_hash(same));

	/* The same patterns, but one of them in the other list. */
	lists[0].n = 1;
	lists[1] = (struct grant_list){ (const struct text[]){ text("b"), text("b") },
					2 };
	assert_int_equal(grants_new(lists, &other), 0);
	assert_false(grants_same(grants, other));

	assert_ptr_equal(grants_ref(grants), grants);
	grants_unref(grants);
	assert_true(grants_allow(grants, GRANT_send, text("b")));
	grants_unref(grants);
	grants_unref(same);
	grants_unref(other);
	grants_unref(NULL);
	assert_null(grants_ref(NULL));
}

static void nothing_opens_no_room_and_null_opens_all(void **state)
{
	static const struct grant_list nothing[GRANT_COUNT];
	struct grants *grants;

	(void)state;
	assert_int_equal(grants_new(nothing, &grants), 0);
	assert_false(grants_allow(grants, GRANT_join, text("a")));
	assert_true(grants_allow(NULL, GRANT_send, text("a")));
	grants_unref(grants);
}

static void more_than_fits_is_refused(void **state)
{
	static const char long_text[GRANT_PATTERN_MAX + 1];
	struct text many[GRANT_PATTERNS_MAX + 1] = { { long_text,
						       GRANT_PATTERN_MAX + 1 } };
	struct grant_list lists[GRANT_COUNT] = { { many, 1 }, { many, 0 } };
	struct grants *grants;

	(void)state;
	assert_int_equal(grants_new(lists, &grants), -E2BIG);
	many[0].len--;
	assert_int_equal(grants_new(lists, &grants), 0);
	grants_unref(grants);
	for (size_t i = 0; i <= GRANT_PATTERNS_MAX; i++)
		many[i] = text("a");
	lists[0].n = GRANT_PATTERNS_MAX + 1;
	assert_int_equal(grants_new(lists, &grants), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_star_stands_for_any_run_and_all_else_for_itself),
		cmocka_unit_test(no_pattern_takes_long),
		cmocka_unit_test(lists_are_kept_apart_and_counted),
		cmocka_unit_test(nothing_opens_no_room_and_null_opens_all),
		cmocka_unit_test(more_than_fits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
