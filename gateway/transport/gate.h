/*
 * gate - lets handshakes in at a pace, and tells the others when to come again.
 *
 * Who is sent away comes again with all others who were: hence they are spread over the
 * time that it takes to let them all in.
 */
#ifndef GATE_H
#define GATE_H

#include <stdint.h>

#include "gateway/bucket.h"

enum {
	GATE_BURST_MS = 1000, /* so much of the rate at once */
	GATE_RETRY_MAX_S = 30,
};

/* Zeroed but for the rate is ready. */
struct gate {
	uint64_t per_s; /* 0: no limit */
	struct bucket bucket;
	uint64_t waiting; /* about how many were sent away and are not in since */
	uint64_t counted_ms;
};

/* 0: may come in. Else after how many seconds to come again; `random` is any number. */
unsigned gate_pass(struct gate *gate, uint64_t now_ms, uint64_t random);

#endif
