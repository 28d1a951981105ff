/*
 * lane_inside - what the two halves of a lane share: its thread (lane_thread.c) and the
 * loop's side of it (lane.c). For these two only.
 */
#ifndef STORE_LANE_INSIDE_H
#define STORE_LANE_INSIDE_H

#include <stdatomic.h>
#include <uv.h>

#include "common/clock.h"
#include "gateway/store/lane.h"

enum {
	LANE_MAGIC = 0x6c616e65, /* "lane" */
};

/* What the thread says of its connection. `n_lost` counts, so that a connection that was
 * lost and is back before the loop looks is told as both. */
struct lane_state {
	bool known, up;
	unsigned n_lost;
	struct why why;
};

struct lane {
	unsigned magic;
	const struct lane_ops *ops;
	void *app;
	uint64_t deadline_ms;
	uv_thread_t thread;
	uv_async_t wake;  /* the loop */
	uv_timer_t timer; /* when the next job is late */
	atomic_bool closing;

	/* Shared, under the lock. */
	uv_mutex_t lock;
	uv_cond_t work; /* wakes the thread */
	struct lane_job *queue, *current, *finished;
	struct lane_state state;
	bool ended;

	/* The thread's own. */
	bool connected;
	unsigned n_failures; /* in a row */
	uint64_t retry_at_ms, idle_at_ms;

	/* The loop's own. */
	struct lane_job *settled; /* to be answered, disposed of, or both */
	struct lane_state told;
	bool late; /* the current job is over its deadline */
	unsigned n_handles;
	bool started; /* the thread */
};

static inline uint64_t lane_now_ms(void)
{
	return clock_mono_ns() / MS_NS;
}

static inline bool lane_is_closing(const struct lane *lane)
{
	return atomic_load(&lane->closing);
}

/* What the thread runs, until the lane is closing. */
void lane_thread(void *arg);

#endif
