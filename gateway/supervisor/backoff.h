/*
 * backoff - when to start again what has died.
 *
 * At once after a healthy life and after the first short one; then after 100 ms,
 * doubling to 30 s, less a random part of up to a quarter, so that many do not start
 * in step. Five deaths in a minute are a crash loop: from then on every 30 s.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BACKOFF_HEALTHY_MS = 5000,
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 30000,
	BACKOFF_LOOP_DEATHS = 5,
	BACKOFF_LOOP_MS = 60000,
};

/* All zero to begin with. */
struct backoff {
	unsigned n_short;                            /* short lives in a row */
	unsigned n_deaths;                           /* ever */
	uint64_t deaths_ms[BACKOFF_LOOP_DEATHS - 1]; /* the last ones, a ring */
};

/* A death, after `lived_ms` of serving. True if it makes a crash loop. */
bool backoff_died(struct backoff *backoff, uint64_t now_ms, uint64_t lived_ms,
		  uint32_t random, uint64_t *ret_delay_ms);

#endif
