/* One segment, from its making to its end, as the writer and the reader see it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/segment_reader.h"
#include "common/segment_writer.h"

static char name[64], path[96];
static struct segment *segment;
static struct segment_reader *reader;
static struct snapshot *seen;

static int set_up(void **state)
{
	struct segment_shape shape = { .n_workers = 2,
				       .group = "",
				       .connections_max = 10,
				       .hang_report_ms = 1000,
				       .hang_act_ms = 3000 };
	struct why why;

	(void)state;
	snprintf(name, sizeof name, "parley-unit-%ld", (long)getpid());
	snprintf(path, sizeof path, "/dev/shm/%s", name);
	if (segment_create(name, &shape, &segment, &why) < 0)
		fail_msg("%s", why.text);
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
	assert_int_equal(access(path, F_OK), -1);
	return 0;
}

static void look(uint64_t now_ms)
{
	segment_reader_look(reader, now_ms * 1000000, seen);
	if (seen->look != LOOK_ok)
		print_message("%s\n", seen->reason);
}

/* A child takes slot 0, counts, and waits to be killed. Returns its pid. */
static pid_t worker(uint64_t generation)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct segment *mine;

		if (segment_attach(segment_fd(segment), 0, generation, ROLE_WORKER, 0,
				   &mine, NULL) < 0)
			_exit(1);
		counter_set(segment_slot(mine, 0), COUNTER_links_active, 5);
		counter_add(segment_slot(mine, 0), COUNTER_links_opened, 7);
		(void)!write(ready[1], "r", 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_new_segment_is_whole_and_only_the_group_may_read(void **state)
{
	struct stat stat_of;

	(void)state;
	look(1);
	assert_int_equal(seen->look, LOOK_ok);
	assert_int_equal(seen->n_workers, 2);
	assert_int_equal(seen->n_slots, 5);
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0640);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		assert_true(seen->has[i]);
}

static void gauges_count_for_the_living_totals_for_all(void **state)
{
	pid_t pid = worker(1);

	(void)state;
	look(1);
	assert_true(seen->slots[0].alive);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_active), 5);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 7);
	end(pid);
	look(2);
	assert_false(seen->slots[0].alive);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_active), 0);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 7);
	segment_retire(segment, 0);
	segment_retire(segment, 0);
	look(3);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 7);
	end(worker(2));
	look(4);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 14);
}

static void a_beat_ages_by_the_readers_clock(void **state)
{
	(void)state;
	look(1000);
	look(1500);
	assert_int_equal(seen->beat_age_ns / 1000000, 500);
	assert_false(seen->beat_moved);
	word_add(&segment_supervisor(segment)->beat, 1);
	look(1600);
	assert_int_equal(seen->beat_age_ns, 0);
	assert_true(seen->beat_moved);
	look(1700);
	assert_int_equal(seen->beat_age_ns / 1000000, 100);
	assert_true(seen->beat_moved);
}

static void a_deleted_name_is_told_and_put_back(void **state)
{
	(void)state;
	look(1);
	assert_int_equal(unlink(path), 0);
	look(2);
	assert_int_equal(seen->look, LOOK_ok);
	assert_non_null(strstr(seen->reason, "deleted"));
	assert_int_equal(segment_keep_name(segment), 1);
	look(3);
	assert_string_equal(seen->reason, "");
	assert_int_equal(segment_keep_name(segment), 0);
}

static struct segment_sequences *sequences(void)
{
	struct segment_header *header = segment_header(segment);

	return (void *)((char *)header + header->sequences_offset);
}

/* The next process has the lock of the slot and has not emptied it yet. */
static void a_retired_slot_does_not_live_by_the_next_ones_lock(void **state)
{
	pid_t pid = worker(1);

	(void)state;
	segment_retire(segment, 0);
	look(1);
	assert_int_equal(seen->look, LOOK_ok);
	assert_false(seen->slots[0].alive);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_active), 0);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 7);
	end(pid);
}

/* Stopped for ever in the middle of taking it, say. */
static void a_slot_that_is_being_taken_counts_for_nothing(void **state)
{
	pid_t pid = worker(1);

	(void)state;
	word_set(&segment_child(segment, 0)->state, CHILD_starting);
	word_add(&sequences()->slot[0], 1);
	look(1);
	assert_int_equal(seen->look, LOOK_ok);
	assert_false(seen->slots[0].alive);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_active), 0);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 0);
	word_set(&segment_child(segment, 0)->state, CHILD_up);
	look(2);
	assert_int_equal(seen->look, LOOK_torn);
	assert_int_equal(seen->n_slots, 0);
	end(pid);
	look(3);
	assert_int_equal(seen->look, LOOK_ok);
}

static void a_supervisor_that_died_adding_up_leaves_no_total(void **state)
{
	pid_t pid = worker(1);

	(void)state;
	/* To this process its own lock looks free: the supervisor is dead. */
	word_add(&sequences()->supervisor, 1);
	look(1);
	assert_int_equal(seen->look, LOOK_ok);
	assert_true(seen->supervisor_known && !seen->supervisor_alive);
	assert_non_null(strstr(seen->reason, "totals are unknown"));
	assert_true(seen->has[COUNTER_links_active]);
	assert_false(seen->has[COUNTER_links_opened]);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_active), 5);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 0);
	end(pid);
}

static void a_living_supervisor_that_never_ends_is_torn_in_bounded_time(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	look(1);
	word_add(&sequences()->supervisor, 1);
	pid = fork();
	if (pid == 0) {
		alarm(5);
		look(2);
		_exit(seen->look == LOOK_torn && seen->supervisor_alive &&
				      seen->n_slots == 0 && seen->n_seats == 0
			      ? 42
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void a_second_gateway_is_refused_and_a_stale_segment_replaced(void **state)
{
	struct segment_shape shape = { .n_workers = 1, .group = "" };
	pid_t pid = fork();
	struct segment *other;
	struct why why;
	int status;

	(void)state;
	if (pid == 0)
		_exit(segment_create(name, &shape, &other, &why) == -EBUSY ? 42 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
	/* Our lock is gone with our only descriptor: what is left is stale. */
	segment_close(segment, false);
	look(1);
	assert_false(seen->supervisor_alive);
	assert_int_equal(segment_create(name, &shape, &segment, &why), 0);
	pid = fork();
	if (pid == 0) {
		look(2);
		_exit(seen->look == LOOK_ok && seen->n_workers == 1 &&
				      seen->supervisor_alive
			      ? 42
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void a_cut_or_scribbled_segment_is_told_and_gives_no_number(void **state)
{
	struct segment_header *header = segment_header(segment);
	struct segment_about *about;

	(void)state;
	header->connections_max ^= 1;
	look(1);
	assert_int_equal(seen->look, LOOK_corrupt);
	assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 0);
	header->connections_max ^= 1;
	header->version++;
	look(2);
	assert_int_equal(seen->look, LOOK_other_version);
	header->version--;
	look(3);
	assert_int_equal(seen->look, LOOK_ok);
	about = (struct segment_about *)((char *)header + header->about_offset);
	about->id[0] ^= 1; /* also when the look before found all well */
	look(4);
	assert_int_equal(seen->look, LOOK_corrupt);
	about->id[0] ^= 1;
	word_set(&segment_child(segment, 4)->state, CHILD_STATE_COUNT);
	look(5);
	assert_int_equal(seen->look, LOOK_corrupt);
	assert_int_equal(seen->n_slots, 0);
	assert_int_equal(seen->n_seats, 0);
}

/* To this process its own lock, the supervisor's, looks free. */
static void an_unreadable_segment_is_deserted_once_its_last_process_died(void **state)
{
	struct segment_header *header = segment_header(segment);
	pid_t pid = worker(1);

	(void)state;
	header->magic[0] ^= 1;
	look(1);
	assert_int_equal(seen->look, LOOK_foreign);
	assert_false(seen->deserted);
	header->magic[0] ^= 1;
	look(2);
	assert_int_equal(seen->look, LOOK_ok);
	header->magic[0] ^= 1;
	look(3);
	assert_int_equal(seen->look, LOOK_foreign);
	assert_false(seen->deserted);
	end(pid);
	look(4);
	assert_int_equal(seen->look, LOOK_foreign);
	assert_true(seen->deserted);
}

static void a_file_that_never_was_a_segment_is_not_deserted(void **state)
{
	(void)state;
	segment_header(segment)->magic[0] ^= 1;
	look(1);
	assert_int_equal(seen->look, LOOK_foreign);
	assert_false(seen->deserted);
}

/* Wherever it is cut, also behind all that the header needs; what was read before does
 * not stand in for what is missing. */
static void a_segment_cut_anywhere_is_short(void **state)
{
	struct stat stat_of;

	(void)state;
	assert_int_equal(stat(path, &stat_of), 0);
	look(1);
	assert_int_equal(seen->look, LOOK_ok);
	for (off_t len = stat_of.st_size - 1; len > 0; len -= 61) {
		assert_int_equal(truncate(path, len), 0);
		look(2);
		assert_int_equal(seen->look, LOOK_short);
		assert_int_equal(seen->n_slots, 0);
		assert_int_equal(snapshot_sum(seen, COUNTER_links_opened), 0);
	}
}

static void what_lies_behind_the_end_disturbs_nobody(void **state)
{
	struct stat stat_of;

	(void)state;
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(truncate(path, stat_of.st_size + 4096), 0);
	look(1);
	assert_int_equal(seen->look, LOOK_ok);
	end(worker(1));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_segment_is_whole_and_only_the_group_may_read),
		TEST(gauges_count_for_the_living_totals_for_all),
		TEST(a_beat_ages_by_the_readers_clock),
		TEST(a_deleted_name_is_told_and_put_back),
		TEST(a_retired_slot_does_not_live_by_the_next_ones_lock),
		TEST(a_slot_that_is_being_taken_counts_for_nothing),
		TEST(a_supervisor_that_died_adding_up_leaves_no_total),
		TEST(a_living_supervisor_that_never_ends_is_torn_in_bounded_time),
		TEST(a_second_gateway_is_refused_and_a_stale_segment_replaced),
		TEST(a_cut_or_scribbled_segment_is_told_and_gives_no_number),
		TEST(an_unreadable_segment_is_deserted_once_its_last_process_died),
		TEST(a_file_that_never_was_a_segment_is_not_deserted),
		TEST(a_segment_cut_anywhere_is_short),
		TEST(what_lies_behind_the_end_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
