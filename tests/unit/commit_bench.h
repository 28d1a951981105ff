/*
 * commit_bench - a committer with a fake store and a list of who was told what.
 *
 * The store keeps what it is given by its id and gives numbers; the test says when and
 * how it answers, and what time it is.
 */
#ifndef COMMIT_BENCH_H
#define COMMIT_BENCH_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sequencer/commit.h"

enum {
	HOLD_MS = 2000,
	QUEUE_MAX = 600,
	KEPT_MAX = 1024
};

/* What a send was answered. */
struct told {
	uint64_t ticket, seq;
	bool refused, repeat;
	enum refusal reason;
};

struct bench {
	struct committer committer;
	struct segment_slot slot;
	uint64_t now_us;

	/* The store: under way, and what it keeps. */
	struct store_send *sends;
	unsigned n;
	store_commit_done *done;
	void *done_app;
	bool probing;
	int refuses; /* what commit and probe return at once */
	unsigned n_begun;
	char kept[KEPT_MAX][8]; /* ids; the place is the sequence */
	unsigned n_kept;

	struct told told[2 * KEPT_MAX];
	unsigned n_told, n_looks, n_failed;
	int last_failure;
};

/* ---- the fake store ---- */

static inline int commit(void *app, struct store_send *sends, unsigned n,
			 store_commit_done *done, void *done_app)
{
	struct bench *b = app;

	assert_null(b->done);
	if (b->refuses)
		return b->refuses;
	b->sends = sends;
	b->n = n;
	b->done = done;
	b->done_app = done_app;
	b->n_begun++;
	return 0;
}

static inline int probe(void *app, store_probe_done *done, void *done_app)
{
	struct bench *b = app;

	assert_null(b->done);
	if (b->refuses)
		return b->refuses;
	b->probing = true;
	b->done = done;
	b->done_app = done_app;
	return 0;
}

static inline void keep(struct bench *b, struct store_send *send)
{
	const struct text *id = &send->message.id;
	unsigned i;

	for (i = 0; i < b->n_kept; i++)
		if (strlen(b->kept[i]) == id->len && !memcmp(b->kept[i], id->at, id->len))
			break;
	send->repeat = i < b->n_kept;
	send->message.seq = i + 1;
	send->message.at_ms = 1000 + i;
	if (!send->repeat)
		snprintf(b->kept[b->n_kept++], sizeof b->kept[0], "%.*s", (int)id->len,
			 id->at);
}

/* Keeps what was given, without an answer. */
static inline void store_keeps(struct bench *b)
{
	for (unsigned i = 0; i < b->n; i++)
		keep(b, &b->sends[i]);
}

static inline void store_answers(struct bench *b, int status)
{
	store_commit_done *done = b->done;

	assert_non_null(done);
	b->done = NULL;
	b->probing = false;
	done(b->done_app, status);
}

static inline void store_commits(struct bench *b)
{
	assert_false(b->probing);
	store_keeps(b);
	store_answers(b, 0);
}

/* ---- who is told ---- */

static inline uint64_t now_us(void *app)
{
	return ((struct bench *)app)->now_us;
}

static inline void committed(void *app, const struct send_owner *owner,
			     const struct store_send *send)
{
	struct bench *b = app;

	b->told[b->n_told++] = (struct told){ .ticket = owner->ticket,
					      .seq = send->message.seq,
					      .repeat = send->repeat };
}

static inline void refused(void *app, const struct send_owner *owner, enum refusal reason)
{
	struct bench *b = app;

	b->told[b->n_told++] = (struct told){ .ticket = owner->ticket,
					      .refused = true,
					      .reason = reason };
}

static inline void look(void *app)
{
	((struct bench *)app)->n_looks++;
}

static inline void failed(void *app, int status, unsigned n)
{
	struct bench *b = app;

	b->n_failed++;
	b->last_failure = status;
}

static inline void expect_sent(struct bench *b, unsigned i, uint64_t ticket, uint64_t seq,
			       bool repeat)
{
	assert_true(i < b->n_told);
	assert_false(b->told[i].refused);
	assert_int_equal(b->told[i].ticket, ticket);
	assert_int_equal(b->told[i].seq, seq);
	assert_int_equal(b->told[i].repeat, repeat);
}

static inline void expect_refused(struct bench *b, unsigned i, uint64_t ticket,
				  enum refusal reason)
{
	assert_true(i < b->n_told);
	assert_true(b->told[i].refused);
	assert_int_equal(b->told[i].ticket, ticket);
	assert_int_equal(b->told[i].reason, reason);
}

/* ---- the sequencer's part ---- */

static inline void submit_as(struct bench *b, uint64_t ticket, unsigned id)
{
	char text[8];
	struct record_submit submit = { .generation = 1, .ticket = ticket };

	submit.message.room = (struct text){ "lobby", 5 };
	submit.message.id.at = text;
	submit.message.id.len = (uint32_t)snprintf(text, sizeof text, "%u", id);
	committer_submit(&b->committer, 0, &submit);
}

static inline void submit(struct bench *b, uint64_t ticket)
{
	submit_as(b, ticket, (unsigned)ticket);
}

static inline void pass_ms(struct bench *b, uint64_t ms)
{
	for (uint64_t end = b->now_us + ms * 1000; b->now_us < end;) {
		b->now_us += SEGMENT_BEAT_MS * 1000;
		committer_tick(&b->committer);
		committer_turn(&b->committer);
	}
}

static inline uint64_t count(struct bench *b, enum counter id)
{
	return counter_get(&b->slot, id);
}

static inline int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	struct commit_limits limits = { HOLD_MS, QUEUE_MAX, 65536, 4 * 65536 };
	struct commit_io io = { .commit = commit,
				.probe = probe,
				.now_us = now_us,
				.committed = committed,
				.refused = refused,
				.look = look,
				.failed = failed };

	assert_non_null(b);
	b->now_us = 10000000;
	io.app = b;
	committer_init(&b->committer, &io, &limits, &b->slot);
	committer_changed(&b->committer, true);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bench *b = *state;

	if (b->done)
		store_answers(b, -ENOTCONN); /* as store_close does */
	committer_release(&b->committer);
	free(b);
	return 0;
}

#endif
