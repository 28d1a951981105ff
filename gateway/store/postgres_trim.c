#include "gateway/store/postgres_trim.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

enum {
	PAUSE_MS = 20, /* between steps */
	REST_MS = 1000,
	ROOM_REST_MS = 60000, /* where there is one room only */
	REST_SHARE = 10,
};

static struct pgtrim *trim_of(struct pgcall *call)
{
	return (struct pgtrim *)((char *)call - offsetof(struct pgtrim, call));
}

/* ---- taking away ---- */

static void on_trimmed(struct pgcall *call, int status)
{
	struct pgtrim *t = trim_of(call);

	(void)status; /* whatever is left is found again */
	t->n_due = 0;
	t->is_under_way = t->is_short = false;
}

static void trim(struct pgtrim *t)
{
	uint64_t count = htobe64(t->is_short ? t->short_count : t->retain_count),
		 age_ms = htobe64(t->is_short ? 0 : t->retain_ms),
		 most = htobe64(PGTRIM_MESSAGES / t->n_due);
	struct pgvalue values[4] = { [1] = { &count, sizeof count },
				     [2] = { &age_ms, sizeof age_ms },
				     [3] = { &most, sizeof most } };

	pgarray_begin(&t->ids, PGARRAY_bigint);
	for (unsigned i = 0; i < t->n_due; i++)
		pgarray_int(&t->ids, t->due[i]);
	if (pgarray_end(&t->ids, &values[0]) < 0)
		return;
	t->call.rows = NULL;
	t->call.done = on_trimmed;
	t->is_under_way = true;
	pglink_execute(t->link, "lock", values, 1);
	pglink_execute(t->link, "trim", values, 4);
	pglink_end(t->link, &t->call, 0);
}

/* ---- looking ---- */

static void on_due(struct pgcall *call, unsigned nth, const struct pgrows *rows)
{
	struct pgtrim *t = trim_of(call);

	(void)nth; /* there is one statement */
	t->n_seen = pgrows_n(rows);
	for (unsigned i = 0; i < t->n_seen; i++) {
		t->last_seen = pgrows_int(rows, i, 0);
		if (pgrows_bool(rows, i, 1) && t->n_due < PGTRIM_ROOMS)
			t->due[t->n_due++] = t->last_seen;
	}
}

/* On to the next rooms when none of these is due; else they are looked at again. */
static void on_looked(struct pgcall *call, int status)
{
	struct pgtrim *t = trim_of(call);

	t->is_under_way = false;
	if (status < 0)
		t->n_due = 0;
	if (status < 0 || t->n_due > 0)
		return;
	t->is_round_over = t->n_seen < PGTRIM_LOOK_ROOMS;
	t->after = t->is_round_over ? 0 : t->last_seen;
}

static void look(struct pgtrim *t)
{
	uint64_t after = htobe64(t->after), count = htobe64(t->retain_count),
		 age_ms = htobe64(t->retain_ms), rooms = htobe64(PGTRIM_LOOK_ROOMS);
	const struct pgvalue values[] = { { &after, sizeof after },
					  { &count, sizeof count },
					  { &age_ms, sizeof age_ms },
					  { &rooms, sizeof rooms } };

	t->n_due = t->n_seen = 0;
	t->call.rows = on_due;
	t->call.done = on_looked;
	t->is_under_way = true;
	pglink_execute(t->link, "due", values, 4);
	pglink_end(t->link, &t->call, 0);
}

static void on_looked_short(struct pgcall *call, int status)
{
	struct pgtrim *t = trim_of(call);

	t->is_under_way = false;
	if (status < 0)
		t->n_due = 0;
	t->is_short = t->n_due > 0;
	t->is_short_done = !t->is_short;
}

static void look_short(struct pgtrim *t)
{
	uint64_t count = htobe64(t->short_count);
	const struct pgvalue values[] = { { t->short_room,
					    (uint32_t)strlen(t->short_room) },
					  { &count, sizeof count } };

	t->n_due = t->n_seen = 0;
	t->call.rows = on_due;
	t->call.done = on_looked_short;
	t->is_under_way = true;
	pglink_execute(t->link, "due_room", values, 2);
	pglink_end(t->link, &t->call, 0);
}

static bool keeps_others(const struct pgtrim *t)
{
	return !t->retain_ms && !t->retain_count;
}

uint64_t pgtrim_step(struct pgtrim *t, uint64_t now_ms)
{
	if (t->is_under_way)
		return PAUSE_MS;
	if (!t->round_ms) /* the first one begins */
		t->round_ms = now_ms;
	if (t->is_round_over) {
		uint64_t rest_ms = (keeps_others(t) ? ROOM_REST_MS : REST_MS) +
				   REST_SHARE * (now_ms - t->round_ms);

		t->is_round_over = t->is_short_done = false;
		t->round_ms = now_ms + rest_ms;
		return rest_ms;
	}
	if (t->n_due > 0)
		trim(t);
	else if (t->short_room && !t->is_short_done)
		look_short(t);
	else if (keeps_others(t))
		t->is_round_over = true;
	else
		look(t);
	return PAUSE_MS;
}

void pgtrim_release(struct pgtrim *t)
{
	pgarray_release(&t->ids);
}
