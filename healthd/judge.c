#include "healthd/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "healthd/judge_progress.h"
#include "healthd/judge_seats.h"
#include "healthd/judge_store.h"

enum {
	DAY_S = 86400,
	HANG_ACT_MAX_MS =
		600000 /* upper bound of the setting; the segment may say more */
};

/* Everything that the parts below look at. */
struct looked {
	const struct snapshot *snapshot;
	const struct judge_history *history;
	const struct judge_limits *limits;
	struct seats_found seats;
	bool is_readable;
	bool is_alive; /* the kernel vouches for a supervisor */
	bool is_dead;  /* it says that there is none, or a known one has left no trace */
	bool is_hung;  /* its beat stands still */
	uint64_t act_ms;
};

const char *verdict_status_name(enum verdict_status status)
{
	static const char *const names[] = {
#define X(s) [STATUS_##s] = #s,
		VERDICT_STATUSES(X)
#undef X
	};

	return status < STATUS_COUNT ? names[status] : "unknown";
}

const char *verdict_server_name(enum verdict_server server)
{
	static const char *const names[] = {
#define X(s) [SERVER_##s] = #s,
		VERDICT_SERVERS(X)
#undef X
	};

	return server < SERVER_COUNT ? names[server] : "unknown";
}

enum verdict_status verdict_worst(const struct verdict *verdict)
{
	static const enum verdict_status of_store[STORE_STATUS_COUNT] = {
		[STORE_STATUS_ok] = STATUS_ok,
		[STORE_STATUS_unknown] = STATUS_ok,
		[STORE_STATUS_degraded] = STATUS_degraded,
		[STORE_STATUS_error] = STATUS_error,
	};
	enum verdict_status store = of_store[verdict->store.status];

	return store > verdict->status ? store : verdict->status;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static struct looked look_at(const struct snapshot *snapshot,
			     const struct judge_history *history,
			     const struct judge_limits *limits)
{
	struct looked l = { .snapshot = snapshot, .history = history, .limits = limits };

	l.is_readable = snapshot->look == LOOK_ok;
	l.is_alive = snapshot->supervisor_known && snapshot->supervisor_alive;
	/* The reader holds on to the segment of a living supervisor, so that a name that
	 * leads nowhere means that the one seen before is gone. */
	l.is_dead = snapshot->supervisor_known
			    ? !snapshot->supervisor_alive
			    : snapshot->look == LOOK_missing && history->seen;
	l.is_hung = l.is_readable && l.is_alive &&
		    snapshot->beat_age_ns >= limits->hang_report_ms * MS_NS;
	/* The two may be configured apart; what counts is when the supervisor acts. */
	l.act_ms = limits->hang_act_ms;
	if (l.is_readable && snapshot->hang_act_ms > l.act_ms &&
	    snapshot->hang_act_ms <= HANG_ACT_MAX_MS)
		l.act_ms = snapshot->hang_act_ms;
	if (l.is_readable)
		seats_find(snapshot, limits, &l.seats);
	return l;
}

/* ---- numbers ------------------------------------------------------------------- */

static void count(const struct looked *l, struct verdict *v)
{
	const struct snapshot *s = l->snapshot;

	if (!l->is_readable) {
		/* Of workers that may have outlived their supervisor nothing is known
		 * when there is something that cannot be read, unless the kernel says
		 * that there are none. */
		v->active_known = l->is_dead && (s->look == LOOK_missing || s->deserted);
		v->uptime_known = l->is_dead;
		return;
	}
	v->workers_wanted = l->seats.n_wanted;
	v->workers_serving = l->seats.n_serving;
	v->workers_hung = l->seats.n_hung;
	v->restarts = l->seats.restarts;
	v->active = judge_gauge(s, -1, COUNTER_links_active);
	v->active_known = s->supervisor_known && s->has[COUNTER_links_active] &&
			  v->active <= INT64_MAX &&
			  (l->seats.n_turning > 0 || l->seats.n_hung == 0);
	v->closing = judge_gauge(s, -1, COUNTER_links_closing);
	v->handshaking = judge_gauge(s, -1, COUNTER_links_handshaking);
	v->total = snapshot_sum(s, COUNTER_links_opened);
	v->total_known = s->has[COUNTER_links_opened] && v->total <= INT64_MAX;
	v->uptime_known = s->supervisor_known;
	if (!l->is_dead)
		v->uptime_ms = s->uptime_ms + (l->is_hung ? s->beat_age_ns / MS_NS : 0);
}

static bool is_full(const struct looked *l, const struct verdict *v)
{
	return l->snapshot->connections_max > 0 && v->active_known &&
	       v->active >= l->snapshot->connections_max;
}

/* ---- /health/websocket --------------------------------------------------------- */

static enum verdict_server server_of(const struct looked *l)
{
	if (!l->is_alive)
		return SERVER_stopped;
	if (!l->is_readable)
		return SERVER_running;
	if (l->is_hung || (l->seats.n_turning == 0 && l->seats.n_hung > 0))
		return SERVER_hung;
	switch (l->snapshot->state) {
	case GATEWAY_starting: return SERVER_starting;
	case GATEWAY_draining: return SERVER_draining;
	case GATEWAY_stopped: return SERVER_stopped;
	default: return SERVER_running;
	}
}

static const char *reason_of_look(const struct looked *l)
{
	return l->snapshot->reason[0] ? l->snapshot->reason
				      : "the kernel does not say who lives";
}

static void reasons_of_absence(const struct looked *l, struct verdict *v)
{
	if (l->is_dead && l->seats.n_alive > 0)
		verdict_reason(v, "the gateway's supervisor is gone, workers leave: %u",
			       l->seats.n_alive);
	else if (l->is_dead)
		verdict_reason(v, "the gateway is gone");
	else
		verdict_reason(v, "%s", reason_of_look(l));
}

/* A sequencer that does not speak has a reason of its own. */
static void reason_of_store(struct verdict *v)
{
	if (v->store.told && (v->store.status == STORE_STATUS_degraded ||
			      v->store.status == STORE_STATUS_error))
		verdict_reason(v, "%s", v->store.reason);
}

static void reasons_of_findings(const struct findings *found, struct verdict *v)
{
	if (found && found->canary->state == CANARY_degraded)
		verdict_reason(v, "the canary %s", found->canary->reason);
	if (found && found->audit->state == AUDIT_degraded)
		verdict_reason(v, "%s", found->audit->reason);
}

/* Who renews certificates has failed to, while there is time to look after it. */
static void reason_of_certificate(const struct looked *l, struct verdict *v)
{
	uint64_t ends_s = judge_gauge(l->snapshot, -1, COUNTER_tls_ends_s);
	double left_days;

	if (!l->snapshot->has[COUNTER_tls_ends_s] || !ends_s || ends_s > INT64_MAX)
		return;
	left_days = ((double)ends_s - (double)l->history->wall_ms / 1e3) / DAY_S;
	if (left_days <= 0)
		verdict_reason(v, "the TLS certificate has expired, %.1f days ago",
			       -left_days);
	else if (left_days < (double)l->limits->tls_warn_days)
		verdict_reason(v, "the TLS certificate expires in %.1f days", left_days);
}

static void reasons_of_life(const struct looked *l, struct verdict *v)
{
	const struct snapshot *s = l->snapshot;

	if (l->is_hung)
		verdict_reason(v, "supervisor hung %.1f s", seconds(s->beat_age_ns));
	if (s->state == GATEWAY_stopped)
		verdict_reason(v, "the gateway is leaving");
	if (s->state == GATEWAY_draining)
		progress_reason(v);
	if (s->state == GATEWAY_starting)
		verdict_reason(v, "the gateway starts, workers ready: %u of %u",
			       l->seats.n_serving, l->seats.n_wanted);
	if (l->seats.n_turning == 0 && s->state == GATEWAY_running)
		verdict_reason(v, "no worker serves");
	if (is_full(l, v))
		verdict_reason(v, "full: %" PRIu64 " of %" PRIu64 " connections",
			       v->active, s->connections_max);
	if (s->reason[0])
		verdict_reason(v, "%s", s->reason);
	reason_of_store(v);
	reason_of_certificate(l, v);
	seats_reasons(s, l->limits, v);
	reasons_of_findings(l->history->findings, v);
}

static void judge_websocket(const struct looked *l, struct verdict *v)
{
	bool served = l->is_alive && l->is_readable && l->seats.n_turning > 0 &&
		      l->snapshot->state != GATEWAY_stopped;

	v->server = server_of(l);
	if (!l->is_alive || !l->is_readable)
		reasons_of_absence(l, v);
	else
		reasons_of_life(l, v);
	v->status = !served ? STATUS_error : v->n_reasons ? STATUS_degraded : STATUS_ok;
	v->websocket_ok = served;
}

/* ---- the three probes ---------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static bool refuse(
	char ret_reason[VERDICT_REASON_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_reason, VERDICT_REASON_SIZE, format, args);
	va_end(args);
	return false;
}

static bool judge_absent(const struct looked *l, struct verdict *v)
{
	const struct judge_history *h = l->history;

	if (l->is_dead)
		return refuse(v->live_reason, "the gateway is gone");
	if (h->seen)
		return refuse(v->live_reason, "whether the gateway lives is unknown: %s",
			      reason_of_look(l));
	if (h->absent_ns > l->limits->start_grace_ms * MS_NS)
		return refuse(v->live_reason, "%s (for %.1f s)", reason_of_look(l),
			      seconds(h->absent_ns));
	return true;
}

static bool judge_live(const struct looked *l, struct verdict *v)
{
	const struct snapshot *s = l->snapshot;
	uint64_t wedged_ns = (JUDGE_ABORT_PAUSE_MS + l->act_ms) * MS_NS;

	if (!l->is_alive)
		return judge_absent(l, v);
	if (!l->is_readable)
		return true;
	if (s->beat_age_ns >= l->act_ms * MS_NS)
		return refuse(v->live_reason, "supervisor hung %.1f s",
			      seconds(s->beat_age_ns));
	if (l->seats.n_wanted > 0 && l->seats.n_crash_loop == l->seats.n_wanted)
		return refuse(v->live_reason, "crash loop: no worker stays alive");
	if (l->seats.sequencer_crash_loop)
		return refuse(v->live_reason,
			      "crash loop: the sequencer does not stay alive");
	if (l->seats.n_alive > 0 && l->seats.least_age_ns >= wedged_ns)
		return refuse(v->live_reason, "all workers hung for %.1f s or longer",
			      seconds(l->seats.least_age_ns));
	return true;
}

/* A store that goes away is passed over for the grace; a gateway that was not ready has
 * to reach it first. */
static bool lacks_store(const struct looked *l, const struct verdict *v)
{
	return l->limits->ready_needs_store && !v->store.up &&
	       !(l->history->was_ready && v->store.reachable);
}

static bool judge_ready_now(const struct looked *l, struct verdict *v)
{
	const struct snapshot *s = l->snapshot;

	if (!l->is_alive || !l->is_readable)
		return refuse(v->ready_reason, "%s", v->reasons[0]);
	if (!v->live)
		return refuse(v->ready_reason, "%s", v->live_reason);
	if (s->state != GATEWAY_running)
		return refuse(v->ready_reason, "the gateway is %s",
			      gateway_state_name(s->state));
	if (l->seats.n_serving == 0)
		return refuse(v->ready_reason, "no worker serves");
	if (l->seats.n_accepting == 0)
		return refuse(v->ready_reason, "no worker accepts new clients");
	if (is_full(l, v))
		return refuse(v->ready_reason, "full: %" PRIu64 " of %" PRIu64, v->active,
			      s->connections_max);
	if (lacks_store(l, v))
		return refuse(v->ready_reason, "%s", v->store.reason);
	return true;
}

/* What cannot come back in a moment needs no second look. */
static bool falls_at_once(const struct looked *l, const struct verdict *v)
{
	return l->is_dead || !v->live ||
	       (l->is_readable && l->snapshot->state != GATEWAY_running);
}

static bool judge_ready(const struct looked *l, struct verdict *v)
{
	const struct judge_history *h = l->history;
	unsigned good = h->counts && v->ready_now ? h->good_looks + 1 : h->good_looks;
	unsigned bad = h->counts && !v->ready_now ? h->bad_looks + 1 : h->bad_looks;

	if (falls_at_once(l, v))
		return false;
	if (h->was_ready)
		return bad < JUDGE_BAD_LOOKS;
	if (v->ready_now && good >= JUDGE_GOOD_LOOKS)
		return true;
	if (v->ready_now)
		return refuse(v->ready_reason, "ready for a moment only");
	return false;
}

static bool judge_startup(const struct looked *l, struct verdict *v)
{
	if (!l->is_alive || !l->is_readable)
		return refuse(v->startup_reason, "%s", v->reasons[0]);
	if (!l->snapshot->ever_ready)
		return refuse(v->startup_reason, "no worker has been ready yet");
	return true;
}

void judge(const struct snapshot *snapshot, const struct judge_history *history,
	   const struct judge_limits *limits, struct verdict *ret_verdict)
{
	struct looked l = look_at(snapshot, history, limits);
	struct verdict *v = ret_verdict;

	memset(v, 0, sizeof *v);
	count(&l, v);
	judge_store(snapshot, history, limits,
		    l.is_alive  ? NULL
		    : l.is_dead ? "the gateway is gone"
				: reason_of_look(&l),
		    &v->store);
	if (l.is_alive && l.is_readable)
		judge_progress(snapshot, v);
	judge_websocket(&l, v);
	v->live = judge_live(&l, v);
	v->startup = judge_startup(&l, v);
	v->ready_now = judge_ready_now(&l, v);
	v->ready = judge_ready(&l, v);
}
