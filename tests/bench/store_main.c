/*
 * store - messages a second that a store commits and reads: `store URL [SECONDS]`.
 *
 * Batches of 1, 16 and 256 messages of 100 bytes, over 1,000 rooms and into one; one
 * batch in flight, as the sequencer has it. Then pages of 100 out of these rooms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/store/store.h"

enum {
	TIMES_MAX = 1000000,
	SENDERS = 50, /* of a room */
	READS = 8,    /* in flight */
};

struct bench {
	uv_loop_t loop;
	struct store *store;
	uint64_t until_ns, start_ns, n_messages;
	unsigned batch, rooms, under_way;
	bool up;
	uint32_t random;
	uint64_t *times_ns, n_times;
	struct store_send sends[STORE_BATCH_MAX];
	char names[STORE_BATCH_MAX][32], ids[STORE_BATCH_MAX][32],
		senders[STORE_BATCH_MAX][32];
};

static const char body[] = "{\"text\":\"a message of a hundred bytes, which is what "
			   "people write on the average, more or less\"}    ";

static uint32_t draw(struct bench *b, uint32_t n)
{
	b->random = b->random * 1664525 + 1013904223;
	return (b->random >> 8) % n;
}

static struct text written(char text[32], const char *what, uint64_t number)
{
	int len = snprintf(text, 32, "%s-%llu", what, (unsigned long long)number);

	return (struct text){ text, (uint32_t)len };
}

static void note(struct bench *b, uint64_t ns)
{
	if (b->n_times < TIMES_MAX)
		b->times_ns[b->n_times++] = ns;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What so many of a hundred did not exceed, of times in order. */
static double ms_at(const struct bench *b, unsigned percent)
{
	uint64_t place = b->n_times * percent / 100;

	return (double)b->times_ns[place < b->n_times ? place : b->n_times - 1] / 1e6;
}

static void report(struct bench *b, const char *what, uint64_t took_ns)
{
	qsort(b->times_ns, b->n_times, sizeof *b->times_ns, by_size);
	printf("%s %4u of %3u: %8.0f/s  p50 %7.2f ms  p99 %7.2f ms  max %7.2f ms\n", what,
	       b->rooms, b->batch, (double)b->n_messages * 1e9 / (double)took_ns,
	       ms_at(b, 50), ms_at(b, 99), ms_at(b, 100));
	(void)fflush(stdout);
	b->n_times = b->n_messages = 0;
}

/* ---- committing ---- */

static void give_batch(struct bench *b);

static void on_committed(void *app, int status)
{
	struct bench *b = app;
	uint64_t now = clock_mono_ns();

	if (status < 0) {
		fprintf(stderr, "commit: %s\n", strerror(-status));
		exit(1);
	}
	note(b, now - b->start_ns);
	b->n_messages += b->batch;
	b->under_way--;
	if (now < b->until_ns)
		give_batch(b);
}

static void give_batch(struct bench *b)
{
	static uint64_t n_ids;

	for (unsigned i = 0; i < b->batch; i++) {
		struct message *m = &b->sends[i].message;

		m->room = written(b->names[i], b->rooms == 1 ? "hot" : "room",
				  draw(b, b->rooms));
		m->from = written(b->senders[i], "sender", draw(b, SENDERS));
		m->id = written(b->ids[i], "id", ((uint64_t)getpid() << 32) + n_ids++);
		m->body = (struct text){ body, 100 };
	}
	b->start_ns = clock_mono_ns();
	CHECK(store_commit(b->store, b->sends, b->batch, on_committed, b) == 0);
	b->under_way++;
}

static void commit_for(struct bench *b, unsigned rooms, unsigned batch, uint64_t ns)
{
	uint64_t start = clock_mono_ns();

	b->rooms = rooms;
	b->batch = batch;
	b->until_ns = start + ns;
	give_batch(b);
	while (b->under_way)
		uv_run(&b->loop, UV_RUN_ONCE);
	report(b, "commit, rooms", clock_mono_ns() - start);
}

/* ---- reading ---- */

static void give_read(struct bench *b);

static void on_read(void *app, int status, const struct store_page *page)
{
	struct bench *b = app;

	CHECK(status == 0);
	b->n_messages += page->n;
	b->under_way--;
	note(b, clock_mono_ns() - b->start_ns);
	if (clock_mono_ns() < b->until_ns)
		give_read(b);
}

static void give_read(struct bench *b)
{
	char name[32];
	struct store_query query = { .limit = b->batch,
				     .newest = true,
				     .bytes_max = 1 << 20 };

	query.room = written(name, "room", draw(b, b->rooms));
	b->start_ns = clock_mono_ns();
	CHECK(store_read(b->store, &query, on_read, b) == 0);
	b->under_way++;
}

static void read_for(struct bench *b, uint64_t ns)
{
	uint64_t start = clock_mono_ns();

	b->rooms = 1000;
	b->batch = 100;
	b->until_ns = start + ns;
	for (unsigned i = 0; i < READS; i++)
		give_read(b);
	while (b->under_way)
		uv_run(&b->loop, UV_RUN_ONCE);
	report(b, "read,   rooms", clock_mono_ns() - start);
}

/* ---- the rest ---- */

static void on_changed(void *app, bool up, const char *why)
{
	struct bench *b = app;

	b->up = up;
	if (!up)
		fprintf(stderr, "away: %s\n", why);
}

static void open_store(struct bench *b, const char *url, enum store_role role)
{
	struct store_options options = { .url = url, .role = role, .deadline_ms = 60000 };
	struct store_events events = { b, on_changed };
	struct why why;

	b->up = false;
	if (store_open(&b->loop, &options, &events, &b->store, &why) < 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	while (!b->up)
		uv_run(&b->loop, UV_RUN_ONCE);
}

static void close_store(struct bench *b)
{
	store_close(b->store);
	uv_run(&b->loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
	static struct bench b = { .random = 1 };
	static const unsigned rooms[] = { 1000, 1 }, batches[] = { 1, 16, 256 };
	uint64_t ns = 3000 * MS_NS;

	if (argc < 2) {
		fprintf(stderr, "usage: store URL [SECONDS]\n");
		return 2;
	}
	if (argc > 2)
		ns = strtoull(argv[2], NULL, 10) * 1000 * MS_NS;
	b.times_ns = calloc(TIMES_MAX, sizeof *b.times_ns);
	CHECK(b.times_ns);
	CHECK(uv_loop_init(&b.loop) == 0);
	open_store(&b, argv[1], STORE_WRITER);
	printf("# %s, %llu s each\n", store_driver(b.store),
	       (unsigned long long)(ns / MS_NS / 1000));
	for (unsigned i = 0; i < 2; i++)
		for (unsigned j = 0; j < 3; j++)
			commit_for(&b, rooms[i], batches[j], ns);
	close_store(&b);
	open_store(&b, argv[1], STORE_READER);
	read_for(&b, ns);
	close_store(&b);
	CHECK(uv_loop_close(&b.loop) == 0);
	free(b.times_ns);
	return 0;
}
