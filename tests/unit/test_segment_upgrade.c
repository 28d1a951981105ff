/* A segment that another build's supervisor takes over: nothing moves, totals go on. */
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

#include "common/segment_open.h"
#include "common/segment_reader.h"
#include "common/segment_writer.h"

static char name[64];
static struct segment *segment, *taken;
static struct segment_reader *reader;
static struct snapshot *seen;
static struct why why;

static int make(void)
{
	struct segment_shape shape = { .n_workers = 2, .group = "" };

	return segment_create(name, &shape, &segment, &why);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(name, sizeof name, "parley-unit-%ld", (long)getpid());
	assert_int_equal(make(), 0);
	assert_int_equal(segment_reader_new(name, &reader), 0);
	seen = calloc(1, sizeof *seen);
	assert_non_null(seen);
	taken = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	segment_reader_free(reader);
	/* Two mappings of the one descriptor. */
	if (taken)
		segment_unmap(segment);
	segment_close(taken ? taken : segment, true);
	free(seen);
	return 0;
}

static struct segment_about *abouts(void)
{
	struct segment_header *header = segment_header(segment);

	return (void *)((char *)header + header->about_offset);
}

/* As another build with so many counters has left it. */
static void leave(const char *build, unsigned n_counters)
{
	struct segment_header *header = segment_header(segment);

	for (unsigned i = COUNTER_COUNT; i < n_counters; i++) {
		struct segment_about *about = &abouts()[i];

		snprintf(about->id, sizeof about->id, "later_%u", i);
		about->kind = COUNTER_TOTAL;
		about->offset = i * 8;
	}
	snprintf(header->build, sizeof header->build, "%s", build);
	header->layout ^= 1;
	header->n_counters = n_counters;
	header->checksum = segment_checksum(header, abouts(),
					    n_counters * sizeof(struct segment_about));
}

static void look(void)
{
	static uint64_t now_ns;

	segment_reader_look(reader, now_ns += 1000000, seen);
	if (seen->look != LOOK_ok)
		fail_msg("%s", seen->reason);
}

static void take_over(void)
{
	if (segment_take_over(segment_fd(segment), name, &taken, &why) < 0)
		fail_msg("%s", why.text);
}

static void counters_of_a_later_build_find_room_behind_those_that_are_there(void **state)
{
	enum counter last = COUNTER_COUNT - 1;

	(void)state;
	leave("0.0.9", COUNTER_COUNT - 1);
	word_set(&segment_supervisor(segment)->retired[COUNTER_links_opened], 17);
	look();
	assert_string_equal(seen->build, "0.0.9");
	assert_false(seen->has[last]);
	take_over();
	look();
	assert_string_equal(seen->build, PARLEY_VERSION);
	assert_true(seen->has[last]);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 17);
	assert_ptr_not_equal(segment_supervisor(taken), segment_supervisor(segment));
	assert_int_equal(
		word_get(&segment_supervisor(taken)->retired[COUNTER_links_opened]), 17);
}

/* The words of a slot's counters, those of no build that is known here included. */
static word *words_of(unsigned slot)
{
	return (word *)((char *)segment_slot(segment, slot) +
			segment_header(segment)->counters_offset);
}

static void what_a_later_build_counted_is_kept_by_an_earlier_one(void **state)
{
	word *retired = (word *)((char *)segment_supervisor(segment) +
				 segment_header(segment)->retired_offset);

	(void)state;
	leave("9.0", COUNTER_COUNT + 2);
	take_over();
	look();
	assert_string_equal(seen->build, PARLEY_VERSION);
	assert_int_equal(segment_header(taken)->n_counters, COUNTER_COUNT + 2);
	assert_int_equal(abouts()[COUNTER_COUNT + 1].kind, COUNTER_TOTAL);
	word_set(&segment_slot(segment, 1)->generation, 4);
	word_set(&words_of(1)[COUNTER_COUNT + 1], 5);
	word_set(&words_of(1)[COUNTER_links_opened], 6);
	segment_retire(taken, 1);
	assert_int_equal(word_get(&retired[COUNTER_COUNT + 1]), 5);
	look();
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 6);
}

static void refused(const char *what)
{
	struct segment *none = NULL;

	assert_int_equal(segment_check(segment_fd(segment), &why), -EPROTO);
	assert_non_null(strstr(why.text, what));
	assert_int_equal(segment_take_over(segment_fd(segment), name, &none, &why),
			 -EPROTO);
	assert_null(none);
}

static void another_list_of_counters_or_another_layout_is_refused(void **state)
{
	struct segment_header *header = segment_header(segment);
	char id[32];

	(void)state;
	assert_int_equal(segment_check(segment_fd(segment), &why), 0);
	memcpy(id, abouts()[3].id, sizeof id);
	memcpy(abouts()[3].id, abouts()[4].id, sizeof id);
	refused("has other counters");
	memcpy(abouts()[3].id, id, sizeof id);
	header->counters_room = COUNTER_COUNT - 1;
	refused("has no room");
	header->counters_room = COUNTER_COUNT + SEGMENT_SPARE_COUNTERS;
	header->seat_stride += 8;
	refused("is laid out otherwise");
	header->seat_stride -= 8;
	header->n_counters = header->counters_room + 1;
	refused("is laid out otherwise");
	header->n_counters = COUNTER_COUNT;
	header->magic[0] ^= 1;
	refused("is none of Parley's");
	header->magic[0] ^= 1;
	assert_int_equal(segment_check(segment_fd(segment), &why), 0);
}

/* A process that was started just before, by the program that was there then. */
static void a_process_of_the_earlier_build_still_finds_its_slot(void **state)
{
	struct segment *mine;
	int status;
	pid_t pid;

	(void)state;
	leave("9.0", COUNTER_COUNT + 1);
	pid = fork();
	if (pid == 0)
		_exit(segment_attach(segment_fd(segment), 0, 1, ROLE_WORKER, 0, &mine,
				     NULL) == 0
			      ? 42
			      : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
	leave("0.0.9", COUNTER_COUNT - 1);
	assert_int_equal(
		segment_attach(segment_fd(segment), 1, 2, ROLE_WORKER, 1, &mine, &why),
		-EPROTO);
}

/* Another process rewrites the description again and again, each time as an upgrade does.
 */
static void a_reader_sees_no_description_that_is_half_written(void **state)
{
	unsigned n_ok = 0;
	int status;
	pid_t pid;

	(void)state;
	segment_close(segment, true);
	pid = fork();
	if (pid == 0) {
		if (make() < 0)
			_exit(1);
		while (segment_take_over(segment_fd(segment), name, &taken, NULL) == 0)
			segment_unmap(taken);
		_exit(1);
	}
	while (n_ok < 1000) {
		segment_reader_look(reader, 1, seen);
		n_ok += seen->look == LOOK_ok;
		if (seen->look != LOOK_ok && seen->look != LOOK_missing &&
		    seen->look != LOOK_torn)
			fail_msg("%s", seen->reason);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(make(), 0); /* for tear_down */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		TEST(counters_of_a_later_build_find_room_behind_those_that_are_there),
		TEST(what_a_later_build_counted_is_kept_by_an_earlier_one),
		TEST(another_list_of_counters_or_another_layout_is_refused),
		TEST(a_process_of_the_earlier_build_still_finds_its_slot),
		TEST(a_reader_sees_no_description_that_is_half_written),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
