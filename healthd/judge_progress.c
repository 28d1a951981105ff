#include "healthd/judge_progress.h"

#include <inttypes.h>

#include "healthd/judge_seats.h"

#define PACE_MAX_MS (7 * 86400000ull) /* longer than any setting allows */

static uint64_t left(uint64_t until_ms, uint64_t now_ms)
{
	return until_ms > now_ms ? until_ms - now_ms : 0;
}

/* ---- a drain -------------------------------------------------------------------- */

static bool makes_sense(const struct snapshot *s)
{
	return s->drain.until_ms > 0 && s->drain.from_ms <= s->drain.close_ms &&
	       s->drain.close_ms <= s->drain.until_ms &&
	       s->drain.until_ms - s->drain.from_ms <= PACE_MAX_MS &&
	       s->drain.spread_ms <= PACE_MAX_MS && s->drain.links <= INT64_MAX;
}

static void judge_drain(const struct snapshot *s, struct verdict *v)
{
	struct verdict_drain *drain = &v->drain;
	uint64_t end_ms = s->drain.close_ms;

	drain->under_way = s->state == GATEWAY_draining;
	if (!drain->under_way || !makes_sense(s))
		return;
	drain->left_known = v->active_known && v->closing <= INT64_MAX - v->active;
	drain->left = drain->left_known ? v->active + v->closing : 0;
	/* More may have come between the count and the refusal. */
	drain->began = s->drain.links > drain->left ? s->drain.links : drain->left;
	drain->paced = true;
	/* Links go evenly over the spread, and the last may take until the deadline. */
	if (drain->left > 0 || !drain->left_known)
		end_ms += s->drain.spread_ms;
	if (end_ms > s->drain.until_ms || (drain->left > 0 && end_ms <= s->uptime_ms))
		end_ms = s->drain.until_ms;
	drain->left_ms = left(end_ms, s->uptime_ms);
	drain->most_ms = left(s->drain.until_ms, s->uptime_ms);
}

/* ---- a roll --------------------------------------------------------------------- */

/* As long for each as for those before, or as the gateway gives each to leave. */
static uint64_t roll_left(const struct snapshot *s)
{
	double gone_ms = (double)left(s->uptime_ms, s->roll.from_ms);
	double each_ms = s->roll.done ? gone_ms / (double)s->roll.done
				      : (double)s->roll.spread_ms;
	double left_ms = each_ms * (double)(s->roll.total - s->roll.done);

	return left_ms < (double)PACE_MAX_MS ? (uint64_t)left_ms : PACE_MAX_MS;
}

static void judge_roll(const struct snapshot *s, struct verdict *v)
{
	struct verdict_roll *roll = &v->roll;

	roll->under_way = s->state == GATEWAY_running && s->roll.total > 0 &&
			  s->roll.total <= s->n_workers && s->roll.done <= s->roll.total;
	if (!roll->under_way)
		return;
	roll->workers = (unsigned)s->roll.total;
	roll->rolled = (unsigned)s->roll.done;
	roll->left_ms = roll_left(s);
}

void judge_progress(const struct snapshot *snapshot, struct verdict *verdict)
{
	judge_drain(snapshot, verdict);
	judge_roll(snapshot, verdict);
}

void progress_reason(struct verdict *v)
{
	const struct verdict_drain *drain = &v->drain;
	double about_s = (double)drain->left_ms / 1e3;

	if (!drain->paced)
		verdict_reason(v, "the gateway drains");
	else if (!drain->left_known)
		verdict_reason(v, "the gateway drains, about %.0f s", about_s);
	else
		verdict_reason(v,
			       "the gateway drains: %" PRIu64 " of %" PRIu64
			       " connections left, about %.0f s",
			       drain->left, drain->began, about_s);
}
