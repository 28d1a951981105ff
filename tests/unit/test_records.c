/* test_records - what is said over the bus is understood, or passed over as nonsense. */
#include "tests/unit/bus_bench.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/bus/records.h"

enum {
	RING = 262144
};

struct fixture {
	struct bus_bench bench;
	struct bus *writer, *other;
	struct bus_reader reader; /* of the writer's ring */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
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

	bus_close(f->other);
	bus_close(f->writer);
	bench_close(&f->bench);
	free(f);
	return 0;
}

static struct text text(const char *string)
{
	return (struct text){ string, (uint32_t)strlen(string) };
}

static void expect_text(struct text text, const char *string)
{
	assert_int_equal(text.len, strlen(string));
	assert_memory_equal(text.at, string, text.len);
}

static struct bus_record next(struct fixture *f, uint32_t type)
{
	struct bus_record record = { 0 };

	assert_int_equal(bus_read(f->other, &f->reader, &record), 1);
	assert_int_equal(record.type, type);
	return record;
}

static struct message message(void)
{
	return (struct message){
		text("lobby"), text("c1-1"), text("ann"), text("{\"a\":1}"), 0, 0, 77
	};
}

/* ---- there and back ---- */

static void a_submission_is_read_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	struct record_submit said = { 5, 6, 7, message() }, heard;
	struct bus_record record;

	assert_int_equal(record_write_submit(f->writer, &said), 0);
	record = next(f, RECORD_SUBMIT);
	assert_int_equal(record_read_submit(&record, &heard), 0);
	assert_int_equal(heard.generation, 5);
	assert_int_equal(heard.ticket, 6);
	assert_int_equal(heard.epoch, 7);
	expect_text(heard.message.room, "lobby");
	expect_text(heard.message.id, "c1-1");
	expect_text(heard.message.from, "ann");
	expect_text(heard.message.body, "{\"a\":1}");
	assert_int_equal(heard.message.read_us, 77);
}

static void a_message_tells_whether_it_is_a_repeat(void **state)
{
	struct fixture *f = *state;
	struct record_message said = { 3, 5, 6, false, message() }, heard;
	struct bus_record record;

	said.message.seq = 41;
	said.message.at_ms = 1234;
	assert_int_equal(record_write_message(f->writer, &said), 0);
	said.repeat = true;
	said.message.body.len = 0;
	assert_int_equal(record_write_message(f->writer, &said), 0);

	record = next(f, RECORD_MESSAGE);
	assert_int_equal(record_read_message(&record, &heard), 0);
	assert_false(heard.repeat);
	assert_int_equal(heard.slot, 3);
	assert_int_equal(heard.message.seq, 41);
	assert_int_equal(heard.message.at_ms, 1234);
	assert_int_equal(heard.message.read_us, 77);
	expect_text(heard.message.body, "{\"a\":1}");
	record = next(f, RECORD_MESSAGE);
	assert_int_equal(record_read_message(&record, &heard), 0);
	assert_true(heard.repeat);
	assert_int_equal(heard.message.seq, 41);
	expect_text(heard.message.body, "");
}

static void a_refusal_tells_its_reason(void **state)
{
	struct fixture *f = *state;
	struct record_refused heard;
	struct bus_record record;

	for (enum refusal reason = 0; reason < REFUSAL_COUNT; reason++) {
		struct record_refused said = { 3, 5, 6, reason };

		assert_int_equal(record_write_refused(f->writer, &said), 0);
		record = next(f, RECORD_REFUSED);
		assert_int_equal(record_read_refused(&record, &heard), 0);
		assert_int_equal(heard.slot, 3);
		assert_int_equal(heard.generation, 5);
		assert_int_equal(heard.ticket, 6);
		assert_int_equal(heard.reason, reason);
	}
}

static void a_cast_is_any_bytes_up_to_its_limit(void **state)
{
	static uint8_t bytes[CAST_MAX + 1];
	struct fixture *f = *state;
	struct record_cast said = { 3, 5, 7, bytes, CAST_MAX }, heard;
	struct bus_record record;

	for (unsigned i = 0; i < CAST_MAX; i++)
		bytes[i] = (uint8_t)(i * 31);
	assert_int_equal(record_write_cast(f->writer, &said), 0);
	record = next(f, RECORD_CAST);
	assert_int_equal(record_read_cast(&record, &heard), 0);
	assert_int_equal(heard.slot, 3);
	assert_int_equal(heard.generation, 5);
	assert_int_equal(heard.epoch, 7);
	assert_int_equal(heard.len, CAST_MAX);
	assert_memory_equal(heard.data, bytes, CAST_MAX);

	said.len = 0;
	assert_int_equal(record_write_cast(f->writer, &said), 0);
	record = next(f, RECORD_CAST);
	assert_int_equal(record_read_cast(&record, &heard), 0);
	assert_int_equal(heard.len, 0);
	said.len = CAST_MAX + 1;
	assert_int_equal(record_write_cast(f->writer, &said), -EMSGSIZE);
}

static void epochs_are_told_to_all_or_to_one(void **state)
{
	struct fixture *f = *state;
	struct bus_record record;
	uint64_t epoch;
	uint32_t slot;

	assert_int_equal(record_write_hello(f->writer, 77), 0);
	assert_int_equal(record_write_lost(f->writer, 4, 78), 0);
	assert_int_equal(record_write_look(f->writer), 0);
	record = next(f, RECORD_HELLO);
	assert_int_equal(record_read_hello(&record, &epoch), 0);
	assert_int_equal(epoch, 77);
	record = next(f, RECORD_LOST);
	assert_int_equal(record_read_lost(&record, &slot, &epoch), 0);
	assert_int_equal(slot, 4);
	assert_int_equal(epoch, 78);
	(void)next(f, RECORD_LOOK);
}

/* ---- nonsense ---- */

/* Every record that is shorter than it says, or of another type, is refused. */
static void a_record_that_is_cut_short_is_nonsense(void **state)
{
	struct fixture *f = *state;
	struct record_message said = { 3, 5, 6, false, message() }, message_heard;
	struct record_refused refused = { 3, 5, 6, REFUSED_busy }, refused_heard;
	struct record_cast cast = { 3, 5, 7, "x", 1 }, cast_heard;
	struct bus_record record, cut;

	said.message.seq = 1;
	assert_int_equal(record_write_message(f->writer, &said), 0);
	record = cut = next(f, RECORD_MESSAGE);
	for (cut.len = 0; cut.len < record.len; cut.len++)
		assert_int_equal(record_read_message(&cut, &message_heard), -EPROTO);
	assert_int_equal(record_read_cast(&record, &cast_heard), -EPROTO);

	assert_int_equal(record_write_refused(f->writer, &refused), 0);
	record = cut = next(f, RECORD_REFUSED);
	for (cut.len = 0; cut.len < record.len; cut.len++)
		assert_int_equal(record_read_refused(&cut, &refused_heard), -EPROTO);

	assert_int_equal(record_write_cast(f->writer, &cast), 0);
	record = cut = next(f, RECORD_CAST);
	for (cut.len = 0; cut.len < record.len - 1; cut.len++)
		assert_int_equal(record_read_cast(&cut, &cast_heard), -EPROTO);
}

static void a_reason_that_is_none_is_nonsense(void **state)
{
	struct fixture *f = *state;
	struct record_refused said = { 3, 5, 6, REFUSAL_COUNT }, heard;
	struct bus_record record;

	assert_int_equal(record_write_refused(f->writer, &said), 0);
	record = next(f, RECORD_REFUSED);
	assert_int_equal(record_read_refused(&record, &heard), -EPROTO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_submission_is_read_as_it_was_written),
		TEST(a_message_tells_whether_it_is_a_repeat),
		TEST(a_refusal_tells_its_reason),
		TEST(a_cast_is_any_bytes_up_to_its_limit),
		TEST(epochs_are_told_to_all_or_to_one),
		TEST(a_record_that_is_cut_short_is_nonsense),
		TEST(a_reason_that_is_none_is_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
