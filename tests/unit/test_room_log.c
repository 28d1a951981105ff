/* A room's log hands every reader the same frames in order, or says what it loses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/chat/frames.h"
#include "gateway/chat/room_log.h"
#include "gateway/wire/frame.h"

enum {
	HISTORY = 1 << 20
};

/* All that was ever appended: position p of the log lies at history[p]. */
static uint8_t history[HISTORY];
static struct room_log room_log;
static unsigned seed;

static unsigned pick(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static int setup(void **state)
{
	memset(&room_log, 0, sizeof room_log);
	seed = 7;
	return 0;
}

static int teardown(void **state)
{
	room_log_release(&room_log);
	return 0;
}

/* A frame of this payload at the history's end. */
static size_t make_frame(size_t payload)
{
	uint8_t *at = history + room_log.head;
	unsigned head = frame_head(at, FRAME_TEXT, payload);

	assert_true(room_log.head + head + payload < HISTORY);
	for (size_t i = 0; i < payload; i++)
		at[head + i] = (uint8_t)pick(256);
	return head + payload;
}

static void append(size_t payload)
{
	size_t len = make_frame(payload);

	room_log_append(&room_log, history + room_log.head, len);
}

/* Reads one run and compares it with what was appended. */
static size_t read_run(struct log_cursor *cursor, size_t max)
{
	uint64_t from = cursor->at;
	const uint8_t *data = NULL;
	size_t run = room_log_run(&room_log, cursor, max, &data);

	assert_int_equal(cursor->at, from + run);
	if (run)
		assert_memory_equal(data, history + from, run);
	return run;
}

static void a_reader_gets_every_frame_in_order(void **state)
{
	struct log_cursor cursor = room_log_end(&room_log);

	assert_int_equal(room_log_grow(&room_log, 512), 0);
	for (unsigned i = 0; i < 1000; i++) {
		append(pick(130));
		while (read_run(&cursor, 4096))
			;
		assert_int_equal(cursor.at, room_log.head);
		assert_int_equal(cursor.n, i + 1);
	}
}

static void a_run_ends_at_a_frame_within_the_bound(void **state)
{
	struct log_cursor cursor = room_log_end(&room_log);

	assert_int_equal(room_log_grow(&room_log, 1024), 0);
	append(100); /* 102 bytes */
	append(100);
	append(300); /* 304 */
	append(10);
	assert_int_equal(read_run(&cursor, 300), 204);
	assert_int_equal(cursor.n, 2);
	assert_int_equal(read_run(&cursor, 300), 304); /* alone longer than that */
	assert_int_equal(cursor.n, 3);
	assert_int_equal(read_run(&cursor, 300), 12);
	assert_int_equal(read_run(&cursor, 300), 0);
}

/* Whoever is at or behind room_log_loses() before an append can read on after it. */
static void it_says_exactly_who_loses(void **state)
{
	uint64_t begins[4096]; /* of the frames that are kept */
	unsigned n = 0;

	assert_int_equal(room_log_grow(&room_log, 700), 0);
	for (unsigned i = 0; i < 3000; i++) {
		size_t len = make_frame(pick(200));
		uint64_t lost = room_log_loses(&room_log, len);
		unsigned keep = 0;

		begins[n++] = room_log.head;
		room_log_append(&room_log, history + room_log.head, len);
		for (unsigned k = 0; k < n; k++)
			if (begins[k] >= lost)
				begins[keep++] = begins[k];
		n = keep;
		assert_int_equal(room_log.tail, begins[0]);
		for (unsigned k = 0; k < n; k++) {
			struct log_cursor cursor = { begins[k], i + 1 - (n - k) };

			while (read_run(&cursor, pick(2) ? 64 : 4096))
				;
			assert_int_equal(cursor.n, i + 1);
		}
	}
}

static void growing_keeps_every_frame_and_reader(void **state)
{
	struct log_cursor cursors[2] = { room_log_end(&room_log) };

	assert_int_equal(room_log_grow(&room_log, 300), 0);
	for (unsigned i = 0; i < 500; i++) {
		size_t len = make_frame(pick(120));

		while (room_log_loses(&room_log, len) > cursors[0].at)
			assert_int_equal(room_log_grow(&room_log, room_log.size + 50), 0);
		room_log_append(&room_log, history + room_log.head, len);
		cursors[1] = cursors[0];
		while (read_run(&cursors[1], 1000))
			;
		assert_int_equal(cursors[1].n, i + 1);
		if (i % 7 == 0)
			read_run(&cursors[0], 200 + pick(200));
	}
}

static void a_frame_longer_than_the_ring_is_refused_in_words(void **state)
{
	assert_true(room_log_loses(&room_log, 1) == UINT64_MAX);
	assert_int_equal(room_log_grow(&room_log, 100), 0);
	assert_true(room_log_loses(&room_log, 101) == UINT64_MAX);
	assert_int_equal(room_log_loses(&room_log, 100), 0);
}

/* Wherever one seeks, in whatever order: the cursor stands before that frame. */
static void every_frame_that_is_kept_is_found(void **state)
{
	assert_int_equal(room_log_grow(&room_log, 20000), 0);
	for (unsigned i = 0; i < 4000; i++) {
		uint32_t kept, n;
		struct log_cursor cursor, walked;

		append(pick(30));
		kept = room_log_count(&room_log);
		n = pick(kept + 1);
		cursor = room_log_seek(&room_log, n);
		walked = (struct log_cursor){ room_log.tail, room_log.n_tail };
		assert_int_equal(cursor.n, i + 1 - (kept - n));
		for (uint32_t k = 0; k < n; k++)
			assert_true(read_run(&walked, 1) > 0);
		assert_int_equal(cursor.at, walked.at);
		if (i == 2000)
			assert_int_equal(room_log_grow(&room_log, 30000), 0);
	}
	room_log_release(&room_log);
	assert_int_equal(room_log_count(&room_log), 0);
	assert_int_equal(room_log_seek(&room_log, 0).at, room_log.head);
}

static void positions_go_on_after_the_memory_is_given_back(void **state)
{
	struct log_cursor cursor;

	assert_int_equal(room_log_grow(&room_log, 256), 0);
	append(50);
	append(200);
	cursor = room_log_end(&room_log);
	room_log_release(&room_log);
	assert_int_equal(read_run(&cursor, 100), 0);
	assert_int_equal(room_log_grow(&room_log, 128), 0);
	append(60);
	assert_int_equal(read_run(&cursor, 100), 62);
	assert_int_equal(cursor.n, 3);
}

static void frames_of_every_length_are_walked(void **state)
{
	static const size_t payloads[] = { 0, 1, 125, 126, 65535, 65536, 70000 };

	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
		uint8_t head[FRAME_HEAD_MAX];
		unsigned n = frame_head(head, FRAME_TEXT, payloads[i]);

		assert_int_equal(frame_length(head), n + payloads[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_reader_gets_every_frame_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_run_ends_at_a_frame_within_the_bound,
						setup, teardown),
		cmocka_unit_test_setup_teardown(it_says_exactly_who_loses, setup,
						teardown),
		cmocka_unit_test_setup_teardown(growing_keeps_every_frame_and_reader,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_frame_longer_than_the_ring_is_refused_in_words, setup,
			teardown),
		cmocka_unit_test_setup_teardown(every_frame_that_is_kept_is_found, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			positions_go_on_after_the_memory_is_given_back, setup, teardown),
		cmocka_unit_test(frames_of_every_length_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
