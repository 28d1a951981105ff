#include "gateway/supervisor/hang.h"

enum {
	LATE_MS = 200,     /* so late ourselves, we blame nobody */
	LOOP_PERCENT = 20, /* of one processor, to be called busy */
	LOOP_CPU_MS = 1000 /* so much no turn needs, however little of it we get */
};

static enum hang_kind by_cpu(const struct hang_signs *signs)
{
	bool busy = signs->watched_ms > 0 &&
		    (signs->cpu_ms >= LOOP_CPU_MS ||
		     signs->cpu_ms * 100 >= signs->watched_ms * LOOP_PERCENT);

	return busy ? HANG_loop : HANG_starved;
}

enum hang_kind hang_judge(const struct hang_signs *signs, uint64_t report_ms)
{
	if (signs->age_ms < report_ms)
		return HANG_none;
	switch (signs->proc_state) {
	case 'Z':
	case 'X': return HANG_none; /* dead; the kernel is about to tell */
	case 'T':
	case 't': return HANG_stopped;
	case 'S':
	case 'D':
	case 'I':
		/* Asleep at this instant, but busy on the whole: many short sleeps. */
		if (signs->late_ms >= LATE_MS)
			return HANG_starved;
		return by_cpu(signs) == HANG_loop ? HANG_loop : HANG_blocked;
	default: return signs->late_ms >= LATE_MS ? HANG_starved : by_cpu(signs);
	}
}

bool hang_is_proven(enum hang_kind kind)
{
	return kind == HANG_stopped || kind == HANG_loop || kind == HANG_blocked;
}
