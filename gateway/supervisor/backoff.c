#include "gateway/supervisor/backoff.h"

static uint64_t less_jitter(uint64_t delay_ms, uint32_t random)
{
	return delay_ms - random % (delay_ms / 4 + 1);
}

/* Notes this death; whether the fourth one before it was less than a minute ago. */
static bool is_loop(struct backoff *b, uint64_t now_ms)
{
	uint64_t *oldest = &b->deaths_ms[b->n_deaths % (BACKOFF_LOOP_DEATHS - 1)];
	bool loop = b->n_deaths >= BACKOFF_LOOP_DEATHS - 1 &&
		    now_ms - *oldest < BACKOFF_LOOP_MS;

	*oldest = now_ms;
	b->n_deaths++;
	return loop;
}

bool backoff_died(struct backoff *b, uint64_t now_ms, uint64_t lived_ms, uint32_t random,
		  uint64_t *ret_delay_ms)
{
	bool loop = is_loop(b, now_ms);
	uint64_t delay_ms = 0;

	if (lived_ms >= BACKOFF_HEALTHY_MS)
		b->n_short = 0;
	if (b->n_short > 0) {
		delay_ms = BACKOFF_MIN_MS;
		for (unsigned i = 1; i < b->n_short && delay_ms < BACKOFF_MAX_MS; i++)
			delay_ms *= 2;
	}
	if (loop || delay_ms > BACKOFF_MAX_MS)
		delay_ms = BACKOFF_MAX_MS;
	b->n_short++;
	*ret_delay_ms = less_jitter(delay_ms, random);
	return loop;
}
