/*
 * What holds of the store on PostgreSQL when the server dies, falls silent, or is written
 * by several: beside test_store.c, which holds of every store.
 */
#include "tests/unit/postgres_server.h"

#include <sys/wait.h>

enum {
	STREAM_BATCH = 16
};

/* ---- a stream of batches that does not give up ---- */

struct stream {
	struct opened *store;
	struct text room;
	struct store_send sends[STREAM_BATCH];
	char ids[STREAM_BATCH][32];
	unsigned n_sent, n_wanted; /* batches */
	uint64_t highest;
	bool under_way;
};

static void stream_give(struct stream *s);

static void on_stream_commit(void *app, int status)
{
	struct stream *s = app;

	s->under_way = false;
	if (status == 0) {
		for (unsigned i = 0; i < STREAM_BATCH; i++)
			if (s->sends[i].message.seq > s->highest)
				s->highest = s->sends[i].message.seq;
		s->n_sent++;
	} else {
		assert_true(status == -ENOTCONN || status == -ETIMEDOUT);
	}
	stream_give(s);
}

/* The next batch, or the one that has an unknown end again. */
static void stream_give(struct stream *s)
{
	if (s->n_sent >= s->n_wanted || s->under_way || !s->store->up)
		return;
	for (unsigned i = 0; i < STREAM_BATCH; i++) {
		(void)snprintf(s->ids[i], sizeof s->ids[i], "%u.%u", s->n_sent, i);
		s->sends[i] = send_of(s->room, "ann", s->ids[i], "{}");
	}
	if (store_commit(s->store->store, s->sends, STREAM_BATCH, on_stream_commit, s) ==
	    0)
		s->under_way = true;
}

static bool stream_is_at(struct stream *s, unsigned n)
{
	stream_give(s);
	return s->n_sent >= n;
}

/* The room holds exactly n messages, 1 to n, each id once. */
static void assert_room(struct opened *reader, struct text room, unsigned n)
{
	struct store_query query = { .room = room, .limit = 1000, .bytes_max = 1 << 20 };
	char(*ids)[40] = calloc(n + 1, sizeof *ids);
	unsigned n_read = 0;
	struct page_builder p;

	CHECK(ids);
	do {
		assert_int_equal(bench_read(reader, &query, &p), 0);
		assert_int_equal(p.page.head, n);
		for (unsigned i = 0; i < p.page.n; i++) {
			const struct message *m = &p.page.messages[i];

			assert_true(n_read < n);
			assert_int_equal(m->seq, ++n_read);
			(void)snprintf(ids[n_read], sizeof ids[0], "%.*s/%.*s",
				       (int)m->from.len, m->from.at, (int)m->id.len,
				       m->id.at);
			query.after = m->seq;
		}
		page_release(&p);
	} while (query.after < n);
	qsort(ids, n + 1, sizeof *ids, (int (*)(const void *, const void *))strcmp);
	for (unsigned i = 1; i <= n; i++)
		assert_string_not_equal(ids[i - 1], ids[i]);
	free(ids);
}

/* ---- the server dies ---- */

static void what_was_answered_survives_a_power_cut(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *r;
	struct stream s = { .store = w, .room = bench_room(b, "cut"), .n_wanted = 300 };

	for (unsigned cut = 1; cut <= 3; cut++) {
		bench_await(b, stream_is_at(&s, cut * 60));
		server_kill();
		bench_await(b, w->n_downs == cut);
		assert_true(strlen(w->why.text) > 0);
		server_start();
		bench_await(b, w->n_ups == cut + 1);
	}
	bench_await(b, stream_is_at(&s, s.n_wanted));
	assert_int_equal(s.highest, s.n_wanted * STREAM_BATCH);
	r = bench_open(b, STORE_READER);
	assert_room(r, s.room, s.n_wanted * STREAM_BATCH);
	bench_close(r);
	bench_close(w);
}

static void calls_while_it_is_away_are_refused(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER);
	struct text room = bench_room(b, "away");
	struct store_query query = { .room = room };
	struct page_builder p;

	server_kill();
	bench_await(b, !w->up);
	assert_int_equal(bench_send(w, room, "ann", "1", "{}"), -ENOTCONN);
	assert_int_equal(bench_read(w, &query, &p), -ENOTCONN);
	assert_int_equal(bench_probe(w), -ENOTCONN);
	server_start();
	bench_await(b, w->up);
	assert_int_equal(bench_send(w, room, "ann", "1", "{}"), 1);
	bench_close(w);
}

/* ---- the server falls silent ---- */

struct pulse {
	uv_timer_t timer;
	uint64_t last_ns, longest_ns;
};

static void on_pulse(uv_timer_t *timer)
{
	struct pulse *pulse = timer->data;
	uint64_t now_ns = clock_mono_ns();

	if (pulse->last_ns && now_ns - pulse->last_ns > pulse->longest_ns)
		pulse->longest_ns = now_ns - pulse->last_ns;
	pulse->last_ns = now_ns;
}

static void a_silent_server_is_left_at_the_deadline(void **state)
{
	struct store_bench *b = *state;
	struct pulse pulse = { 0 };
	struct opened *w;
	struct text room = bench_room(b, "silent");
	uint64_t start_ns;

	b->options.deadline_ms = 1000;
	w = bench_open(b, STORE_WRITER);
	assert_int_equal(bench_send(w, room, "ann", "1", "{}"), 1);
	CHECK(uv_timer_init(&b->loop, &pulse.timer) == 0);
	pulse.timer.data = &pulse;
	server_signal("STOP");
	CHECK(uv_timer_start(&pulse.timer, on_pulse, 10, 10) == 0);
	start_ns = clock_mono_ns();
	uv_update_time(&b->loop);
	assert_int_equal(bench_send(w, room, "ann", "2", "{}"), -ETIMEDOUT);
	assert_in_range(clock_mono_ns() - start_ns, 990 * MS_NS, 10000 * MS_NS);
	assert_false(w->up);
	assert_non_null(strstr(w->why.text, "in time"));
	/* The loop went on all the time: also while it tried to connect again. */
	bench_await(b, clock_mono_ns() - start_ns > 2500 * MS_NS);
	assert_in_range(pulse.longest_ns, 1, 900 * MS_NS);
	server_signal("CONT");
	bench_await(b, w->up);
	assert_int_equal(bench_send(w, room, "ann", "2", "{}"), 2);
	assert_int_equal(bench_send(w, room, "ann", "3", "{}"), 3);
	uv_close((uv_handle_t *)&pulse.timer, bench_on_closed);
	while (pulse.timer.data)
		bench_turn(b);
	bench_close(w);
}

/* ---- several at once ---- */

enum {
	SHARED_ROOMS = 7,
	SHARED_BATCHES = 60,
	SHARED_OWN = 11, /* of each batch */
	SHARED_SAME = 5, /* which the others send, too */
};

/* Batches over the same rooms, in an order of its own. */
static void write_shared(struct store_bench *b, const char *from)
{
	struct opened *w = bench_open(b, STORE_WRITER);
	struct store_send sends[SHARED_OWN + SHARED_SAME];
	char ids[SHARED_OWN + SHARED_SAME][32], rooms[SHARED_ROOMS][80];

	for (unsigned i = 0; i < SHARED_ROOMS; i++)
		(void)snprintf(rooms[i], sizeof rooms[i], "%s.%u", b->room, i);
	for (unsigned n = 0; n < SHARED_BATCHES; n++) {
		for (unsigned i = 0; i < SHARED_OWN + SHARED_SAME; i++) {
			bool own = i < SHARED_OWN;
			unsigned room = (i + n * (unsigned char)from[0]) % SHARED_ROOMS;

			(void)snprintf(ids[i], sizeof ids[i], "%u.%u", n, i);
			sends[i] = send_of(text_of(rooms[own ? room : i % SHARED_ROOMS]),
					   own ? from : "both", ids[i], "{}");
		}
		assert_int_equal(bench_commit(w, sends, SHARED_OWN + SHARED_SAME), 0);
	}
	bench_close(w);
}

static uint64_t head_of(struct opened *r, const char *room)
{
	struct store_query query = { .room = text_of(room) };
	struct page_builder p;
	uint64_t head;

	assert_int_equal(bench_read(r, &query, &p), 0);
	head = p.page.head;
	page_release(&p);
	return head;
}

static void two_processes_write_one_sequence(void **state)
{
	struct store_bench *b = *state;
	struct opened *r;
	uint64_t n = 0;
	int status;
	pid_t child;

	(void)bench_room(b, "two");
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(uv_loop_fork(&b->loop) == 0);
		write_shared(b, "bob");
		_exit(0);
	}
	write_shared(b, "ann");
	CHECK(waitpid(child, &status, 0) == child);
	assert_int_equal(status, 0);
	r = bench_open(b, STORE_READER);
	for (unsigned i = 0; i < SHARED_ROOMS; i++) {
		char room[80];

		(void)snprintf(room, sizeof room, "%s.%u", b->room, i);
		assert_room(r, text_of(room), (unsigned)head_of(r, room));
		n += head_of(r, room);
	}
	assert_int_equal(n, SHARED_BATCHES * (2 * SHARED_OWN + SHARED_SAME));
	bench_close(r);
}

/* ---- much at once ---- */

/* More than any socket or buffer takes, there and back. */
static void a_batch_may_be_larger_than_any_buffer(void **state)
{
	static struct store_send sends[STORE_BATCH_MAX];
	static char ids[STORE_BATCH_MAX][16], body[65536];
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER);
	struct text room = bench_room(b, "large");
	struct store_query query = { .room = room, .limit = 1000, .bytes_max = 1 << 30 };
	struct page_builder p;

	memset(body, '7', sizeof body - 1);
	for (unsigned i = 0; i < STORE_BATCH_MAX; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "%u", i);
		sends[i] = send_of(room, "ann", ids[i], body);
	}
	assert_int_equal(bench_commit(w, sends, STORE_BATCH_MAX), 0);
	assert_int_equal(bench_read(w, &query, &p), 0);
	assert_int_equal(p.page.n, STORE_BATCH_MAX);
	assert_int_equal(p.page.messages[255].body.len, sizeof body - 1);
	page_release(&p);
	/* The same again goes the slow way. */
	assert_int_equal(bench_commit(w, sends, STORE_BATCH_MAX), 0);
	assert_true(sends[255].repeat);
	assert_int_equal(sends[255].message.seq, STORE_BATCH_MAX);
	bench_close(w);
}

static void on_counted_read(void *app, int status, const struct store_page *page)
{
	unsigned *n = app;

	assert_int_equal(status, 0);
	assert_int_equal(page->head, 40);
	*n += 1;
}

static void a_thousand_reads_at_once_are_answered(void **state)
{
	struct store_bench *b = *state;
	struct opened *w = bench_open(b, STORE_WRITER), *r = bench_open(b, STORE_READER);
	struct store_query query = { .limit = 10, .bytes_max = 1000 };
	unsigned n = 0;

	query.room = bench_room(b, "reads");
	bench_fill(w, query.room, 40);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(store_read(r->store, &query, on_counted_read, &n), 0);
	assert_int_equal(n, 0); /* never from within */
	bench_await(b, n == 1000);
	bench_close(r);
	bench_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(what_was_answered_survives_a_power_cut),
		SERVER_TEST(calls_while_it_is_away_are_refused),
		SERVER_TEST(a_silent_server_is_left_at_the_deadline),
		SERVER_TEST(two_processes_write_one_sequence),
		SERVER_TEST(a_batch_may_be_larger_than_any_buffer),
		SERVER_TEST(a_thousand_reads_at_once_are_answered),
	};

	if (!server_is_installed())
		return 0;
	return cmocka_run_group_tests(tests, server_set_up, server_tear_down);
}
