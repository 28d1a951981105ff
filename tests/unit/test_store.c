/* test_store - what every store promises of what is said and of what is read. */
#include "tests/unit/store_bench.h"

static void a_url_of_no_store_is_refused(void **state)
{
	struct store_bench *b = *state;
	static const char *const urls[] = { "", "parley.db", "mysql://h/d",
					    "sqlite:", "sqlite::memory:" };
	struct store_events events = { NULL, NULL };
	struct store *store;
	struct why why;

	for (unsigned i = 0; i < sizeof urls / sizeof *urls; i++) {
		b->options.url = urls[i];
		assert_int_equal(store_open(&b->loop, &b->options, &events, &store, &why),
				 -EINVAL);
		assert_true(strlen(why.text) > 10);
	}
}

static void a_room_is_one_sequence_without_holes(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = bench_open(b, STORE_WRITER);
	struct store_send sends[60];
	char rooms[3][64], ids[60][16];
	struct text names[3];
	uint64_t heads[3] = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		struct text room = bench_room(b, "interleaved");

		memcpy(rooms[i], room.at, room.len);
		names[i] = (struct text){ rooms[i], room.len };
	}
	for (unsigned batch = 0; batch < 10; batch++) {
		unsigned n = 1 + batch * 6;

		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(ids[i], sizeof ids[i], "%u.%u", batch, i);
			sends[i] = send_of(names[i * i % 3], "ann", ids[i], "1");
		}
		assert_int_equal(bench_commit(o, sends, n), 0);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(sends[i].message.seq, ++heads[i * i % 3]);
			assert_false(sends[i].repeat);
		}
	}
	bench_close(o);
}

static void time_is_of_the_wall_clock(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = bench_open(b, STORE_WRITER);
	struct store_send send = send_of(bench_room(b, "time"), "ann", "1", "1");
	int64_t before = clock_wall_ms();

	assert_int_equal(bench_commit(o, &send, 1), 0);
	/* A database has a clock of its own, and may round. */
	assert_true(send.message.at_ms >= before - 1000);
	assert_true(send.message.at_ms <= clock_wall_ms() + 1000);
	bench_close(o);
}

static void a_repeat_is_answered_by_the_first_one(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = bench_open(b, STORE_WRITER);
	struct text room = bench_room(b, "repeat");
	struct store_send first = send_of(room, "ann", "id", "\"first\"");
	struct store_send again[5] = {
		send_of(room, "ann", "new", "1"),        /* 2 */
		send_of(room, "ann", "id", "\"other\""), /* 1 again */
		send_of(room, "bob", "id", "1"),         /* 3: another's */
		send_of(room, "ann", "new", "1"),        /* 2, in this batch */
		send_of(room, "ann", "ID", "1"),         /* 4: another id */
	};
	static const uint64_t seqs[5] = { 2, 1, 3, 2, 4 };

	assert_int_equal(bench_commit(o, &first, 1), 0);
	bench_close(o);
	o = bench_open(b, STORE_WRITER);
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(bench_commit(o, again, 5), 0);
		for (unsigned i = 0; i < 5; i++) {
			assert_int_equal(again[i].message.seq, seqs[i]);
			assert_int_equal(again[i].repeat, round || i == 1 || i == 3);
		}
		assert_int_equal(again[1].message.at_ms, first.message.at_ms);
	}
	assert_int_equal(bench_send(o, room, "ann", "last", "1"), 5);
	bench_close(o);
}

static void one_id_in_two_rooms_is_two_messages(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = bench_open(b, STORE_WRITER);
	char name[64];
	struct text other = bench_room(b, "other"), room;

	memcpy(name, other.at, other.len);
	other.at = name;
	room = bench_room(b, "room");
	assert_int_equal(bench_send(o, room, "ann", "1", "1"), 1);
	assert_int_equal(bench_send(o, other, "ann", "1", "1"), 1);
	assert_int_equal(bench_send(o, room, "ann", "2", "1"), 2);
	bench_close(o);
}

static void a_room_nobody_spoke_in_is_empty(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *o = bench_open(b, STORE_READER);
	struct store_query query = { .room = bench_room(b, "empty"),
				     .limit = 10,
				     .bytes_max = 1000 };
	struct page_builder p;

	assert_int_equal(bench_read(o, &query, &p), 0);
	assert_int_equal(p.page.head, 0);
	assert_int_equal(p.page.first, 1);
	assert_int_equal(p.page.n, 0);
	assert_false(p.page.more);
	page_release(&p);
	bench_close(o);
	bench_close(w);
}

/* What a query of a room with 20 messages is answered. */
static const struct {
	uint64_t after, before;
	uint32_t limit;
	bool newest;
	uint32_t bytes_max;
	uint64_t from; /* sequence of the first on the page */
	uint32_t n;
	bool more;
} pages[] = {
	{ 0, 0, 100, false, 10000, 1, 20, false },
	{ 0, 0, 100, true, 10000, 1, 20, false },
	{ 0, 0, 5, false, 10000, 1, 5, true },
	{ 0, 0, 5, true, 10000, 16, 5, true },
	{ 0, 0, 0, false, 10000, 0, 0, true },
	{ 20, 0, 0, false, 10000, 0, 0, false },
	{ 15, 0, 100, false, 10000, 16, 5, false },
	{ 15, 0, 5, true, 10000, 16, 5, false },
	{ 20, 0, 100, false, 10000, 0, 0, false },
	{ 21, 0, 100, false, 10000, 0, 0, false },
	{ UINT64_MAX, 0, 100, true, 10000, 0, 0, false },
	{ 0, 1, 100, false, 10000, 0, 0, false },
	{ 0, 6, 100, false, 10000, 1, 5, false },
	{ 0, 6, 3, true, 10000, 3, 3, true },
	{ 0, UINT64_MAX, 3, true, 10000, 18, 3, true },
	{ 5, 10, 100, false, 10000, 6, 4, false },
	{ 5, 10, 3, false, 10000, 6, 3, true },
	{ 5, 10, 3, true, 10000, 7, 3, true },
	{ 5, 6, 3, false, 10000, 0, 0, false },
	{ 10, 5, 3, false, 10000, 0, 0, false },
	/* Bodies of 6 bytes: bytes bound as the limit does, but for the first. */
	{ 0, 0, 100, false, 18, 1, 3, true },
	{ 0, 0, 100, true, 17, 19, 2, true },
	{ 0, 0, 100, false, 0, 1, 1, true },
	{ 0, 0, 100, true, 0, 20, 1, true },
	{ 0, 0, 100, false, 120, 1, 20, false },
};

static void a_page_is_what_was_asked_for(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *o = bench_open(b, STORE_READER);
	struct text room = bench_room(b, "pages");
	struct page_builder p;

	bench_fill(w, room, 20);
	for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) {
		struct store_query query = {
			room,           pages[i].after,  pages[i].before,
			pages[i].limit, pages[i].newest, pages[i].bytes_max
		};

		/* The writer can read as well. */
		assert_int_equal(bench_read(i % 2 ? o : w, &query, &p), 0);
		assert_int_equal(p.page.head, 20);
		assert_int_equal(p.page.first, 1);
		assert_int_equal(p.page.n, pages[i].n);
		assert_int_equal(p.page.more, pages[i].more);
		for (uint32_t k = 0; k < p.page.n; k++)
			assert_int_equal(p.page.messages[k].seq, pages[i].from + k);
		page_release(&p);
	}
	bench_close(o);
	bench_close(w);
}

static void expect_text(struct text text, const char *at, size_t len)
{
	assert_int_equal(text.len, len);
	assert_memory_equal(text.at, at, len);
}

/* Names and bodies with characters of every length that UTF-8 has, quotes among them,
 * and a body of 1 MiB. */
static void what_is_kept_is_what_was_said(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *o = bench_open(b, STORE_READER);
	static const char odd[] =
		"\x01 '\"\\%_;--\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"
		"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
	struct text name = { odd, sizeof odd - 1 };
	struct store_send sends[2] = { send_of(bench_room(b, "odd\xf0\x9f\x98\x80'"), "",
					       "", "") };
	struct store_query query = { .room = sends[0].message.room,
				     .limit = 10,
				     .bytes_max = 4 << 20 };
	char *large = malloc(1 << 20);
	struct page_builder p;

	CHECK(large);
	memset(large, '8', 1 << 20);
	sends[0].message.from = sends[0].message.id = sends[0].message.body = name;
	sends[1] = sends[0];
	sends[1].message.id = text_of("large");
	sends[1].message.body = (struct text){ large, 1 << 20 };
	assert_int_equal(bench_commit(w, sends, 2), 0);
	assert_int_equal(bench_read(o, &query, &p), 0);
	assert_int_equal(p.page.n, 2);
	expect_text(p.page.messages[0].from, odd, sizeof odd - 1);
	expect_text(p.page.messages[0].id, odd, sizeof odd - 1);
	expect_text(p.page.messages[0].body, odd, sizeof odd - 1);
	expect_text(p.page.messages[1].body, large, 1 << 20);
	assert_int_equal(p.page.messages[0].at_ms, sends[0].message.at_ms);
	page_release(&p);
	free(large);
	bench_close(o);
	bench_close(w);
}

static void a_probe_is_a_write_that_is_committed(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = bench_open(b, STORE_WRITER);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(bench_probe(o), 0);
	bench_close(o);
}

static void one_batch_at_a_time(void **state)
{
	struct store_bench *b = *state;
	struct opened *o = bench_open(b, STORE_WRITER);
	struct store_send send = send_of(bench_room(b, "busy"), "ann", "1", "1");
	struct answered a = { 0 }, other = { 0 };

	assert_int_equal(store_commit(o->store, &send, 1, bench_on_status, &a), 0);
	assert_int_equal(store_commit(o->store, &send, 1, bench_on_status, &other),
			 -EBUSY);
	assert_int_equal(store_probe(o->store, bench_on_status, &other), -EBUSY);
	bench_await(b, a.yes);
	assert_int_equal(a.status, 0);
	assert_false(other.yes);
	bench_close(o);
}

/* Closing answers from within; what the thread or the database still does with the batch
 * and the queries harms nobody (this is for ASan). */
static void closing_answers_what_is_under_way(void **state)
{
	struct store_bench *b = *state;

	for (unsigned round = 0; round < 10; round++) {
		struct opened *o = bench_open(b, STORE_WRITER);
		struct text room = bench_room(b, "closing");
		struct store_query query = { .room = room,
					     .limit = 10,
					     .bytes_max = 1000 };
		struct store_send *send = malloc(sizeof *send);
		struct answered commit = { 0 }, read[20] = { 0 };

		CHECK(send);
		*send = send_of(room, "ann", "1", "1");
		bench_fill(o, room, 20);
		assert_int_equal(
			store_commit(o->store, send, 1, bench_on_status, &commit), 0);
		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(
				store_read(o->store, &query, bench_on_page, &read[i]), 0);
		if (round % 2)
			bench_turn(b);
		bench_close(o);
		free(send);
		assert_true(commit.yes);
		for (unsigned i = 0; i < 20; i++) {
			assert_true(read[i].yes);
			page_release(&read[i].page);
		}
	}
}

int main(void)
{
	static struct CMUnitTest tests[64];
	size_t n = 0;

	BENCH_ADD(tests, n, a_room_is_one_sequence_without_holes);
	BENCH_ADD(tests, n, time_is_of_the_wall_clock);
	BENCH_ADD(tests, n, a_repeat_is_answered_by_the_first_one);
	BENCH_ADD(tests, n, one_id_in_two_rooms_is_two_messages);
	BENCH_ADD(tests, n, a_room_nobody_spoke_in_is_empty);
	BENCH_ADD(tests, n, a_page_is_what_was_asked_for);
	BENCH_ADD(tests, n, what_is_kept_is_what_was_said);
	BENCH_ADD(tests, n, a_probe_is_a_write_that_is_committed);
	BENCH_ADD(tests, n, one_batch_at_a_time);
	BENCH_ADD(tests, n, closing_answers_what_is_under_way);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
		a_url_of_no_store_is_refused, bench_set_up, bench_tear_down);
	return _cmocka_run_group_tests("store", tests, n, NULL, NULL);
}
