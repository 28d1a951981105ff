#include "healthd/metrics.h"

#include "healthd/exposition.h"
#include "healthd/metrics_counters.h"
#include "healthd/metrics_findings.h"
#include "healthd/metrics_progress.h"
#include "healthd/metrics_seats.h"
#include "healthd/metrics_self.h"

/* ---- the verdict --------------------------------------------------------------- */

static void write_verdict(struct exposition *e, const struct view *view)
{
	const struct verdict *v = view->verdict;
	const struct snapshot *s = view->snapshot;

	exposition_gauge(e, "parley_up", "", "1 while a gateway lives and can be read",
			 s->look == LOOK_ok && s->supervisor_known &&
				 s->supervisor_alive);
	exposition_gauge(e, "parley_live", "", "1 while /health/live says 200", v->live);
	exposition_gauge(e, "parley_ready", "", "1 while /health/ready says 200",
			 v->ready);
	exposition_family(e, "parley_status", EXPOSITION_GAUGE, "",
			  "1 for the status of /health/websocket");
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		exposition_one_of(e, "", "status", verdict_status_name(i),
				  i == v->status);
	exposition_family(e, "parley_gateway_state", EXPOSITION_GAUGE, "",
			  "1 for the server state of /health/websocket");
	for (unsigned i = 0; i < SERVER_COUNT; i++)
		exposition_one_of(e, "", "state", verdict_server_name(i), i == v->server);
	exposition_family(e, "parley_segment_look", EXPOSITION_GAUGE, "",
			  "1 for what became of the look at the segment");
	for (unsigned i = 0; i < LOOK_COUNT; i++)
		exposition_one_of(e, "", "look", look_name(i), i == s->look);
	if (v->uptime_known) {
		exposition_family(e, "parley_uptime_seconds", EXPOSITION_GAUGE, "seconds",
				  "How long the gateway runs");
		exposition_seconds(e, "", (double)v->uptime_ms / 1e3);
	}
}

/* ---- the store ----------------------------------------------------------------- */

static void write_store(struct exposition *e, const struct verdict_store *store)
{
	exposition_gauge(e, "parley_store_up", "",
			 "1 while the sequencer reaches the store", store->up);
	exposition_family(e, "parley_store_status", EXPOSITION_GAUGE, "",
			  "1 for the status of /health/database");
	for (unsigned i = 0; i < STORE_STATUS_COUNT; i++)
		exposition_one_of(e, "", "status", store_status_name(i),
				  i == store->status);
	if (store->driver) {
		exposition_family(e, "parley_store_info", EXPOSITION_GAUGE, "",
				  "1, with the kind of store");
		exposition_one_of(e, "", "driver", store->driver, true);
	}
	if (store->latency_known) {
		exposition_family(e, "parley_store_latency_seconds", EXPOSITION_GAUGE,
				  "seconds",
				  "Time of the last piece of work of the store, or of "
				  "a longer one under way");
		exposition_seconds(e, "", (double)store->latency_us / 1e6);
	}
	if (store->last_ok_known) {
		exposition_family(e, "parley_store_last_ok_timestamp_seconds",
				  EXPOSITION_GAUGE, "seconds",
				  "When the store last did as asked, since 1970");
		exposition_seconds(e, "", (double)store->last_ok_ms / 1e3);
	}
	if (store->queue_known)
		exposition_gauge(e, "parley_store_queue_messages", "messages",
				 "Messages waiting in the sequencer to be committed",
				 store->queue);
}

/* ---- supervisor and seats ------------------------------------------------------ */

static void write_supervisor(struct exposition *e, const struct view *view)
{
	const struct verdict *v = view->verdict;
	const struct snapshot *s = view->snapshot;

	exposition_gauge(e, "parley_connections_max", "",
			 "Connections that the gateway takes", s->connections_max);
	exposition_gauge(e, "parley_workers_wanted", "", "Workers that there should be",
			 v->workers_wanted);
	exposition_gauge(e, "parley_workers_serving", "", "Workers that are up and turn",
			 v->workers_serving);
	exposition_gauge(e, "parley_workers_hung", "", "Workers whose beat stands still",
			 v->workers_hung);
	exposition_counter(e, "parley_reloads_total", "", "Reloads of the settings",
			   s->reloads);
	exposition_counter(e, "parley_upgrades_total", "",
			   "Times that the gateway became another program", s->upgrades);
	exposition_family(e, "parley_gateway_info", EXPOSITION_GAUGE, "",
			  "1, with the version of the gateway's supervisor");
	exposition_one_of(e, "", "version", s->build, true);
	exposition_counter(e, "parley_supervisor_late_ticks_total", "",
			   "Times that the supervisor did not run when it should",
			   s->late_ticks);
	exposition_counter(e, "parley_worker_aborts_total", "",
			   "Hung processes that the supervisor aborted", s->aborts);
	exposition_family(e, "parley_supervisor_heartbeat_age_seconds", EXPOSITION_GAUGE,
			  "seconds", "Time since the supervisor's last beat");
	exposition_seconds(e, "", (double)s->beat_age_ns / 1e9);
}

int metrics_write(const struct view *view, enum metrics_format format, char *out,
		  size_t size)
{
	struct exposition e;

	exposition_init(&e, out, size, format == METRICS_OPENMETRICS);
	write_verdict(&e, view);
	write_store(&e, &view->verdict->store);
	if (view->snapshot->look == LOOK_ok) {
		write_supervisor(&e, view);
		metrics_progress(&e, view->verdict);
		metrics_seats(&e, view->snapshot);
		metrics_counters(&e, view->snapshot);
	}
	metrics_findings(&e, view->findings);
	metrics_self(&e, view);
	return exposition_end(&e);
}
