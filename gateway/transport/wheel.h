/*
 * wheel - many timers of coarse grain: pings, deadlines, idleness.
 *
 * A ring of slots, one per tick; a timer hangs in the slot of its tick, also when
 * that is several turns of the wheel away, so that arming, arming anew and
 * cancelling are a few stores each. Timers are embedded in what they time; the
 * wheel allocates nothing for them. It has no clock: wheel_advance is told.
 *
 * A timer never fires early; it fires at the first advance after its deadline,
 * rounded up to the grain. Each fires once. Within an advance the order is that
 * of deadlines, except after a pause longer than the whole ring.
 */
#ifndef WHEEL_H
#define WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wheel_list {
	struct wheel_list *next, *prev;
};

/* Zeroed is ready: not armed. Must not move while armed. */
struct wheel_timer {
	struct wheel_list list; /* next is NULL when not armed */
	uint64_t tick;          /* fires when the wheel is at this tick or beyond */
};

struct wheel {
	struct wheel_list *slots;
	struct wheel_list pending; /* of a slot that is being looked through */
	size_t n_slots, n_armed;
	uint64_t grain_ms;
	uint64_t tick; /* slots up to this one have been looked through */
	uint64_t now;  /* tick of the last advance; `tick` may lag behind it */
};

/* `n_slots` is a power of two; timers beyond n_slots * grain_ms cost a look each time
 * the wheel comes round. -ENOMEM. */
int wheel_init(struct wheel *wheel, size_t n_slots, uint64_t grain_ms, uint64_t now_ms);

/* Timers that are still armed are forgotten: cancel or abandon them first. */
void wheel_release(struct wheel *wheel);

/* Arms, or arms anew. A deadline that has passed fires at the next advance. */
void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, uint64_t deadline_ms);

/* Nothing happens when it is not armed. */
void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer);

static inline bool wheel_armed(const struct wheel_timer *timer)
{
	return timer->list.next != NULL;
}

/*
 * Fires what is due; the timer is no longer armed when its callback runs, and the
 * callback may arm, cancel and free any timer, its own included. What it arms fires
 * in a later advance. At most `max` timers are looked at: returns true when some are
 * left that may be due, and the next advance goes on there, also with the same now_ms.
 */
bool wheel_advance(struct wheel *wheel, uint64_t now_ms, size_t max,
		   void (*on_due)(void *app, struct wheel_timer *timer), void *app);

#endif
