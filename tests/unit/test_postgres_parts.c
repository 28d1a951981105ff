/*
 * The parts of the PostgreSQL back end that need no server: its words, arrays and the
 * table of rooms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/postgres_array.h"
#include "gateway/store/postgres_rooms.h"
#include "gateway/store/postgres_words.h"

static void an_sqlstate_is_an_errno(void **state)
{
	static const struct {
		const char *sqlstate;
		int error;
	} cases[] = {
		{ "53100", -ENOSPC },   { "08006", -ENOTCONN }, { "57P01", -ENOTCONN },
		{ "57P03", -ENOTCONN }, { "25006", -ENOTCONN }, { "57014", -ETIMEDOUT },
		{ "23505", -EEXIST },   { "40001", -EAGAIN },   { "40P01", -EAGAIN },
		{ "53200", -EIO },      { "XX000", -EIO },      { "23514", -EIO },
		{ "42P01", -ENOENT },   { "3F000", -ENOENT },   { NULL, -EIO },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(pgwords_errno(cases[i].sqlstate), cases[i].error);
}

static void many_lines_are_one(void **state)
{
	static const struct {
		const char *words, *line;
	} cases[] = {
		{ "", "" },
		{ "\n", "" },
		{ "one\n", "one" },
		{ "one\n\ttwo \x7f three\n\n", "one two three" },
		{ "123456789012345678901234567890", "1234567890123456789" },
		{ "123456789012345678 01234567890", "123456789012345678" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char line[20];

		pgwords_line(cases[i].words, line, sizeof line);
		assert_string_equal(line, cases[i].line);
	}
}

static void an_array_is_in_binary(void **state)
{
	static const unsigned char numbers[] = {
		0, 0, 0, 1, 0, 0, 0,   0,   0,   0,   0,   20,  0,   0,   0,
		2, 0, 0, 0, 1, 0, 0,   0,   8,   0,   0,   0,   0,   0,   0,
		1, 2, 0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 255,
	};
	static const unsigned char texts[] = {
		0, 0, 0, 1, 0, 0, 0, 0, 0, 0,   0,   25, 0, 0, 0,
		2, 0, 0, 0, 1, 0, 0, 0, 2, 'h', 'i', 0,  0, 0, 0,
	};
	struct pgarray array = { 0 };
	struct pgvalue value;

	(void)state;
	pgarray_begin(&array, PGARRAY_bigint);
	pgarray_int(&array, 258);
	pgarray_int(&array, -1);
	assert_int_equal(pgarray_end(&array, &value), 0);
	assert_int_equal(value.len, sizeof numbers);
	assert_memory_equal(value.at, numbers, sizeof numbers);
	pgarray_begin(&array, PGARRAY_text);
	pgarray_text(&array, (struct text){ "hi", 2 });
	pgarray_text(&array, (struct text){ "", 0 });
	assert_int_equal(pgarray_end(&array, &value), 0);
	assert_int_equal(value.len, sizeof texts);
	assert_memory_equal(value.at, texts, sizeof texts);
	pgarray_release(&array);
}

static struct text named(char name[16], unsigned n)
{
	int len = snprintf(name, 16, "room-%u", n);

	return (struct text){ name, (uint32_t)len };
}

static void the_rooms_used_last_are_known(void **state)
{
	struct pgrooms rooms = { NULL };
	char name[16];

	(void)state;
	for (unsigned i = 1; i <= PGROOMS_MAX + 100; i++) {
		pgrooms_get(&rooms, named(name, i))->id = i;
		pgrooms_get(&rooms, named(name, 1)); /* never old */
	}
	assert_int_equal(HASH_COUNT(rooms.by_name), PGROOMS_MAX);
	assert_int_equal(pgrooms_find(&rooms, named(name, 1))->id, 1);
	assert_int_equal(pgrooms_find(&rooms, named(name, PGROOMS_MAX + 100))->id,
			 PGROOMS_MAX + 100);
	assert_null(pgrooms_find(&rooms, named(name, 2)));
	assert_int_equal(pgrooms_get(&rooms, named(name, 2))->id, 0);
	pgrooms_forget(&rooms);
	assert_null(pgrooms_find(&rooms, named(name, 1)));
	pgrooms_forget(&rooms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_sqlstate_is_an_errno),
		cmocka_unit_test(many_lines_are_one),
		cmocka_unit_test(an_array_is_in_binary),
		cmocka_unit_test(the_rooms_used_last_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
