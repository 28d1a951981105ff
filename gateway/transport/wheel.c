#include "gateway/transport/wheel.h"

#include <errno.h>
#include <stdlib.h>

#include "common/check.h"

_Static_assert(sizeof(struct wheel_timer) <= 24, "each link carries one");

static void list_init(struct wheel_list *list)
{
	list->next = list->prev = list;
}

static void list_append(struct wheel_list *list, struct wheel_list *item)
{
	item->next = list;
	item->prev = list->prev;
	list->prev->next = item;
	list->prev = item;
}

static void list_remove(struct wheel_list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->next = item->prev = NULL;
}

/* Moves all of `from` into the empty list `to`. */
static void list_take(struct wheel_list *to, struct wheel_list *from)
{
	if (from->next == from)
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	list_init(from);
}

static struct wheel_list *slot_of(struct wheel *wheel, uint64_t tick)
{
	return &wheel->slots[tick & (wheel->n_slots - 1)];
}

int wheel_init(struct wheel *wheel, size_t n_slots, uint64_t grain_ms, uint64_t now_ms)
{
	CHECK(n_slots && !(n_slots & (n_slots - 1)) && grain_ms);
	*wheel = (struct wheel){ .n_slots = n_slots, .grain_ms = grain_ms };
	wheel->tick = wheel->now = now_ms / grain_ms;
	wheel->slots = calloc(n_slots, sizeof(*wheel->slots));
	if (!wheel->slots)
		return -ENOMEM;
	for (size_t i = 0; i < n_slots; i++)
		list_init(&wheel->slots[i]);
	list_init(&wheel->pending);
	return 0;
}

void wheel_release(struct wheel *wheel)
{
	free(wheel->slots);
	wheel->slots = NULL;
}

void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, uint64_t deadline_ms)
{
	uint64_t tick = deadline_ms / wheel->grain_ms;

	tick += deadline_ms % wheel->grain_ms != 0;
	wheel_cancel(wheel, timer);
	/* Never into slots that this turn has yet to look through: see wheel_advance. */
	timer->tick = tick > wheel->now ? tick : wheel->now + 1;
	list_append(slot_of(wheel, timer->tick), &timer->list);
	wheel->n_armed++;
}

void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
	if (!wheel_armed(timer))
		return;
	list_remove(&timer->list);
	wheel->n_armed--;
}

/* Looks at what is pending. Returns how much of `max` is left. */
static size_t look_through(struct wheel *wheel, size_t max,
			   void (*on_due)(void *app, struct wheel_timer *timer),
			   void *app)
{
	for (; max && wheel->pending.next != &wheel->pending; max--) {
		struct wheel_timer *timer = (struct wheel_timer *)wheel->pending.next;

		list_remove(&timer->list);
		if (timer->tick > wheel->tick) {
			list_append(slot_of(wheel, timer->tick), &timer->list);
			continue;
		}
		wheel->n_armed--;
		on_due(app, timer);
	}
	return max;
}

bool wheel_advance(struct wheel *wheel, uint64_t now_ms, size_t max,
		   void (*on_due)(void *app, struct wheel_timer *timer), void *app)
{
	uint64_t now = now_ms / wheel->grain_ms;

	if (now > wheel->now)
		wheel->now = now;
	max = look_through(wheel, max, on_due, app);
	/* After a long pause one look at each slot is enough: a slot's last tick in that
	 * time is not before the tick of any timer in it that is due. */
	if (max && wheel->now - wheel->tick > wheel->n_slots)
		wheel->tick = wheel->now - wheel->n_slots;
	while (max && wheel->tick < wheel->now) {
		wheel->tick++;
		list_take(&wheel->pending, slot_of(wheel, wheel->tick));
		max = look_through(wheel, max, on_due, app);
	}
	return wheel->tick < wheel->now || wheel->pending.next != &wheel->pending;
}
