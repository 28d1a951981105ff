/* test_inherit - what a child is told on its command line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/inherit.h"

enum {
	ARGS_MAX = 16
};

/* Parses a command line given as one text. */
static int parse(const char *line, struct inherited *in)
{
	char copy[512], *argv[ARGS_MAX + 1], *rest;
	int argc = 0;

	snprintf(copy, sizeof copy, "parley-gateway %s", line);
	for (char *at = strtok_r(copy, " ", &rest); at && argc < ARGS_MAX;
	     at = strtok_r(NULL, " ", &rest))
		argv[argc++] = at;
	argv[argc] = NULL;
	return inherited_parse(argc, argv, in);
}

#define WORKER "--child=worker --slot=3 --seat=1 --generation=9 --workers-now=2 "
#define OF(n)  "--listeners=" #n

static void a_worker_is_told_everything(void **state)
{
	struct inherited in;

	(void)state;
	assert_int_equal(parse(WORKER OF(2), &in), 1);
	assert_int_equal(in.role, ROLE_WORKER);
	assert_int_equal(in.slot, 3);
	assert_int_equal(in.seat, 1);
	assert_int_equal(in.generation, 9);
	assert_int_equal(in.n_workers, 2);
	assert_int_equal(in.n_slots, 5);
	assert_int_equal(in.n_listeners, 2);
	assert_false(in.shared_listener);
	assert_int_equal(inherited_wake(4), INHERIT_WAKE + 4);
	assert_int_equal(inherited_listener(&in, 0), INHERIT_WAKE + 5);
}

static void one_shared_listener_is_told_as_such(void **state)
{
	struct inherited in;

	(void)state;
	assert_int_equal(parse(WORKER OF(1) " --shared-listener", &in), 1);
	assert_true(in.shared_listener);
	assert_int_equal(in.n_listeners, 1);
	assert_int_equal(parse(WORKER OF(1), &in), -EINVAL);
	assert_int_equal(parse(WORKER OF(2) " --shared-listener", &in), -EINVAL);
}

static void the_sequencer_sits_behind_the_workers(void **state)
{
	struct inherited in;

	(void)state;
	assert_int_equal(parse("--child=sequencer --slot=4 --seat=2 --generation=1 "
			       "--workers-now=2 --listeners=2",
			       &in),
			 1);
	assert_int_equal(in.role, ROLE_SEQUENCER);
	assert_int_equal(parse("--child=sequencer --slot=4 --seat=1 --generation=1 "
			       "--workers-now=2 --listeners=2",
			       &in),
			 -EINVAL);
}

static void without_child_it_is_none(void **state)
{
	struct inherited in;

	(void)state;
	assert_int_equal(parse("", &in), 0);
	assert_int_equal(parse("--check --workers=3", &in), 0);
	assert_int_equal(parse("--children=worker", &in), 0);
	assert_int_equal(parse("child=worker", &in), 0);
}

static void what_does_not_fit_is_refused(void **state)
{
	static const char *const lines[] = {
		"--child=worker",
		"--child=supervisor " OF(2),
		"--child=worker --slot=5 --seat=1 --generation=9 --workers-now=2 " OF(2),
		"--child=worker --slot=3 --seat=2 --generation=9 --workers-now=2 " OF(2),
		"--child=worker --slot=3 --seat=1 --generation=0 --workers-now=2 " OF(2),
		"--child=worker --slot=3 --seat=1 --generation=x --workers-now=2 " OF(2),
		"--child=worker --slot=-1 --seat=1 --generation=9 --workers-now=2 " OF(2),
		"--child=worker --slot=3x --seat=1 --generation=9 --workers-now=2 " OF(2),
		"--child=worker --slot=0 --seat=0 --generation=9 --workers-now=0 " OF(0),
		"--child=worker --slot=0 --seat=0 --generation=9 --workers-now=65 " OF(
			65),
		"--child=worker --slot=3 --seat=1 --generation=18446744073709551616 "
		"--workers-now=2 " OF(2),
	};
	struct inherited in = { .slot = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_int_equal(parse(lines[i], &in), -EINVAL);
	assert_int_equal(in.slot, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_is_told_everything),
		cmocka_unit_test(one_shared_listener_is_told_as_such),
		cmocka_unit_test(the_sequencer_sits_behind_the_workers),
		cmocka_unit_test(without_child_it_is_none),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
