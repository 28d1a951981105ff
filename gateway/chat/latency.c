#include "gateway/chat/latency.h"

#include <stdlib.h>
#include <utlist.h>

#include "gateway/chat/inside.h"

void latency_note(struct chat *chat, enum histogram id, uint64_t since_us)
{
	struct latency *latency = &chat->latency;

	if (!since_us)
		return;
	if (latency->n == LATENCY_MAX)
		latency_turn(chat);
	latency->noted[latency->n].id = id;
	latency->noted[latency->n++].since_us = since_us;
}

void latency_turn(struct chat *chat)
{
	struct latency *latency = &chat->latency;
	uint64_t now_us = latency->n ? chat->io.now_us(chat->io.app) : 0;

	for (unsigned i = 0; i < latency->n; i++) {
		uint64_t since_us = latency->noted[i].since_us;

		/* Nonsense in shared memory harms nobody. */
		histogram_observe(chat->slot, latency->noted[i].id,
				  now_us > since_us ? now_us - since_us : 0);
	}
	latency->n = 0;
}

/* ---- messages to rooms ---------------------------------------------------------- */

void delivery_begin(struct chat *chat, struct room *room, uint64_t since_us)
{
	struct delivery *delivery = NULL;

	if (!since_us || !room->n_untold)
		return;
	if (chat->rooms.n_deliveries < DELIVERIES_MAX)
		delivery = malloc(sizeof *delivery);
	if (!delivery) {
		latency_note(chat, HISTOGRAM_send_to_deliver, since_us);
		return;
	}
	delivery->since_us = since_us;
	delivery->due = room->n_told + room->n_untold;
	DL_APPEND(room->deliveries, delivery);
	chat->rooms.n_deliveries++;
}

static void end(struct rooms *rooms, struct room *room, struct delivery *delivery)
{
	DL_DELETE(room->deliveries, delivery);
	free(delivery);
	rooms->n_deliveries--;
}

void deliveries_told(struct chat *chat, struct room *room)
{
	struct delivery *delivery, *next;

	DL_FOREACH_SAFE(room->deliveries, delivery, next)
	{
		if (room->n_untold && delivery->due > room->n_told)
			return;
		latency_note(chat, HISTOGRAM_send_to_deliver, delivery->since_us);
		end(&chat->rooms, room, delivery);
	}
}

void deliveries_forget(struct rooms *rooms, struct room *room)
{
	while (room->deliveries)
		end(rooms, room, room->deliveries);
}
