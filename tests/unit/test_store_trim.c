/* test_store_trim - what is no longer kept goes, and a room knows from where on it is. */
#include "tests/unit/store_bench.h"

/* Waits until the oldest that is kept is `first`. */
static void await_first(struct opened *o, struct text room, uint64_t first,
			struct page_builder *ret_page)
{
	struct store_query query = { .room = room, .limit = 1000, .bytes_max = 1000000 };
	uint64_t until = clock_mono_ns() / MS_NS + BENCH_PATIENCE_MS;

	do {
		page_release(ret_page);
		assert_int_equal(bench_read(o, &query, ret_page), 0);
		assert_true(ret_page->page.first <= first);
		assert_int_equal(ret_page->page.n,
				 ret_page->page.head - ret_page->page.first + 1);
		if (clock_mono_ns() / MS_NS > until)
			fail_msg("first stays at %llu",
				 (unsigned long long)ret_page->page.first);
	} while (ret_page->page.first != first);
}

static void more_than_a_number_in_a_room_is_not_kept(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *o;
	struct page_builder p = { 0 };
	char name[64];
	struct text room = bench_room(b, "long"), other;

	memcpy(name, room.at, room.len);
	room.at = name;
	other = bench_room(b, "short");
	bench_fill(w, room, 700);
	bench_fill(w, other, 100);
	bench_close(w);
	b->options.retain_count = 100;
	w = bench_open(b, STORE_WRITER);
	o = bench_open(b, STORE_READER);
	await_first(o, room, 601, &p);
	assert_int_equal(p.page.head, 700);
	assert_int_equal(p.page.messages[0].seq, 601);
	assert_false(p.page.more);
	await_first(o, other, 1, &p);
	assert_int_equal(bench_send(w, room, "ann", "n.700", "1"), 700);
	assert_int_equal(bench_send(w, room, "ann", "new", "1"), 701);
	await_first(o, room, 602, &p);
	page_release(&p);
	bench_close(o);
	bench_close(w);
}

/* Batches go on while there is much to trim. */
static void trimming_is_not_in_the_way(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER);
	struct page_builder p = { 0 };
	char name[64], id[16];
	struct text room = bench_room(b, "much"), other;
	uint64_t n = 0;

	memcpy(name, room.at, room.len);
	room.at = name;
	other = bench_room(b, "meanwhile");
	bench_fill(w, room, 5000);
	bench_close(w);
	b->options.retain_count = 10;
	w = bench_open(b, STORE_WRITER);
	do {
		struct store_query query = { .room = room, .limit = 0 };

		(void)snprintf(id, sizeof id, "%llu", (unsigned long long)++n);
		assert_int_equal(bench_send(w, other, "ann", id, "1"), n);
		page_release(&p);
		assert_int_equal(bench_read(w, &query, &p), 0);
	} while (p.page.first < 4991);
	page_release(&p);
	bench_close(w);
}

static void what_is_too_old_is_not_kept_but_its_numbers_are(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *o;
	struct text room = bench_room(b, "old");
	struct page_builder p = { 0 };

	bench_fill(w, room, 600);
	bench_close(w);
	b->options.retain_ms = 86400000;
	w = bench_open(b, STORE_WRITER);
	o = bench_open(b, STORE_READER);
	await_first(o, room, 1, &p);
	bench_close(w);
	b->options.retain_ms = 1;
	w = bench_open(b, STORE_WRITER);
	await_first(o, room, 601, &p);
	assert_int_equal(p.page.head, 600);
	assert_int_equal(p.page.n, 0);
	assert_int_equal(bench_send(w, room, "ann", "new", "1"), 601);
	await_first(o, room, 602, &p);
	assert_int_equal(p.page.head, 601);
	page_release(&p);
	bench_close(o);
	bench_close(w);
}

static void one_room_may_be_kept_shorter_than_the_others(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER);
	struct page_builder p = { 0 };
	char name[64], short_name[64];
	struct text room = bench_room(b, "ordinary"), other;

	memcpy(name, room.at, room.len);
	room.at = name;
	other = bench_room(b, "canary");
	(void)snprintf(short_name, sizeof short_name, "%.*s", (int)other.len, other.at);
	bench_fill(w, room, 700);
	bench_fill(w, other, 700);
	bench_close(w);
	b->options.short_room = short_name;
	b->options.short_count = 100;
	w = bench_open(b, STORE_WRITER);
	await_first(w, other, 601, &p);
	assert_int_equal(p.page.head, 700);
	await_first(w, room, 1, &p);
	bench_close(w);
	b->options.retain_count = 650;
	w = bench_open(b, STORE_WRITER);
	await_first(w, room, 51, &p);
	await_first(w, other, 601, &p);
	page_release(&p);
	bench_close(w);
}

int main(void)
{
	static struct CMUnitTest tests[16];
	size_t n = 0;

	BENCH_ADD(tests, n, more_than_a_number_in_a_room_is_not_kept);
	BENCH_ADD(tests, n, trimming_is_not_in_the_way);
	BENCH_ADD(tests, n, one_room_may_be_kept_shorter_than_the_others);
	BENCH_ADD(tests, n, what_is_too_old_is_not_kept_but_its_numbers_are);
	return _cmocka_run_group_tests("store_trim", tests, n, NULL, NULL);
}
