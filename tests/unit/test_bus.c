/* test_bus - records come out as they went in, or the reader is told. */
#include "tests/unit/bus_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/check.h"
#include "gateway/bus/ring.h"

enum {
	RING = 4096,
};

struct fixture {
	struct bus_bench bench;
	struct bus *writer, *other; /* ends 0 and 1 */
	struct bus_reader reader;   /* of the writer's ring, by the other */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	CHECK(f);
	bench_make(&f->bench, RING);
	f->writer = bench_open(&f->bench, 0);
	f->other = bench_open(&f->bench, 1);
	bus_reader_from_now(&f->reader, f->other, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	bus_close(f->writer);
	bus_close(f->other);
	bench_close(&f->bench);
	free(f);
	return 0;
}

static void expect_record(struct fixture *f, uint32_t type, const void *data, size_t len)
{
	struct bus_record record;

	assert_int_equal(bus_read(f->other, &f->reader, &record), 1);
	assert_int_equal(record.type, type);
	assert_int_equal(record.len, len);
	if (len)
		assert_memory_equal(record.data, data, len);
}

static void a_record_comes_out_as_it_went_in(void **state)
{
	struct fixture *f = *state;
	char a[] = "first", b[] = "and second";
	struct iovec parts[] = { { a, 5 }, { NULL, 0 }, { b, 10 } };
	struct bus_record record;

	assert_int_equal(bus_read(f->other, &f->reader, &record), 0);
	assert_int_equal(bus_write(f->writer, 7, parts, 3), 0);
	assert_int_equal(bus_write(f->writer, 8, NULL, 0), 0);
	expect_record(f, 7, "firstand second", 15);
	expect_record(f, 8, "", 0);
	assert_int_equal(bus_read(f->other, &f->reader, &record), 0);
	assert_int_equal(bus_written(f->writer), f->reader.at);
}

static void records_of_every_length_wrap_around_the_end(void **state)
{
	struct fixture *f = *state;
	uint8_t data[RING / 4];
	size_t max = bus_record_max(f->writer);

	assert_int_equal(max, RING / 4 - 8);
	for (size_t len = 0; len <= max; len++) {
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)(len * 7 + i);
		assert_int_equal(write_bytes(f->writer, (uint32_t)len, data, len), 0);
		expect_record(f, (uint32_t)len, data, len);
	}
}

static void a_record_that_is_too_long_is_refused_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t data[RING] = { 0 };
	struct bus_record record;

	assert_int_equal(write_bytes(f->writer, 1, data, bus_record_max(f->writer) + 1),
			 -EMSGSIZE);
	assert_int_equal(bus_read(f->other, &f->reader, &record), 0);
}

static void a_reader_may_be_behind_by_the_whole_ring(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < RING / 16; i++)
		assert_int_equal(write_bytes(f->writer, 1, &i, sizeof i), 0);
	for (uint64_t i = 0; i < RING / 16; i++)
		expect_record(f, 1, &i, sizeof i);
}

static void a_lapped_reader_is_told_and_goes_on_at_the_newest(void **state)
{
	struct fixture *f = *state;
	struct bus_record record;
	uint64_t i;

	for (i = 0; i <= RING / 16; i++)
		assert_int_equal(write_bytes(f->writer, 1, &i, sizeof i), 0);
	assert_int_equal(bus_read(f->other, &f->reader, &record), -EOVERFLOW);
	assert_int_equal(bus_read(f->other, &f->reader, &record), 0);
	assert_int_equal(write_bytes(f->writer, 1, &i, sizeof i), 0);
	expect_record(f, 1, &i, sizeof i);
}

static void the_next_writer_goes_on_where_the_last_one_ended(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_bytes(f->writer, 1, "old", 3), 0);
	bus_close(f->writer);
	f->writer = bench_open(&f->bench, 0);
	assert_int_equal(write_bytes(f->writer, 1, "new", 3), 0);
	expect_record(f, 1, "old", 3);
	expect_record(f, 1, "new", 3);
}

/* As a writer leaves it that dies within ring_write. */
static void what_a_dead_writer_overwrote_is_never_read(void **state)
{
	static struct ring_control control;
	static _Atomic uint64_t words[RING / 8];
	struct ring ring = { &control, words, RING };
	uint64_t at = 0, scratch[RING / 8], i = 0;
	struct iovec part = { &i, sizeof i };
	struct bus_record record;

	(void)state;
	for (; i < RING / 16; i++)
		assert_int_equal(ring_write(&ring, 1, &part, 1), 0);
	/* It meant to write 32 bytes and had written the first 24 of them. */
	control.reserved = RING + 32;
	words[0] = words[1] = words[2] = ~0ull;
	assert_int_equal(ring_write(&ring, 1, &part, 1), 0); /* 16, by its successor */
	at = 16; /* a reader for whom the successor's record alone were harmless */
	assert_int_equal(ring_read(&ring, &at, scratch, &record), -EOVERFLOW);
	assert_int_equal(at, RING + 16);
}

static void nonsense_in_a_ring_is_told_and_passed_over(void **state)
{
	static struct ring_control control;
	static _Atomic uint64_t words[RING / 8];
	struct ring ring = { &control, words, RING };
	uint64_t at = 0, scratch[RING / 8];
	struct bus_record record;

	(void)state;
	control.head = control.reserved = 16;
	words[0] = 9; /* a length that reaches behind the head */
	assert_int_equal(ring_read(&ring, &at, scratch, &record), -EPROTO);
	assert_int_equal(at, 16);
	control.head = control.reserved = 21; /* not at a word */
	assert_int_equal(ring_read(&ring, &at, scratch, &record), -EPROTO);
	assert_int_equal(at, 21);
	assert_int_equal(ring_write(&ring, 5, NULL, 0), 0); /* its writer goes on */
	assert_int_equal(ring_read(&ring, &at, scratch, &record), -EPROTO);
	assert_int_equal(ring_write(&ring, 6, NULL, 0), 0);
	assert_int_equal(ring_read(&ring, &at, scratch, &record), 1);
	assert_int_equal(record.type, 6);
	control.reserved = 1ull << 60; /* no writer reserves that much */
	assert_int_equal(ring_write(&ring, 7, NULL, 0), 0);
	assert_int_equal(ring_read(&ring, &at, scratch, &record), 1);
}

static void only_a_sleeper_is_woken_and_only_once(void **state)
{
	struct fixture *f = *state;

	assert_false(bus_wake(f->writer, 1));
	assert_true(bus_sleep(f->other, &f->reader, 1));
	assert_true(bus_wake(f->writer, 1));
	assert_true(bench_woken(&f->bench, 1));
	assert_false(bus_wake(f->writer, 1));
	bus_awake(f->other);
	assert_true(bus_sleep(f->other, &f->reader, 1));
	bus_awake(f->other);
	assert_false(bus_wake(f->writer, 1));
	assert_false(bench_woken(&f->bench, 1));
}

static void who_has_news_does_not_fall_asleep(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write_bytes(f->writer, 1, "x", 1), 0);
	assert_false(bus_sleep(f->other, &f->reader, 1));
	assert_false(bus_wake(f->writer, 1));
	expect_record(f, 1, "x", 1);
	assert_true(bus_sleep(f->other, &f->reader, 1));
}

static void a_process_that_died_asleep_costs_one_wake(void **state)
{
	struct fixture *f = *state;

	assert_true(bus_sleep(f->other, &f->reader, 1));
	bus_close(f->other); /* as its death would */
	assert_true(bus_wake(f->writer, 1));
	assert_false(bus_wake(f->writer, 1));
	f->other = bench_open(&f->bench, 1);
	assert_true(bus_sleep(f->other, &f->reader, 1));
	bus_close(f->other);
	f->other = bench_open(&f->bench, 1); /* its successor is awake */
	assert_false(bus_wake(f->writer, 1));
}

static void a_full_eventfd_blocks_nobody(void **state)
{
	struct fixture *f = *state;
	uint64_t full = UINT64_MAX - 1;

	assert_int_equal(write(f->bench.wake_fds[1], &full, sizeof full), sizeof full);
	assert_true(bus_sleep(f->other, &f->reader, 1));
	assert_true(bus_wake(f->writer, 1));
	assert_true(bench_woken(&f->bench, 1));
}

static void what_is_not_a_bus_is_not_opened(void **state)
{
	struct fixture *f = *state;
	int fd = memfd_create("not-a-bus", 0), other_size;
	struct bus *bus = NULL;
	struct why why;

	assert_int_equal(bus_open(fd, 0, f->bench.wake_fds, 3, &bus, &why), -EPROTO);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(bus_open(fd, 0, f->bench.wake_fds, 3, &bus, &why), -EPROTO);
	assert_int_equal(bus_create(2, RING, &other_size, &why), 0);
	assert_int_equal(bus_open(other_size, 0, f->bench.wake_fds, 3, &bus, &why),
			 -EPROTO);
	assert_int_equal(bus_open(-1, 0, f->bench.wake_fds, 3, &bus, &why), -EPROTO);
	assert_int_equal(bus_open(f->bench.fd, 3, f->bench.wake_fds, 3, &bus, &why),
			 -EPROTO);
	assert_null(bus);
	close(fd);
	close(other_size);
}

static void nobody_can_shorten_the_memory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ftruncate(f->bench.fd, 0), -1);
	assert_int_equal(errno, EPERM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_record_comes_out_as_it_went_in),
		TEST(records_of_every_length_wrap_around_the_end),
		TEST(a_record_that_is_too_long_is_refused_and_leaves_nothing),
		TEST(a_reader_may_be_behind_by_the_whole_ring),
		TEST(a_lapped_reader_is_told_and_goes_on_at_the_newest),
		TEST(the_next_writer_goes_on_where_the_last_one_ended),
		cmocka_unit_test(what_a_dead_writer_overwrote_is_never_read),
		cmocka_unit_test(nonsense_in_a_ring_is_told_and_passed_over),
		TEST(only_a_sleeper_is_woken_and_only_once),
		TEST(who_has_news_does_not_fall_asleep),
		TEST(a_process_that_died_asleep_costs_one_wake),
		TEST(a_full_eventfd_blocks_nobody),
		TEST(what_is_not_a_bus_is_not_opened),
		TEST(nobody_can_shorten_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
