/* Deaths, what came back of them, drains and rolls: as written, and as read by who
 * believes nothing. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/segment_chronicle.h"
#include "common/segment_reader.h"

static char name[64];
static struct segment *segment;
static struct segment_reader *reader;
static struct snapshot *seen;

static int set_up(void **state)
{
	struct segment_shape shape = { .n_workers = 2, .group = "" };

	(void)state;
	snprintf(name, sizeof name, "parley-unit-%ld", (long)getpid());
	assert_int_equal(segment_create(name, &shape, &segment, NULL), 0);
	assert_int_equal(segment_reader_new(name, &reader), 0);
	seen = calloc(1, sizeof *seen);
	assert_non_null(seen);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	segment_reader_free(reader);
	segment_close(segment, true);
	free(seen);
	return 0;
}

static void look(void)
{
	segment_reader_look(reader, 1, seen);
	assert_int_equal(seen->look, LOOK_ok);
}

/* Worker 1 of this generation died, and 3 links with it. */
static void bury(uint64_t generation)
{
	struct segment_death death = {
		.generation = generation,
		.wall_ms = 1000 + generation,
		.uptime_ms = generation,
		.seat = 1,
		.role = ROLE_WORKER,
		.pid = 4711,
		.reason = EXIT_crashed,
		.signal = SIGSEGV,
		.phase = PHASE_reading,
		.lived_ms = 50,
		.links = 3,
		.members = 6,
	};

	segment_bury(segment, &death);
}

/* A process takes the slot, does this, and is killed. */
static void live(unsigned slot, uint64_t generation, void (*act)(struct segment *mine))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct segment *mine;

		if (segment_attach(segment_fd(segment), slot, generation, ROLE_WORKER,
				   slot, &mine, NULL) < 0)
			_exit(1);
		act(mine);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static struct segment_death *record(unsigned i)
{
	return &segment_chronicle(segment)->deaths[i];
}

static void a_death_is_read_as_it_was_written(void **state)
{
	const struct snapshot_death *death = &seen->deaths[0];

	(void)state;
	look();
	assert_int_equal(seen->n_deaths, 0);
	bury(7);
	look();
	assert_int_equal(seen->n_deaths, 1);
	assert_int_equal(death->generation, 7);
	assert_int_equal(death->seat, 1);
	assert_int_equal(death->pid, 4711);
	assert_int_equal(death->reason, EXIT_crashed);
	assert_int_equal(death->signal, SIGSEGV);
	assert_string_equal(phase_name(death->phase), "reading");
	assert_int_equal(death->links, 3);
	assert_int_equal(death->members, 6);
	assert_int_equal(death->back, 0);
}

static void the_last_sixteen_deaths_are_kept_the_latest_first(void **state)
{
	(void)state;
	for (uint64_t generation = 1; generation <= 20; generation++)
		bury(generation);
	look();
	assert_int_equal(seen->n_deaths, SEGMENT_DEATHS);
	for (unsigned i = 0; i < SEGMENT_DEATHS; i++)
		assert_int_equal(seen->deaths[i].generation, 20 - i);
}

static void record_many(struct segment *mine)
{
	for (uint64_t i = 1; i <= 100; i++)
		segment_record(segment_slot(mine, 0), EVENT_opened, i, 10 * i, 0);
}

static void its_last_events_are_the_newest_of_the_flight_recorder(void **state)
{
	struct segment_event events[SEGMENT_DEATH_EVENTS];

	(void)state;
	assert_int_equal(segment_last_events(segment_slot(segment, 0), events), 0);
	live(0, 1, record_many);
	assert_int_equal(segment_last_events(segment_slot(segment, 0), events),
			 SEGMENT_DEATH_EVENTS);
	for (unsigned i = 0; i < SEGMENT_DEATH_EVENTS; i++)
		assert_int_equal(word_get(&events[i].at_ms),
				 100 - SEGMENT_DEATH_EVENTS + 1 + i);
}

static void take_back_three(struct segment *mine)
{
	segment_count_return(mine, 0, 7);
	segment_count_return(mine, 0, 7);
	segment_count_return(mine, 0, 7);
	segment_count_whole(mine, 0, 7, 1);
	segment_count_whole(mine, 0, 7, 1);
	segment_count_whole(mine, 0, 7, -1);
	segment_count_trimmed(mine, 0, 7, 1);
}

static void check_returns(void)
{
	struct segment_came_back back;

	look();
	assert_int_equal(seen->deaths[0].back, 3);
	assert_int_equal(seen->deaths[0].whole, 1);
	assert_int_equal(seen->deaths[0].trimmed, 1);
	assert_true(segment_came_back(segment, 7, &back));
	assert_int_equal(back.links, 3);
	assert_int_equal(back.whole, 1);
	assert_int_equal(back.trimmed, 1);
}

static void nothing(struct segment *mine)
{
	(void)mine;
}

static void what_came_back_counts_once_also_when_who_counted_it_is_gone(void **state)
{
	(void)state;
	bury(7);
	live(0, 8, take_back_three);
	check_returns();
	segment_retire(segment, 0);
	check_returns();
	segment_retire(segment, 0);
	check_returns();
	live(0, 9, nothing);
	check_returns();
}

static void take_back_too_many(struct segment *mine)
{
	for (int i = 0; i < 100; i++) {
		segment_count_return(mine, 0, 7);
		segment_count_whole(mine, 0, 7, 1);
	}
}

static void no_more_come_back_than_were_lost(void **state)
{
	(void)state;
	bury(7);
	live(0, 8, take_back_too_many);
	look();
	assert_int_equal(seen->deaths[0].back, 3);
	assert_int_equal(seen->deaths[0].whole, 3);
}

static void take_back_of_many(struct segment *mine)
{
	for (uint64_t generation = 1; generation <= 40; generation++)
		segment_count_return(mine, 0, generation);
}

static void returns_of_too_many_deaths_leave_those_of_the_latest(void **state)
{
	(void)state;
	for (uint64_t generation = 25; generation <= 40; generation++)
		bury(generation);
	live(0, 50, take_back_of_many);
	look();
	for (unsigned i = 0; i < SEGMENT_DEATHS; i++)
		assert_int_equal(seen->deaths[i].back, 1);
}

static void a_process_is_dead_once_the_kernel_says_so(void **state)
{
	struct segment_child *child = segment_child(segment, 0);
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_false(segment_is_dead(segment, 5));
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct segment *mine;

		(void)segment_attach(segment_fd(segment), 0, 5, ROLE_WORKER, 0, &mine,
				     NULL);
		(void)!write(ready[1], "r", 1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	word_set(&child->generation, 5);
	word_set(&child->state, CHILD_up);
	assert_false(segment_is_dead(segment, 5));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(segment_is_dead(segment, 5));
	/* The supervisor has heard: it left as asked, unless there is a record. */
	word_set(&child->state, CHILD_free);
	assert_false(segment_is_dead(segment, 5));
	bury(5);
	assert_true(segment_is_dead(segment, 5));
	assert_false(segment_is_dead(segment, 0));
}

static void a_record_that_makes_no_sense_is_left_out(void **state)
{
	(void)state;
	for (uint64_t generation = 1; generation <= 5; generation++)
		bury(generation);
	word_set(&record(0)->seat, 3);
	word_set(&record(1)->role, 2);
	word_set(&record(2)->reason, EXIT_REASON_COUNT);
	word_set(&record(3)->n_events, SEGMENT_DEATH_EVENTS + 1);
	word_set(&record(4)->phase, UINT64_MAX);
	word_set(&record(4)->back, UINT64_MAX);
	word_set(&record(4)->trimmed, UINT64_MAX);
	word_set(&segment_chronicle(segment)->n_deaths, UINT64_MAX);
	look();
	assert_int_equal(seen->n_deaths, 1);
	assert_int_equal(seen->deaths[0].generation, 5);
	assert_string_equal(phase_name(seen->deaths[0].phase), "unknown");
	assert_int_equal(seen->deaths[0].back, 3);
	assert_int_equal(seen->deaths[0].trimmed, 3);
	assert_int_equal(seen->deaths[0].whole, 0);
}

static void drain_and_roll_are_read_whole(void **state)
{
	struct segment_chronicle *told = segment_chronicle(segment);

	(void)state;
	segment_tell_begins(segment);
	word_set(&told->drain.from_ms, 1000);
	word_set(&told->drain.close_ms, 2000);
	word_set(&told->drain.spread_ms, 10000);
	word_set(&told->drain.until_ms, 34000);
	word_set(&told->drain.links, 500);
	word_set(&told->roll.total, 4);
	word_set(&told->roll.done, 3);
	segment_tell_ends(segment);
	look();
	assert_int_equal(seen->drain.from_ms, 1000);
	assert_int_equal(seen->drain.close_ms, 2000);
	assert_int_equal(seen->drain.spread_ms, 10000);
	assert_int_equal(seen->drain.until_ms, 34000);
	assert_int_equal(seen->drain.links, 500);
	assert_int_equal(seen->roll.total, 4);
	assert_int_equal(seen->roll.done, 3);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_death_is_read_as_it_was_written),
		test(the_last_sixteen_deaths_are_kept_the_latest_first),
		test(its_last_events_are_the_newest_of_the_flight_recorder),
		test(what_came_back_counts_once_also_when_who_counted_it_is_gone),
		test(no_more_come_back_than_were_lost),
		test(returns_of_too_many_deaths_leave_those_of_the_latest),
		test(a_process_is_dead_once_the_kernel_says_so),
		test(a_record_that_makes_no_sense_is_left_out),
		test(drain_and_roll_are_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
