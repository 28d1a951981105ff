#include "gateway/store/postgres_commit.h"

#include <errno.h>
#include <stddef.h>

enum {
	AGAIN_MAX = 5 /* after a deadlock */
};

static void put_rooms(struct pgcommit *c);

static struct pgcommit *commit_of(struct pgcall *call)
{
	return (struct pgcommit *)((char *)call - offsetof(struct pgcommit, call));
}

static void finish(struct pgcommit *c, int status)
{
	c->n = 0;
	c->done(c->app, status);
}

/* What the statement was to answer is not what it did. */
static void finish_absurd(struct pgcommit *c)
{
	pglink_fail(c->link, "the database answered something else than was asked");
	finish(c, -ENOTCONN);
}

/* Sends a statement with the arrays that were filled, and others after them. */
static int execute(struct pgcommit *c, const char *name, unsigned n_arrays)
{
	struct pgvalue values[PGCOMMIT_ARRAYS];

	for (unsigned i = 0; i < n_arrays; i++) {
		int r = pgarray_end(&c->arrays[i], &values[i]);

		if (r < 0)
			return r;
	}
	pglink_execute(c->link, name, values, (int)n_arrays);
	return 0;
}

static void end(struct pgcommit *c,
		void (*rows)(struct pgcall *, unsigned, const struct pgrows *),
		void (*done)(struct pgcall *, int))
{
	c->n_answered = 0;
	c->call.rows = rows;
	c->call.done = done;
	pglink_end(c->link, &c->call, c->due_ms);
}

/* ---- 2b: the messages, when one is a repeat ---- */

static void on_slow_rows(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgcommit *c = commit_of(call);

	if (nth != 1 || pgrows_n(rows) != c->n) /* 0 locks */
		return;
	for (unsigned i = 0; i < c->n; i++) {
		c->sends[i].message.seq = pgrows_int(rows, i, 0);
		c->sends[i].message.at_ms = pgrows_ms(rows, i, 1);
		c->sends[i].repeat = pgrows_bool(rows, i, 2);
	}
	c->n_answered = c->n;
}

static void on_put(struct pgcall *call, int status);

static int put_slowly(struct pgcommit *c)
{
	struct pgvalue ids;
	int r;

	pgarray_begin(&c->arrays[0], PGARRAY_bigint);
	for (unsigned i = 1; i < 4; i++)
		pgarray_begin(&c->arrays[i], PGARRAY_text);
	for (unsigned i = 0; i < c->n; i++) {
		const struct message *m = &c->sends[i].message;

		pgarray_int(&c->arrays[0], c->room_of[i]->id);
		pgarray_text(&c->arrays[1], m->from);
		pgarray_text(&c->arrays[2], m->id);
		pgarray_text(&c->arrays[3], m->body);
	}
	r = pgarray_end(&c->arrays[0], &ids);
	if (r < 0)
		return r;
	pglink_execute(c->link, "lock", &ids, 1);
	r = execute(c, "slow", 4);
	end(c, on_slow_rows, on_put);
	return r;
}

/* ---- 2a: the messages, when none is ---- */

static void on_fast_rows(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgcommit *c = commit_of(call);
	int64_t base[STORE_BATCH_MAX], at_ms[STORE_BATCH_MAX];

	(void)nth; /* there is one statement */
	if (pgrows_n(rows) != c->n_places)
		return;
	for (unsigned i = 0; i < c->n_places; i++) {
		int64_t place = pgrows_int(rows, i, 0);

		if (place < 1 || place > c->n_places)
			return;
		base[place - 1] = pgrows_int(rows, i, 1);
		at_ms[place - 1] = pgrows_ms(rows, i, 2);
	}
	for (unsigned i = 0; i < c->n; i++) {
		unsigned place = c->room_of[i]->place;

		c->sends[i].message.seq = base[place] + c->k[i];
		c->sends[i].message.at_ms = at_ms[place];
		c->sends[i].repeat = false;
	}
	c->n_answered = c->n;
}

static int put_fast(struct pgcommit *c)
{
	int r;

	for (unsigned i = 0; i < PGCOMMIT_ARRAYS; i++)
		pgarray_begin(&c->arrays[i], i < 4 ? PGARRAY_bigint : PGARRAY_text);
	for (unsigned i = 0; i < c->n_places; i++) {
		pgarray_int(&c->arrays[0], c->places[i]->id);
		pgarray_int(&c->arrays[1], c->places[i]->n);
	}
	for (unsigned i = 0; i < c->n; i++) {
		const struct message *m = &c->sends[i].message;

		pgarray_int(&c->arrays[2], c->room_of[i]->place + 1);
		pgarray_int(&c->arrays[3], c->k[i]);
		pgarray_text(&c->arrays[4], m->from);
		pgarray_text(&c->arrays[5], m->id);
		pgarray_text(&c->arrays[6], m->body);
	}
	r = execute(c, "fast", PGCOMMIT_ARRAYS);
	end(c, on_fast_rows, on_put);
	return r;
}

static void put(struct pgcommit *c)
{
	int r = c->slowly ? put_slowly(c) : put_fast(c);

	/* Half of a call may be on its way: only a new connection forgets that. */
	if (r < 0)
		pglink_fail(c->link, "no memory for a batch");
}

/* Somebody else may do in the database what he likes, but a room that is gone is made
 * again only once a batch. */
static void on_put(struct pgcall *call, int status)
{
	struct pgcommit *c = commit_of(call);

	if (status == 0 && c->n_answered != c->n) {
		finish_absurd(c);
	} else if (status == -EEXIST && !c->slowly) {
		c->slowly = true;
		put(c);
	} else if (status == -ESTALE && c->n_again++ < AGAIN_MAX) {
		for (unsigned i = 0; i < c->n_places; i++)
			c->places[i]->id = 0;
		put_rooms(c);
	} else if (status == -EAGAIN && c->n_again++ < AGAIN_MAX) {
		put(c);
	} else {
		finish(c, status == -EEXIST || status == -ESTALE || status == -EAGAIN ||
					  status == -ENOENT
				  ? -EIO
				  : status);
	}
}

/* ---- 1: the rooms ---- */

static void on_rooms(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgcommit *c = commit_of(call);

	if (nth != 1) /* 0 makes them */
		return;
	for (unsigned i = 0; i < pgrows_n(rows); i++) {
		struct pgroom *room = pgrooms_find(&c->rooms, pgrows_text(rows, i, 1));

		if (room)
			room->id = pgrows_int(rows, i, 0);
	}
}

static bool all_known(const struct pgcommit *c)
{
	for (unsigned i = 0; i < c->n_places; i++)
		if (c->places[i]->id == 0)
			return false;
	return true;
}

static void on_rooms_made(struct pgcall *call, int status)
{
	struct pgcommit *c = commit_of(call);

	if (status == -EAGAIN && c->n_again++ < AGAIN_MAX)
		put_rooms(c);
	else if (status < 0)
		finish(c, status == -EAGAIN ? -EIO : status);
	else if (!all_known(c))
		finish_absurd(c);
	else
		put(c);
}

static void put_rooms(struct pgcommit *c)
{
	int r;

	pgarray_begin(&c->arrays[0], PGARRAY_text);
	for (unsigned i = 0; i < c->n_places; i++)
		if (c->places[i]->id == 0)
			pgarray_text(&c->arrays[0], (struct text){ c->places[i]->name,
								   c->places[i]->len });
	r = execute(c, "make", 1);
	if (r == 0)
		r = execute(c, "find", 1);
	end(c, on_rooms, on_rooms_made);
	if (r < 0)
		pglink_fail(c->link, "no memory for a batch");
}

/* ---- the batch ---- */

/* Each message's room, and its number in it. */
static int sort_out(struct pgcommit *c, const struct store_send *sends, unsigned n)
{
	c->batch++;
	c->n_places = 0;
	for (unsigned i = 0; i < n; i++) {
		struct pgroom *room = pgrooms_get(&c->rooms, sends[i].message.room);

		if (!room)
			return -ENOMEM;
		if (room->batch != c->batch) {
			room->batch = c->batch;
			room->n = 0;
			room->place = c->n_places;
			c->places[c->n_places++] = room;
		}
		c->room_of[i] = room;
		c->k[i] = ++room->n;
	}
	return 0;
}

int pgcommit_begin(struct pgcommit *c, struct store_send *sends, unsigned n,
		   uint64_t now_ms, store_commit_done *done, void *app)
{
	int r;

	if (c->n)
		return -EBUSY;
	r = sort_out(c, sends, n);
	if (r < 0)
		return r;
	c->sends = sends;
	c->n = n;
	c->done = done;
	c->app = app;
	c->slowly = false;
	c->n_again = 0;
	c->due_ms = now_ms + c->deadline_ms;
	if (all_known(c))
		put(c);
	else
		put_rooms(c);
	return 0;
}

bool pgcommit_busy(const struct pgcommit *c)
{
	return c->n > 0;
}

void pgcommit_release(struct pgcommit *c)
{
	for (unsigned i = 0; i < PGCOMMIT_ARRAYS; i++)
		pgarray_release(&c->arrays[i]);
	pgrooms_forget(&c->rooms);
}
