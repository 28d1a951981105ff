/* Persons are found by name, however many come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/chat/people.h"

static struct people people;

static struct text name_of(unsigned number)
{
	static char name[16];

	(void)snprintf(name, sizeof name, "u%u", number);
	return (struct text){ name, (uint32_t)strlen(name) };
}

static unsigned count(void)
{
	const struct person *person;
	unsigned n = 0;

	PEOPLE_FOREACH(&people, person)
	n++;
	return n;
}

static void none_is_found_among_none(void **state)
{
	assert_null(people_find(&people, name_of(1)));
	assert_null(people_next(&people, NULL));
	people_release(&people);
}

static void each_is_found_and_passed_by_once(void **state)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct person *person = people_add(&people, name_of(i));

		assert_non_null(person);
		person->n_here = i;
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(people_find(&people, name_of(i))->n_here, i);
	assert_null(people_find(&people, name_of(1000)));
	assert_int_equal(count(), 1000);
	people_release(&people);
	assert_int_equal(count(), 0);
}

static void the_table_is_small_again_when_they_have_left(void **state)
{
	uint32_t size;

	for (unsigned i = 0; i < 4; i++)
		assert_non_null(people_add(&people, name_of(i)));
	size = people.size;
	for (unsigned i = 4; i < 1000; i++)
		assert_non_null(people_add(&people, name_of(i)));
	assert_true(people.size > size);
	for (unsigned i = 4; i < 1000; i++)
		people_remove(&people, people_find(&people, name_of(i)));
	assert_int_equal(people.size, size);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(people_find(&people, name_of(i)));
	assert_int_equal(count(), 4);
	people_release(&people);
}

/* Many rooms are small, and a few are very large. */
static void the_table_costs_a_pointer_each_at_most(void **state)
{
	for (unsigned i = 0; i < 5000; i++) {
		assert_non_null(people_add(&people, name_of(i)));
		assert_true(people.size <= 4 || people.size <= people.n);
	}
	people_release(&people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_found_among_none),
		cmocka_unit_test(each_is_found_and_passed_by_once),
		cmocka_unit_test(the_table_is_small_again_when_they_have_left),
		cmocka_unit_test(the_table_costs_a_pointer_each_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
