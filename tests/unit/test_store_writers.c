/* test_store_writers - what a store promises when writers die, meet, or are read from. */
#include "tests/unit/store_bench.h"

#include <signal.h>
#include <sys/wait.h>

enum {
	ROOMS = 3,
	LIVES = 6,
	BATCH = 20,
	SAID_MAX = 20000,
};

/* One answered message, as the writer tells it to the test over a pipe. */
struct told {
	uint32_t number, room;
	uint64_t seq;
};

struct life {
	struct store_bench *bench;
	char names[ROOMS][64];
	struct text rooms[ROOMS];
	uint64_t said[SAID_MAX]; /* answered sequence by number; 0: no answer */
	uint32_t n_said;         /* the first number that nobody answered */
};

static void write_for_ever(struct life *life, int out)
{
	struct store_bench own = *life->bench;
	struct store_send sends[BATCH];
	char ids[BATCH][16];
	struct opened *o;

	own.all = NULL; /* neither stores nor a loop survive a fork */
	CHECK(uv_loop_init(&own.loop) == 0);
	o = bench_open(&own, STORE_WRITER);
	for (uint32_t n = life->n_said; n + BATCH < SAID_MAX; n += BATCH) {
		for (uint32_t i = 0; i < BATCH; i++) {
			(void)snprintf(ids[i], sizeof ids[i], "%u", n + i);
			sends[i] = send_of(life->rooms[(n + i) % ROOMS], "ann", ids[i],
					   "1");
		}
		CHECK(bench_commit(o, sends, BATCH) == 0);
		for (uint32_t i = 0; i < BATCH; i++) {
			struct told told = { n + i, (n + i) % ROOMS,
					     sends[i].message.seq };

			CHECK(write(out, &told, sizeof told) == sizeof told);
		}
	}
}

/* A writer that is killed after about so many answers. */
static void live_and_die(struct life *life, unsigned n_answers)
{
	int pipe_fds[2], status;
	struct told told;
	pid_t writer;

	CHECK(pipe(pipe_fds) == 0);
	writer = fork();
	CHECK(writer >= 0);
	if (writer == 0) {
		write_for_ever(life, pipe_fds[1]);
		_exit(0);
	}
	(void)close(pipe_fds[1]);
	while (read(pipe_fds[0], &told, sizeof told) == sizeof told) {
		life->said[told.number] = told.seq;
		life->n_said = told.number + 1;
		if (n_answers > 0 && --n_answers == 0)
			CHECK(kill(writer, SIGKILL) == 0);
	}
	(void)close(pipe_fds[0]);
	CHECK(waitpid(writer, &status, 0) == writer);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* A batch is told whole or was not: the next life says it again. */
	life->n_said -= life->n_said % BATCH;
}

/* Every sequence is there once, with another message each; what was answered is where
 * the answer said. */
static void expect_whole(struct life *life, struct opened *o, unsigned room)
{
	static bool seen[SAID_MAX];
	struct store_query query = { .room = life->rooms[room],
				     .limit = 100,
				     .bytes_max = 1000000 };
	struct page_builder p;
	uint64_t seq = 0;
	bool more = true;

	while (more) {
		query.after = seq;
		assert_int_equal(bench_read(o, &query, &p), 0);
		more = p.page.more;
		for (uint32_t i = 0; i < p.page.n; i++) {
			const struct message *m = &p.page.messages[i];
			unsigned long number = strtoul(m->id.at, NULL, 10);

			assert_int_equal(m->seq, ++seq);
			assert_int_equal(number % ROOMS, room);
			assert_false(seen[number]);
			seen[number] = true;
			assert_true(!life->said[number] || life->said[number] == seq);
		}
		assert_true(p.page.n > 0);
		assert_true(more || p.page.head == seq);
		page_release(&p);
	}
	for (uint32_t i = room; i < life->n_said; i += ROOMS)
		assert_true(seen[i]);
	memset(seen, 0, sizeof seen);
}

static void what_was_answered_survives_kills_of_the_writer(void **state)
{
	struct store_bench *b = *state;
	struct life *life = calloc(1, sizeof *life);
	struct opened *w, *o;

	CHECK(life);
	life->bench = b;
	for (unsigned i = 0; i < ROOMS; i++) {
		struct text room = bench_room(b, "killed");

		memcpy(life->names[i], room.at, room.len);
		life->rooms[i] = (struct text){ life->names[i], room.len };
	}
	for (unsigned i = 0; i < LIVES; i++)
		live_and_die(life, 1 + (unsigned)(clock_mono_ns() / 1000 % 500));
	/* A reader recovers the log of the dead. */
	o = bench_open(b, STORE_READER);
	for (unsigned i = 0; i < ROOMS; i++)
		expect_whole(life, o, i);
	w = bench_open(b, STORE_WRITER);
	assert_int_equal(bench_send(w, life->rooms[0], "ann", "0", "1"), 1);
	bench_close(w);
	bench_close(o);
	free(life);
}

/* ---- many at once ---- */

static int be_one_of_many(struct store_bench *b, struct text room, unsigned number)
{
	struct store_bench own = *b;
	char id[16];
	struct opened *o;
	int64_t seq;

	own.all = NULL;
	CHECK(uv_loop_init(&own.loop) == 0);
	o = bench_open(&own, STORE_WRITER);
	(void)snprintf(id, sizeof id, "%u", number);
	seq = bench_send(o, room, "ann", id, "1");
	bench_close(o);
	(void)uv_run(&own.loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&own.loop) == 0);
	return seq > 0 && seq <= 6 ? 0 : 1;
}

/* Nobody should, but an old writer may still be there when the next one comes. */
static void writers_that_come_at_once_make_one_store(void **state)
{
	struct store_bench *b = *state;
	struct text room = bench_room(b, "many");
	struct store_query query = { .room = room, .limit = 10, .bytes_max = 1000 };
	struct page_builder p;
	struct opened *o;
	pid_t pids[6];
	int status;

	for (unsigned i = 0; i < 6; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(be_one_of_many(b, room, i));
	}
	for (unsigned i = 0; i < 6; i++) {
		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		assert_int_equal(status, 0);
	}
	o = bench_open(b, STORE_READER);
	assert_int_equal(bench_read(o, &query, &p), 0);
	assert_int_equal(p.page.head, 6);
	assert_int_equal(p.page.n, 6);
	page_release(&p);
	bench_close(o);
}

/* ---- one moment ---- */

struct flow {
	struct opened *writer;
	struct text room;
	struct store_send sends[8];
	char ids[8][16];
	unsigned n;
	bool stopping, stopped;
};

static void give_next(struct flow *flow);

static void on_flowed(void *app, int status)
{
	struct flow *flow = app;

	assert_int_equal(status, 0);
	if (flow->stopping)
		flow->stopped = true;
	else
		give_next(flow);
}

static void give_next(struct flow *flow)
{
	for (unsigned i = 0; i < 8; i++) {
		(void)snprintf(flow->ids[i], sizeof flow->ids[i], "%u", flow->n++);
		flow->sends[i] = send_of(flow->room, "ann", flow->ids[i], "1");
	}
	assert_int_equal(
		store_commit(flow->writer->store, flow->sends, 8, on_flowed, flow), 0);
}

/* Batches of 8 come in and the oldest go, while pages are read: each page is of one
 * moment between two of these. */
static void a_page_is_of_one_moment(void **state)
{
	struct store_bench *b = *state;
	struct flow flow = { .room = bench_room(b, "moment") };
	struct page_builder p;
	struct opened *o;
	uint64_t head = 0, first = 1;

	b->options.retain_count = 64;
	flow.writer = bench_open(b, STORE_WRITER);
	o = bench_open(b, STORE_READER);
	give_next(&flow);
	for (unsigned round = 0; first < 300 || round < 300; round++) {
		struct store_query query = { .room = flow.room,
					     .limit = round % 2 ? 20 : 1000,
					     .newest = round % 4 > 1,
					     .bytes_max = 1000000 };

		assert_int_equal(bench_read(o, &query, &p), 0);
		assert_true(p.page.head >= head && p.page.first >= first);
		head = p.page.head;
		first = p.page.first;
		assert_int_equal(head % 8, 0);
		assert_int_equal(p.page.n, head - first + 1 < query.limit
						   ? head - first + 1
						   : query.limit);
		for (uint32_t i = 0; i < p.page.n; i++)
			assert_int_equal(p.page.messages[i].seq,
					 query.newest ? head - p.page.n + 1 + i
						      : first + i);
		page_release(&p);
	}
	flow.stopping = true;
	bench_await(b, flow.stopped);
	bench_close(o);
	bench_close(flow.writer);
}

int main(void)
{
	static struct CMUnitTest tests[16];
	size_t n = 0;

	BENCH_ADD(tests, n, what_was_answered_survives_kills_of_the_writer);
	BENCH_ADD(tests, n, writers_that_come_at_once_make_one_store);
	BENCH_ADD(tests, n, a_page_is_of_one_moment);
	return _cmocka_run_group_tests("store_writers", tests, n, NULL, NULL);
}
