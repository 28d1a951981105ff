#include "gateway/sequencer/commit.h"

#include <errno.h>

#include "common/check.h"
#include "common/clock.h"

enum {
	PROBE_US = 1000000, /* when nothing else tells how the store is */
	RETRY_US = 100000,
};

void committer_init(struct committer *c, const struct commit_io *io,
		    const struct commit_limits *limits, struct segment_slot *slot)
{
	*c = (struct committer){
		.io = *io,
		.slot = slot,
		.hold_ms = limits->hold_ms,
		.away = true, /* until it says that it is not */
	};
	queue_init(&c->queue, limits->queue_max, limits->batch_bytes, limits->bytes_max);
	counter_set(slot, COUNTER_store_queue_max, limits->queue_max);
}

void committer_release(struct committer *c)
{
	queue_release(&c->queue);
}

bool committer_is_done(const struct committer *c)
{
	return c->queue.n == 0;
}

static uint64_t now_us(const struct committer *c)
{
	return c->io.now_us(c->io.app);
}

static void publish_queue(struct committer *c)
{
	counter_set(c->slot, COUNTER_store_queue, c->queue.n);
	counter_set(c->slot, COUNTER_store_queue_bytes, c->queue.bytes);
}

static void refuse(struct committer *c, const struct send_owner *owner,
		   enum refusal reason)
{
	counter_add(c->slot, COUNTER_store_refused, 1);
	c->io.refused(c->io.app, owner, reason);
}

/* ---- what is submitted ---- */

static enum refusal refusal_of(int r)
{
	switch (r) {
	case -ENOBUFS: return REFUSED_busy;
	case -EMSGSIZE: return REFUSED_too_long;
	default: return REFUSED_unavailable;
	}
}

void committer_submit(struct committer *c, uint32_t slot,
		      const struct record_submit *submit)
{
	struct send_owner owner = {
		.slot = slot,
		.generation = submit->generation,
		.ticket = submit->ticket,
		.since_ms = now_us(c) / 1000,
	};
	int r = queue_add(&c->queue, &owner, &submit->message);

	if (r < 0)
		refuse(c, &owner, refusal_of(r));
	publish_queue(c);
}

/* ---- how it ended ---- */

static void note_end(struct committer *c, int status, unsigned n)
{
	c->ended_us = now_us(c);
	c->took_us = c->ended_us - c->begun_us;
	c->state = COMMIT_idle;
	counter_set(c->slot, COUNTER_store_latency_us, c->took_us);
	counter_set(c->slot, COUNTER_store_state,
		    status == 0 ? STORE_STATE_up : STORE_STATE_down);
	if (status == 0) {
		counter_set(c->slot, COUNTER_store_last_ok_ms, (uint64_t)clock_wall_ms());
	} else {
		counter_add(c->slot, COUNTER_store_errors, 1);
		c->io.failed(c->io.app, status, n);
	}
}

/* What it keeps can be seen from now on. */
static void look_if_due(struct committer *c)
{
	if (c->look_due)
		c->io.look(c->io.app);
	c->look_due = false;
}

static void answer(struct committer *c, const struct batch *batch)
{
	uint64_t n_repeats = 0;

	for (unsigned i = 0; i < batch->n; i++) {
		n_repeats += batch->sends[i].repeat;
		c->io.committed(c->io.app, &batch->owners[i], &batch->sends[i]);
	}
	counter_add(c->slot, COUNTER_store_commits, 1);
	counter_add(c->slot, COUNTER_store_commit_sends, batch->n);
	counter_add(c->slot, COUNTER_store_repeats, n_repeats);
	counter_add(c->slot, COUNTER_messages, batch->n - n_repeats);
}

/* Nothing of it was kept, unless an earlier try had an unknown end. */
static void refuse_batch(struct committer *c, const struct batch *batch)
{
	for (unsigned i = 0; i < batch->n; i++)
		refuse(c, &batch->owners[i], REFUSED_unavailable);
	c->look_due |= batch->tried;
}

static bool end_is_unknown(int status)
{
	return status == -ENOTCONN || status == -ETIMEDOUT;
}

/* One that ran out of time took that long at least. */
static void observe(struct committer *c, int status)
{
	if (status == 0 || status == -ETIMEDOUT)
		histogram_observe(c->slot, HISTOGRAM_store_commit, c->took_us);
}

static void on_committed(void *app, int status)
{
	struct committer *c = app;
	const struct batch *batch = c->queue.out;

	CHECK(c->state == COMMIT_committing);
	note_end(c, status, batch->n);
	observe(c, status);
	if (end_is_unknown(status)) {
		queue_put_back(&c->queue);
		c->retry_us = c->ended_us + RETRY_US;
		return;
	}
	if (status == 0)
		answer(c, batch);
	else
		refuse_batch(c, batch);
	queue_done(&c->queue);
	publish_queue(c);
	if (status == 0)
		look_if_due(c);
}

static void on_probed(void *app, int status)
{
	struct committer *c = app;

	CHECK(c->state == COMMIT_probing);
	note_end(c, status, 0);
	if (status == 0)
		look_if_due(c);
}

/* ---- what is next ---- */

static void begin(struct committer *c, enum commit_state state)
{
	c->state = state;
	c->begun_us = now_us(c);
}

static void commit(struct committer *c)
{
	struct batch *batch = queue_take(&c->queue);
	int r;

	begin(c, COMMIT_committing);
	r = c->io.commit(c->io.app, batch->sends, batch->n, on_committed, c);
	/* Busy: with what it has already answered as timed out. */
	if (r == -EBUSY) {
		c->state = COMMIT_idle;
		c->retry_us = c->begun_us + RETRY_US;
		queue_put_back(&c->queue);
	} else if (r < 0) {
		on_committed(c, r);
	}
}

static void probe(struct committer *c)
{
	int r;

	begin(c, COMMIT_probing);
	r = c->io.probe(c->io.app, on_probed, c);
	if (r == -EBUSY)
		c->state = COMMIT_idle;
	else if (r < 0)
		on_probed(c, r);
}

static bool is_free(const struct committer *c)
{
	return c->state == COMMIT_idle && !c->away;
}

void committer_turn(struct committer *c)
{
	if (is_free(c) && c->queue.first && now_us(c) >= c->retry_us)
		commit(c);
}

static void on_expired(void *app, const struct send_owner *owner)
{
	refuse(app, owner, REFUSED_unavailable);
}

/* Nothing waits while no batch is under way, but for a store that takes none. */
static void expire(struct committer *c, uint64_t now_ms)
{
	if (c->state == COMMIT_committing || now_ms < c->hold_ms)
		return;
	c->look_due |= queue_expire(&c->queue, now_ms - c->hold_ms, on_expired, c);
	publish_queue(c);
}

void committer_tick(struct committer *c)
{
	uint64_t now = now_us(c), so_far;

	expire(c, now / 1000);
	if (is_free(c) && !c->queue.first && now - c->ended_us >= PROBE_US)
		probe(c);
	so_far = c->state == COMMIT_idle ? 0 : now - c->begun_us;
	counter_set(c->slot, COUNTER_store_latency_us,
		    so_far > c->took_us ? so_far : c->took_us);
}

void committer_changed(struct committer *c, bool up)
{
	c->away = !up;
	/* That it can be opened does not say that it keeps anything. */
	if (!up)
		counter_set(c->slot, COUNTER_store_state, STORE_STATE_down);
	/* What waits is given at once, or the store probed at the next beat. */
	c->retry_us = 0;
	if (up)
		c->ended_us = 0;
}
