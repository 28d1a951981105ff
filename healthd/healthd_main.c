/*
 * parley-healthd - watches the gateway's segment, judges, and answers over HTTP.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/settings.h"
#include "healthd/audit.h"
#include "healthd/canary.h"
#include "healthd/routes.h"
#include "healthd/server.h"
#include "healthd/watch.h"

enum {
	HEALTHD_MAGIC = 0x48444c54,
	LOOK_MS = 10,   /* between looks before the port is opened */
	BODY_MAX = 4096 /* nobody has reason to send one; beyond it 413 */
};

struct healthd {
	unsigned magic;
	uv_loop_t loop;
	uv_timer_t timer;
	uv_prepare_t poll;
	uv_signal_t term, interrupt;
	struct server *server;
	struct watch *watch;
	struct history *history;
	struct incidents *incidents;
	struct routes *routes;
	struct canary *canary;
	struct audit *audit;
	struct findings findings;
	struct judge_limits limits;
	int64_t started_ms;
	uint64_t n_looks;
	struct view view; /* of the last look */
	bool has_looked;  /* since the last poll of the kernel */
	bool told_ready;  /* to the service manager */
	enum verdict_status told_status;
	enum verdict_server told_server;
	enum store_status told_store;
	enum canary_state told_canary;
	enum audit_state told_audit;
};

static struct healthd *healthd_of(void *data)
{
	struct healthd *healthd = data;

	CHECK_OBJ(healthd, HEALTHD_MAGIC);
	return healthd;
}

/* ---- answering ----------------------------------------------------------------- */

/* Looks, and says what is to be seen; lent until the next look. */
static const struct view *look(struct healthd *healthd)
{
	struct view *view = &healthd->view;

	*view = (struct view){
		.limits = &healthd->limits,
		.counts = server_counts(healthd->server),
		.findings = &healthd->findings,
		.wall_ms = clock_wall_ms(),
		.started_ms = healthd->started_ms,
		.mono_ns = clock_mono_ns(),
		.look = ++healthd->n_looks,
		.history = healthd->history,
		.incidents = healthd->incidents,
	};
	watch_look(healthd->watch, view->mono_ns);
	view->snapshot = watch_snapshot(healthd->watch);
	view->verdict = watch_verdict(healthd->watch);
	healthd->has_looked = true;
	return view;
}

/* One look answers all requests that the same poll of the kernel brought, since all of
 * them were there before it. */
static void on_request(void *app, const struct http_request *request,
		       struct server_answer *ret_answer)
{
	struct healthd *healthd = healthd_of(app);
	const struct view *view = healthd->has_looked ? &healthd->view : look(healthd);

	routes_answer(healthd->routes, view, request, ret_answer);
}

static void before_poll(uv_prepare_t *poll)
{
	healthd_of(poll->data)->has_looked = false;
}

/* ---- watching ------------------------------------------------------------------ */

static void tell_change(struct healthd *healthd)
{
	const struct verdict *verdict = watch_verdict(healthd->watch);
	char reason[2 * VERDICT_REASON_SIZE];

	if (verdict->status == healthd->told_status &&
	    verdict->server == healthd->told_server)
		return;
	healthd->told_status = verdict->status;
	healthd->told_server = verdict->server;
	if (verdict->n_reasons > 0)
		LOG(notice, "gateway changed status=%s server=%s reason=%s",
		    verdict_status_name(verdict->status),
		    verdict_server_name(verdict->server),
		    log_quote(verdict->reasons[0], reason, sizeof reason));
	else
		LOG(notice, "gateway changed status=%s server=%s",
		    verdict_status_name(verdict->status),
		    verdict_server_name(verdict->server));
}

static void tell_store(struct healthd *healthd)
{
	const struct verdict_store *store = &watch_verdict(healthd->watch)->store;
	char reason[2 * VERDICT_REASON_SIZE];

	if (store->status == healthd->told_store)
		return;
	healthd->told_store = store->status;
	LOG(notice, "store changed status=%s reason=%s", store_status_name(store->status),
	    log_quote(store->reason, reason, sizeof reason));
}

static void tell_findings(struct healthd *healthd)
{
	const struct canary_found *canary = healthd->findings.canary;
	const struct audit_found *audit = healthd->findings.audit;
	char reason[2 * FINDING_REASON_SIZE];

	if (canary->state != healthd->told_canary)
		LOG(notice, "canary changed status=%s reason=%s",
		    canary_state_name(canary->state),
		    log_quote(canary->reason, reason, sizeof reason));
	if (audit->state != healthd->told_audit)
		LOG(notice, "audit changed status=%s reason=%s",
		    audit_state_name(audit->state),
		    log_quote(audit->reason, reason, sizeof reason));
	healthd->told_canary = canary->state;
	healthd->told_audit = audit->state;
}

/* Told again with the next look when the manager's queue is full. */
static void tell_ready(struct healthd *healthd)
{
	int rc;

	if (healthd->told_ready)
		return;
	rc = notify_send("READY=1");
	healthd->told_ready = rc != -EAGAIN;
	if (rc < 0 && rc != -EAGAIN)
		LOG(warning, "cannot notify the service manager why=\"%s\"",
		    strerror(-rc));
}

static void on_period(uv_timer_t *timer)
{
	struct healthd *healthd = healthd_of(timer->data);
	const struct view *view = look(healthd);
	bool is_other;

	canary_look(healthd->canary, view->snapshot, view->mono_ns);
	audit_look(healthd->audit, view->snapshot, view->mono_ns);
	history_look(healthd->history, view->snapshot, view->verdict, view->mono_ns);
	is_other = incidents_look(healthd->incidents, view->snapshot, view->verdict,
				  view->mono_ns, view->wall_ms);
	routes_stream(healthd->routes, view, healthd->server, is_other);
	tell_change(healthd);
	tell_store(healthd);
	tell_findings(healthd);
	tell_ready(healthd);
}

/* ---- life ---------------------------------------------------------------------- */

/* `data` says that it was opened. */
static void close_handle(uv_handle_t *handle)
{
	if (handle->data && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void stop(struct healthd *healthd)
{
	server_close(healthd->server);
	healthd->server = NULL;
	canary_close(healthd->canary);
	audit_close(healthd->audit);
	close_handle((uv_handle_t *)&healthd->timer);
	close_handle((uv_handle_t *)&healthd->poll);
	close_handle((uv_handle_t *)&healthd->term);
	close_handle((uv_handle_t *)&healthd->interrupt);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	LOG(info, "healthd stops signal=%d", signum);
	(void)notify_send("STOPPING=1"); /* a courtesy */
	stop(healthd_of(handle->data));
}

static int open_signal(struct healthd *healthd, uv_signal_t *handle, int signum)
{
	int rc = uv_signal_init(&healthd->loop, handle);

	if (rc < 0)
		return rc;
	handle->data = healthd;
	return uv_signal_start(handle, on_signal, signum);
}

static int open_handles(struct healthd *healthd)
{
	int rc = uv_timer_init(&healthd->loop, &healthd->timer);

	if (rc < 0)
		return rc;
	healthd->timer.data = healthd;
	if ((rc = uv_prepare_init(&healthd->loop, &healthd->poll)) < 0)
		return rc;
	healthd->poll.data = healthd;
	if ((rc = uv_prepare_start(&healthd->poll, before_poll)) < 0 ||
	    (rc = open_signal(healthd, &healthd->term, SIGTERM)) < 0 ||
	    (rc = open_signal(healthd, &healthd->interrupt, SIGINT)) < 0)
		return rc;
	return uv_timer_start(&healthd->timer, on_period, 0, WATCH_PERIOD_MS);
}

/* What watches from outside: as a client, and by what the kernel says. */
static int open_findings(struct healthd *healthd, const struct settings *settings,
			 struct why *why)
{
	const struct canary_limits limits = {
		.interval_ms = (uint64_t)settings->canary_interval_ms,
		.timeout_ms = (uint64_t)settings->canary_timeout_ms,
		.failures = (unsigned)settings->canary_failures,
		.connect = settings->canary_connect,
		.room = settings->canary_room,
		.token_file = settings->canary_token_file,
	};
	int rc = canary_new(&healthd->loop, &limits, &healthd->canary, why);

	if (rc < 0)
		return rc;
	healthd->audit = audit_new(&healthd->loop, (uint64_t)settings->audit_interval_ms,
				   healthd->limits.hang_report_ms);
	if (!healthd->audit)
		return why_set(why, -ENOMEM, "no memory for the audit");
	healthd->findings = (struct findings){ canary_found(healthd->canary),
					       audit_found(healthd->audit) };
	watch_findings(healthd->watch, &healthd->findings);
	return 0;
}

/* A healthd that has just been started knows nothing of who hangs. */
static void look_around(struct healthd *healthd)
{
	for (;;) {
		watch_look(healthd->watch, clock_mono_ns());
		if (watch_is_sure(healthd->watch))
			return;
		clock_nap_ms(LOOK_MS);
	}
}

static int serve(struct healthd *healthd, const struct settings *settings,
		 struct why *why)
{
	const struct server_limits limits = {
		.connections_max = (unsigned)settings->health_connections_max,
		.streams_max = (unsigned)settings->health_streams_max,
		.request_timeout_ms = (uint64_t)settings->health_request_timeout_ms,
		.idle_timeout_ms = (uint64_t)settings->health_idle_timeout_ms,
		.requests_max = (uint64_t)settings->health_requests_max,
		.head_max = (size_t)settings->http_head_max,
		.body_max = BODY_MAX,
	};
	int rc = open_findings(healthd, settings, why);

	if (rc < 0)
		return rc;
	look_around(healthd);
	rc = open_handles(healthd);
	if (rc < 0)
		return why_set(why, rc, "cannot start: %s", uv_strerror(rc));
	return server_open(&healthd->loop, settings->health_listen, &limits, on_request,
			   healthd, &healthd->server, why);
}

static int run(struct healthd *healthd, const struct settings *settings)
{
	struct why why = { "" };
	int rc = serve(healthd, settings, &why);

	if (rc < 0) {
		LOG(error, "healthd cannot start why=\"%s\"", why.text);
		stop(healthd);
	} else {
		LOG(info, "healthd listening address=%s port=%u", settings->health_listen,
		    server_port(healthd->server));
	}
	CHECK(uv_run(&healthd->loop, UV_RUN_DEFAULT) == 0);
	return rc;
}

static int open_watch(struct healthd *healthd, const struct settings *settings)
{
	healthd->limits = (struct judge_limits){
		.hang_report_ms = (uint64_t)settings->hang_report_ms,
		.hang_act_ms = (uint64_t)settings->hang_act_ms,
		.start_grace_ms = (uint64_t)settings->health_start_grace_ms,
		.store_slow_ms = (uint64_t)settings->store_slow_ms,
		.store_grace_ms = (uint64_t)settings->store_grace_ms,
		.ready_needs_store = strcmp(settings->ready_needs_store, "yes") == 0,
		.tls_warn_days = (uint64_t)settings->tls_warn_days,
	};
	healthd->routes = routes_new();
	healthd->history = history_new((uint64_t)settings->health_history_s * 1000);
	healthd->incidents = incidents_new();
	if (!healthd->routes || !healthd->history || !healthd->incidents)
		return -ENOMEM;
	return watch_new(settings->segment, &healthd->limits, &healthd->watch);
}

int main(int argc, char **argv)
{
	static struct healthd healthd = { .magic = HEALTHD_MAGIC,
					  .told_status = STATUS_COUNT,
					  .told_store = STORE_STATUS_COUNT,
					  .told_canary = CANARY_STATE_COUNT,
					  .told_audit = AUDIT_STATE_COUNT };
	static struct settings settings;
	enum log_level level;
	int rc;

	/* The audit's thread is the only one that is wanted. */
	(void)setenv("UV_THREADPOOL_SIZE", "1", 0);
	rc = settings_start(&settings, SETTINGS_HEALTHD, "parley-healthd [settings]",
			    argc, argv, environ, NULL, NULL);

	if (rc != 0)
		return rc < 0 ? SETTINGS_EXIT : 0;
	CHECK(log_level_parse(settings.log_level, &level) == 0); /* a CHOICE of these */
	log_open(level, "healthd");
	healthd.started_ms = clock_wall_ms();
	rc = open_watch(&healthd, &settings);
	if (rc == 0)
		rc = uv_loop_init(&healthd.loop);
	if (rc < 0) {
		LOG(error, "healthd cannot start why=\"%s\"", strerror(-rc));
	} else {
		rc = run(&healthd, &settings);
		CHECK(uv_loop_close(&healthd.loop) == 0);
	}
	canary_free(healthd.canary);
	audit_free(healthd.audit);
	watch_free(healthd.watch);
	history_free(healthd.history);
	incidents_free(healthd.incidents);
	routes_free(healthd.routes);
	return rc < 0;
}
