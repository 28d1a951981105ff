/*
 * backoff - when a seat whose process died is filled again: a pure decision.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 30000,
	BACKOFF_HEALTHY_MS = 5000, /* a life as long as this forgives what was before */
	CRASH_LOOP_DEATHS = 5,
	CRASH_LOOP_MS = 60000,
};

/* Zeroed is ready: no death yet. */
struct backoff {
	uint64_t deaths_ms[CRASH_LOOP_DEATHS]; /* when, a ring */
	uint64_t n_deaths;
	unsigned n_short; /* short lives in a row */
};

struct backoff_verdict {
	uint64_t delay_ms; /* 0: at once */
	bool crash_loop;   /* CRASH_LOOP_DEATHS deaths within CRASH_LOOP_MS */
};

/* A process died at now_ms after lived_ms. `random` spreads the delay by a fifth. */
struct backoff_verdict backoff_died(struct backoff *backoff, uint64_t now_ms,
				    uint64_t lived_ms, uint32_t random);

#endif
