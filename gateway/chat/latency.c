#include "gateway/chat/latency.h"

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
