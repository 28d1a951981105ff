#include "gateway/supervisor/backoff.h"

/* 0 for the first short life, then doubling. */
static uint64_t delay_ms(unsigned n_short)
{
	uint64_t delay = BACKOFF_FIRST_MS;

	if (n_short <= 1)
		return 0;
	for (unsigned i = 2; i < n_short && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	return delay < BACKOFF_MAX_MS ? delay : BACKOFF_MAX_MS;
}

struct backoff_verdict backoff_died(struct backoff *b, uint64_t now_ms, uint64_t lived_ms,
				    uint32_t random)
{
	/* The oldest of the last CRASH_LOOP_DEATHS, this one included. */
	uint64_t *place = &b->deaths_ms[b->n_deaths % CRASH_LOOP_DEATHS];
	struct backoff_verdict verdict;
	uint64_t oldest_ms;

	*place = now_ms;
	b->n_deaths++;
	oldest_ms = b->deaths_ms[b->n_deaths % CRASH_LOOP_DEATHS];
	b->n_short = lived_ms >= BACKOFF_HEALTHY_MS ? 0 : b->n_short + 1;
	verdict.crash_loop = b->n_deaths >= CRASH_LOOP_DEATHS &&
			     now_ms - oldest_ms < CRASH_LOOP_MS;
	verdict.delay_ms = verdict.crash_loop ? BACKOFF_MAX_MS : delay_ms(b->n_short);
	verdict.delay_ms -= verdict.delay_ms / 5 * (random % 1001) / 1000;
	return verdict;
}
