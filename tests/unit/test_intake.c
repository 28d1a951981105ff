/* test_intake - what workers say to the sequencer counts once, in its epoch. */
#include "tests/unit/bus_bench.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/sequencer/inside.h"

enum {
	RING = 65536,
	SEQUENCER = BENCH_ENDS - 1, /* its slot; those before it are workers' */
	GENERATION = 5
};

struct fixture {
	struct bus_bench bench;
	struct inherited inherited;
	struct segment_slot slot;
	struct sequencer sequencer;
	struct bus *workers[SEQUENCER];
	struct bus_reader heard; /* worker 0's place in the sequencer's ring */
};

static int no_commit(void *app, struct store_send *sends, unsigned n,
		     store_commit_done *done, void *done_app)
{
	return -ENOTCONN;
}

static uint64_t now_us(void *app)
{
	return 1000000;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct commit_limits limits = { 2000, 100, RING, RING };
	struct commit_io io = { .commit = no_commit, .now_us = now_us };

	assert_non_null(f);
	bench_make(&f->bench, RING);
	f->inherited = (struct inherited){ .slot = SEQUENCER,
					   .generation = GENERATION,
					   .n_slots = BENCH_ENDS };
	f->sequencer.inherited = &f->inherited;
	f->sequencer.slot = &f->slot;
	f->sequencer.bus = bench_open(&f->bench, SEQUENCER);
	f->sequencer.process.loop = &f->sequencer.loop;
	assert_int_equal(uv_loop_init(&f->sequencer.loop), 0);
	committer_init(&f->sequencer.committer, &io, &limits, &f->slot);
	for (unsigned i = 0; i < SEQUENCER; i++)
		f->workers[i] = bench_open(&f->bench, i);
	bus_reader_from_now(&f->heard, f->workers[0], SEQUENCER);
	intake_start(&f->sequencer);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	committer_release(&f->sequencer.committer);
	assert_int_equal(uv_loop_close(&f->sequencer.loop), 0);
	for (unsigned i = 0; i < SEQUENCER; i++)
		bus_close(f->workers[i]);
	bus_close(f->sequencer.bus);
	bench_close(&f->bench);
	free(f);
	return 0;
}

static void submit(struct fixture *f, unsigned worker, uint64_t epoch)
{
	struct record_submit submit = { .generation = 9,
					.ticket = 1,
					.epoch = epoch,
					.message = { .room = { "lobby", 5 } } };

	assert_int_equal(record_write_submit(f->workers[worker], &submit), 0);
}

static void cast(struct fixture *f, unsigned worker, uint64_t epoch, const char *text)
{
	struct record_cast cast = { 77, 9, epoch, text, strlen(text) };

	assert_int_equal(record_write_cast(f->workers[worker], &cast), 0);
}

/* More than the ring holds, so that the sequencer is lapped. */
static void lap(struct fixture *f, unsigned worker)
{
	for (unsigned i = 0; i < RING / 64; i++)
		submit(f, worker, intake_first_epoch(&f->sequencer));
}

static struct bus_record next(struct fixture *f, uint32_t type)
{
	struct bus_record record = { 0 };

	assert_int_equal(bus_read(f->workers[0], &f->heard, &record), 1);
	assert_int_equal(record.type, type);
	return record;
}

static void expect_nothing(struct fixture *f)
{
	struct bus_record record;

	assert_int_equal(bus_read(f->workers[0], &f->heard, &record), 0);
}

/* The epoch that this slot is told in a LOST. */
static uint64_t expect_lost(struct fixture *f, uint32_t slot)
{
	struct bus_record record = next(f, RECORD_LOST);
	uint64_t epoch;
	uint32_t whose;

	assert_int_equal(record_read_lost(&record, &whose, &epoch), 0);
	assert_int_equal(whose, slot);
	return epoch;
}

static unsigned n_waiting(struct fixture *f)
{
	return f->sequencer.committer.queue.n;
}

/* ---- submissions ---- */

static void what_is_submitted_in_the_epoch_waits_for_its_commit(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch = intake_first_epoch(&f->sequencer);

	submit(f, 0, epoch);
	submit(f, 1, epoch);
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 2);
	assert_int_equal(f->sequencer.committer.queue.first->owners[1].slot, 1);
	expect_nothing(f);
}

static void one_of_another_epoch_is_passed_over_and_told_the_right_one(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch;

	submit(f, 0, 0);
	submit(f, 0, 1);
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 0);
	epoch = expect_lost(f, 0);
	expect_nothing(f); /* told once a turn */
	assert_int_equal(epoch, intake_first_epoch(&f->sequencer));
	submit(f, 0, epoch);
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 1);
}

static void who_lapped_the_sequencer_is_in_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	uint64_t first = intake_first_epoch(&f->sequencer), epoch;

	lap(f, 0);
	submit(f, 1, first);
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 1); /* the other one's */
	epoch = expect_lost(f, 0);
	assert_int_not_equal(epoch, first);
	submit(f, 0, first); /* would overtake what was lost */
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 1);
	assert_int_equal(expect_lost(f, 0), epoch);
	submit(f, 0, epoch);
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 2);
}

static void epochs_of_two_lives_are_never_the_same(void **state)
{
	struct fixture *f = *state;
	uint64_t first = intake_first_epoch(&f->sequencer);

	f->inherited.generation++;
	assert_true(intake_first_epoch(&f->sequencer) > first + UINT32_MAX);
}

/* ---- casts ---- */

static void a_cast_is_relayed_at_once_under_its_writers_slot(void **state)
{
	struct fixture *f = *state;
	struct bus_record record;
	struct record_cast heard;

	cast(f, 1, intake_first_epoch(&f->sequencer), "hello");
	intake_turn(&f->sequencer);
	record = next(f, RECORD_CAST);
	assert_int_equal(record_read_cast(&record, &heard), 0);
	assert_int_equal(heard.slot, 1);
	assert_int_equal(heard.generation, 9);
	assert_int_equal(heard.len, 5);
	assert_memory_equal(heard.data, "hello", 5);
	expect_nothing(f);
}

static void a_cast_of_another_epoch_is_dropped_and_told(void **state)
{
	struct fixture *f = *state;

	cast(f, 1, 0, "hello");
	intake_turn(&f->sequencer);
	assert_int_equal(expect_lost(f, 1), intake_first_epoch(&f->sequencer));
	expect_nothing(f);
}

/* ---- the end, and nonsense ---- */

static void who_leaves_takes_nothing_more(void **state)
{
	struct fixture *f = *state;

	f->sequencer.leaving = true;
	submit(f, 0, intake_first_epoch(&f->sequencer));
	cast(f, 0, intake_first_epoch(&f->sequencer), "hello");
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 0);
	expect_nothing(f);
	assert_true(bus_sleep(f->sequencer.bus, f->sequencer.readers, SEQUENCER));
}

static void nonsense_is_passed_over(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_bytes(f->workers[0], RECORD_SUBMIT, "x", 1), 0);
	assert_int_equal(write_bytes(f->workers[0], RECORD_CAST, "x", 1), 0);
	assert_int_equal(write_bytes(f->workers[0], 4711, "x", 1), 0);
	submit(f, 0, intake_first_epoch(&f->sequencer));
	intake_turn(&f->sequencer);
	assert_int_equal(n_waiting(f), 1);
	expect_nothing(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_submitted_in_the_epoch_waits_for_its_commit),
		TEST(one_of_another_epoch_is_passed_over_and_told_the_right_one),
		TEST(who_lapped_the_sequencer_is_in_a_new_epoch),
		TEST(epochs_of_two_lives_are_never_the_same),
		TEST(a_cast_is_relayed_at_once_under_its_writers_slot),
		TEST(a_cast_of_another_epoch_is_dropped_and_told),
		TEST(who_leaves_takes_nothing_more),
		TEST(nonsense_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
