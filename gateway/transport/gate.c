#include "gateway/transport/gate.h"

/* Meanwhile as many came in as may. */
static void count(struct gate *gate, uint64_t now_ms)
{
	uint64_t in = (now_ms - gate->counted_ms) * gate->per_s / 1000;

	if (!in && gate->waiting)
		return; /* too soon to tell */
	gate->counted_ms = now_ms;
	gate->waiting -= in < gate->waiting ? in : gate->waiting;
}

unsigned gate_pass(struct gate *gate, uint64_t now_ms, uint64_t random)
{
	uint64_t spread_s;

	if (bucket_take(&gate->bucket, 1000 * now_ms, 1, gate->per_s, GATE_BURST_MS) == 0)
		return 0;
	count(gate, now_ms);
	gate->waiting++;
	spread_s = 1 + gate->waiting / gate->per_s;
	if (spread_s > GATE_RETRY_MAX_S)
		spread_s = GATE_RETRY_MAX_S;
	return (unsigned)(1 + random % spread_s);
}
