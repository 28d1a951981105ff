/*
 * rng - pseudo-random numbers from a seed: the same seed makes the same decisions.
 *
 * SplitMix64. Each client has streams of its own, so that what one of them draws does
 * not depend on what happened to another.
 */
#ifndef RNG_H
#define RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* The stream `number` of this seed. */
static inline struct rng rng_stream(uint64_t seed, uint64_t number)
{
	struct rng rng = { seed ^ number * 0xd1342543de82ef95 };

	rng.state = rng_next(&rng);
	return rng;
}

/* 0 … n - 1; 0 for n = 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	uint64_t drawn = rng_next(rng);

	return n ? drawn % n : 0;
}

#endif
