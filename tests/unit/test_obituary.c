/* What the supervisor notes of those who died, and how long it waits for what they had.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/segment_chronicle.h"
#include "gateway/supervisor/parts.h"

static struct supervisor *s;
static char name[64];
static const struct child_end killed = { .reason = EXIT_killed, .signal = SIGKILL };

static int set_up(void **state)
{
	const struct segment_shape shape = { .n_workers = 2, .group = "" };

	(void)state;
	s = calloc(1, sizeof *s);
	assert_non_null(s);
	snprintf(name, sizeof name, "parley-unit-%ld", (long)getpid());
	assert_int_equal(segment_create(name, &shape, &s->segment, NULL), 0);
	s->n_slots = segment_slots(2);
	s->started_ms = 1000;
	for (unsigned i = 0; i < s->n_slots; i++)
		child_init(&s->children[i], i, segment_child(s->segment, i));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	segment_close(s->segment, true);
	free(s);
	return 0;
}

/* A worker with so many links lived in slot 0, and got `back` from generation 5. */
static void live(uint64_t generation, uint64_t links, unsigned back)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct segment *mine;
		struct segment_slot *slot;

		if (segment_attach(segment_fd(s->segment), 0, generation, ROLE_WORKER, 1,
				   &mine, NULL) < 0)
			_exit(1);
		slot = segment_slot(mine, 0);
		counter_set(slot, COUNTER_links_active, links);
		counter_set(slot, COUNTER_members, 2 * links);
		word_set(&slot->phase, PHASE_reading);
		segment_record(slot, EVENT_ready, 12, 0, 0);
		for (unsigned i = 0; i < back; i++) {
			segment_count_return(mine, 0, 5);
			segment_count_whole(mine, 0, 5, 1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* It started at 2000 and is gone at 10000. */
static void die(uint64_t generation, const struct child_end *end)
{
	struct child child = { .slot = 0,
			       .seat = 1,
			       .role = ROLE_WORKER,
			       .pid = 4711,
			       .generation = generation,
			       .spawned_ms = 2000 };

	obituary(s, &child, end, 10000);
	segment_retire(s->segment, 0);
}

static const struct segment_death *record(unsigned i)
{
	return &segment_chronicle(s->segment)->deaths[i];
}

static unsigned n_mourned(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SEGMENT_DEATHS; i++)
		n += s->mourning[i].generation != 0;
	return n;
}

static void who_dies_leaves_a_record_with_what_it_had(void **state)
{
	(void)state;
	live(5, 3, 0);
	die(5, &killed);
	assert_int_equal(word_get(&record(0)->generation), 5);
	assert_int_equal(word_get(&record(0)->uptime_ms), 9000);
	assert_int_equal(word_get(&record(0)->lived_ms), 8000);
	assert_int_equal(word_get(&record(0)->seat), 1);
	assert_int_equal(word_get(&record(0)->pid), 4711);
	assert_int_equal(word_get(&record(0)->reason), EXIT_killed);
	assert_int_equal(word_get(&record(0)->signal), SIGKILL);
	assert_int_equal(word_get(&record(0)->phase), PHASE_reading);
	assert_int_equal(word_get(&record(0)->links), 3);
	assert_int_equal(word_get(&record(0)->members), 6);
	assert_int_equal(word_get(&record(0)->n_events), 1);
	assert_int_equal(word_get(&record(0)->events[0].kind), EVENT_ready);
}

static void what_a_predecessor_left_in_the_slot_is_not_its_own(void **state)
{
	(void)state;
	live(5, 3, 0);
	die(6, &killed);
	assert_int_equal(word_get(&record(0)->generation), 6);
	assert_int_equal(word_get(&record(0)->links), 0);
	assert_int_equal(word_get(&record(0)->n_events), 0);
	assert_int_equal(word_get(&record(0)->phase), PHASE_starting);
	assert_int_equal(n_mourned(), 0);
}

static void who_leaves_as_asked_is_no_death(void **state)
{
	const struct child_end asked = { .reason = EXIT_asked };

	(void)state;
	live(5, 3, 0);
	die(5, &asked);
	assert_int_equal(word_get(&segment_chronicle(s->segment)->n_deaths), 0);
	assert_int_equal(n_mourned(), 0);
}

static void links_are_waited_for_until_all_are_back(void **state)
{
	(void)state;
	live(5, 3, 0);
	die(5, &killed);
	live(6, 0, 2);
	obituary_tick(s, 11000);
	assert_int_equal(n_mourned(), 1);
	live(7, 0, 1); /* the one before it, not retired, gave way: its two are lost */
	obituary_tick(s, 12000);
	assert_int_equal(n_mourned(), 1);
	segment_retire(s->segment, 0);
	live(8, 0, 2);
	obituary_tick(s, 12100);
	assert_int_equal(n_mourned(), 0);
}

static void links_are_waited_for_no_longer_than_half_a_minute(void **state)
{
	(void)state;
	live(5, 3, 0);
	die(5, &killed);
	obituary_tick(s, 39900);
	assert_int_equal(n_mourned(), 1);
	obituary_tick(s, 40000);
	assert_int_equal(n_mourned(), 0);
}

static void of_too_many_deaths_the_latest_are_mourned(void **state)
{
	(void)state;
	for (uint64_t generation = 5; generation < 25; generation++) {
		live(generation, 3, 0);
		die(generation, &killed);
	}
	assert_int_equal(n_mourned(), SEGMENT_DEATHS);
	obituary_tick(s, 10100); /* those without a record are let go in silence */
	assert_true(n_mourned() <= SEGMENT_DEATHS);
	obituary_tick(s, 40000);
	assert_int_equal(n_mourned(), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(who_dies_leaves_a_record_with_what_it_had),
		test(what_a_predecessor_left_in_the_slot_is_not_its_own),
		test(who_leaves_as_asked_is_no_death),
		test(links_are_waited_for_until_all_are_back),
		test(links_are_waited_for_no_longer_than_half_a_minute),
		test(of_too_many_deaths_the_latest_are_mourned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
