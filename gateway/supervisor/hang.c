#include "gateway/supervisor/hang.h"

enum {
	LOOP_PERCENT =
		20, /* of a processor, while silent: it runs and does not come back */
	QUIET_PERCENT = 2, /* it is not run at all, or does not want to be */
};

enum hang_kind hang_judge(const struct hang_signs *signs, uint64_t report_ms)
{
	uint64_t percent;

	if (signs->silent_ms < report_ms)
		return HANG_none;
	if (signs->state == 'T' || signs->state == 't')
		return HANG_stopped;
	if (signs->watched_ms == 0)
		return HANG_starved; /* no second sign yet */
	percent = signs->cpu_ms * 100 / signs->watched_ms;
	if (percent >= LOOP_PERCENT)
		return HANG_loop;
	/* A loop that sleeps would beat: its timer is due every SEGMENT_BEAT_MS. */
	if ((signs->state == 'S' || signs->state == 'D') && percent <= QUIET_PERCENT)
		return HANG_blocked;
	return HANG_starved;
}
