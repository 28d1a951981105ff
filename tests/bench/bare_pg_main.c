/*
 * bare_pg - what PostgreSQL itself can do: `bare_pg URL [SECONDS]`.
 *
 * The store's own statement for batches, given by a loop that waits in libpq, one batch
 * in flight: what the store's figures (tests/bench/store_main.c) are held against. Uses
 * the schema of a store that was opened before.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/store/postgres_array.h"
#include "gateway/store/postgres_sql.h"

enum {
	BATCH_MAX = 256,
	ROOMS = 1000,
	SENDERS = 50,
	ARRAYS = 7,
	TIMES_MAX = 1000000,
};

struct bare {
	PGconn *conn;
	int64_t ids[ROOMS];
	struct pgarray arrays[ARRAYS];
	uint64_t *times_ns, n_times, n_ids;
	uint32_t random;
};

static const char body[] = "{\"text\":\"a message of a hundred bytes, which is what "
			   "people write on the average, more or less\"}    ";

static uint32_t draw(struct bare *b, uint32_t n)
{
	b->random = b->random * 1664525 + 1013904223;
	return (b->random >> 8) % n;
}

static PGresult *good(struct bare *b, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s", PQerrorMessage(b->conn));
		exit(1);
	}
	return result;
}

static void run(struct bare *b, const char *sql)
{
	PQclear(good(b, PQexec(b->conn, sql)));
}

static void prepare(struct bare *b)
{
	for (const struct pgsql *p = pgsql_statements; p->name; p++)
		if (strcmp(p->name, "fast") == 0)
			PQclear(good(b, PQprepare(b->conn, p->name, p->sql, 0, NULL)));
}

static void find_rooms(struct bare *b)
{
	PGresult *result;

	run(b,
	    "insert into rooms(name) select 'bare-' || n from generate_series(0, 999) n"
	    " on conflict do nothing");
	result = good(b,
		      PQexec(b->conn, "select id from rooms where name like 'bare-%'"));
	CHECK(PQntuples(result) == ROOMS);
	for (int i = 0; i < ROOMS; i++)
		b->ids[i] = strtoll(PQgetvalue(result, i, 0), NULL, 10);
	PQclear(result);
}

/* ---- batches ---- */

static void add_text(struct pgarray *array, const char *what, uint64_t number)
{
	char text[48];
	int len = snprintf(text, sizeof text, "%s-%llu", what,
			   (unsigned long long)number);

	pgarray_text(array, (struct text){ text, (uint32_t)len });
}

static void fill(struct bare *b, unsigned rooms, unsigned batch)
{
	uint32_t n[ROOMS] = { 0 }, place[ROOMS] = { 0 }, order[BATCH_MAX], n_places = 0;

	for (unsigned i = 0; i < ARRAYS; i++)
		pgarray_begin(&b->arrays[i], i < 4 ? PGARRAY_bigint : PGARRAY_text);
	for (unsigned i = 0; i < batch; i++) {
		uint32_t room = draw(b, rooms);

		if (!place[room]) {
			order[n_places++] = room;
			place[room] = n_places;
		}
		pgarray_int(&b->arrays[2], place[room]);
		pgarray_int(&b->arrays[3], ++n[room]);
		add_text(&b->arrays[4], "sender", draw(b, SENDERS));
		add_text(&b->arrays[5], "bare", ((uint64_t)getpid() << 32) + b->n_ids++);
		pgarray_text(&b->arrays[6], (struct text){ body, 100 });
	}
	for (unsigned i = 0; i < n_places; i++) {
		pgarray_int(&b->arrays[0], b->ids[order[i]]);
		pgarray_int(&b->arrays[1], n[order[i]]);
	}
}

static void commit(struct bare *b)
{
	const char *ats[ARRAYS];
	int lens[ARRAYS], formats[ARRAYS];

	for (unsigned i = 0; i < ARRAYS; i++) {
		struct pgvalue value;

		CHECK(pgarray_end(&b->arrays[i], &value) == 0);
		ats[i] = value.at;
		lens[i] = value.len;
		formats[i] = 1;
	}
	PQclear(good(b, PQexecPrepared(b->conn, "fast", ARRAYS, ats, lens, formats, 1)));
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double at_ms(const struct bare *b, uint64_t percent)
{
	uint64_t nth = b->n_times * percent / 100;

	return (double)b->times_ns[nth] / 1e6;
}

static void commit_for(struct bare *b, unsigned rooms, unsigned batch, uint64_t ns)
{
	uint64_t start = clock_mono_ns(), now = start, before;

	b->n_times = 0;
	while (now - start < ns && b->n_times < TIMES_MAX) {
		before = now;
		fill(b, rooms, batch);
		commit(b);
		now = clock_mono_ns();
		b->times_ns[b->n_times++] = now - before;
	}
	qsort(b->times_ns, b->n_times, sizeof *b->times_ns, by_size);
	printf("bare,   rooms %4u of %3u: %8.0f/s  p50 %7.2f ms  p99 %7.2f ms\n", rooms,
	       batch, (double)(b->n_times * batch) * 1e9 / (double)(now - start),
	       at_ms(b, 50), at_ms(b, 99));
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct bare b = { .random = 1 };
	static const unsigned rooms[] = { ROOMS, 1 }, batches[] = { 1, 16, BATCH_MAX };
	uint64_t ns = 3000 * MS_NS;

	if (argc < 2) {
		fprintf(stderr, "usage: bare_pg URL [SECONDS]\n");
		return 2;
	}
	if (argc > 2)
		ns = strtoull(argv[2], NULL, 10) * 1000 * MS_NS;
	b.times_ns = calloc(TIMES_MAX, sizeof *b.times_ns);
	CHECK(b.times_ns);
	b.conn = PQconnectdb(argv[1]);
	run(&b, pgsql_settings);
	find_rooms(&b);
	prepare(&b);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned j = 0; j < 3; j++)
			commit_for(&b, rooms[i], batches[j], ns);
	PQfinish(b.conn);
	for (unsigned i = 0; i < ARRAYS; i++)
		pgarray_release(&b.arrays[i]);
	free(b.times_ns);
	return 0;
}
