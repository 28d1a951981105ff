#include "gateway/worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "gateway/worker/wiring.h"

enum {
	ORPHAN_SPREAD_MS = 1000,  /* without a supervisor: drain shortly */
	ORPHAN_LEAVE_MS = 2000,   /* and then leave in any case */
	SPARE_DESCRIPTORS = 1024, /* beside clients: listeners, eventfds, libraries */
	STORE_WAIT_MS = 1000, /* clients wait so long for the store at the beginning */
};

/* ---- the loop ---- */

static bool on_turn(void *app)
{
	return wiring_turn(app);
}

static void on_look(void *app)
{
	struct worker *w = app;

	wiring_look(w);
	if (w->serving && !w->draining)
		acceptor_look(w->acceptor);
}

/* ---- serving ---- */

void worker_serve(struct worker *w)
{
	if (w->serving || w->draining)
		return;
	w->serving = true;
	acceptor_look(w->acceptor);
	word_set(&w->slot->ready, 1);
	segment_record(w->slot, EVENT_ready, process_ms(&w->process), 0, 0);
	inherited_ready();
}

/* Without it much can be done all the same, and the first thing is to say so. */
static void on_store_late(uv_timer_t *timer)
{
	worker_serve(timer->data);
}

/* ---- leaving ---- */

static void tell_drain(void *app, void *conn)
{
	uint64_t *spread_ms = app;

	chat_tell_drain(conn, (uint64_t)random() % (*spread_ms + 1));
}

static void on_leave(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	bool over = uv_now(&w->loop) >= w->leave_at_ms;

	if (transport_links(w->transport) && !over)
		return;
	process_phase(&w->process, PHASE_leaving);
	uv_stop(&w->loop);
}

static void drain(struct worker *w, uint64_t spread_ms, uint64_t leave_ms)
{
	uint64_t leave_at_ms = uv_now(&w->loop) + leave_ms;

	if (!w->draining) {
		w->draining = true;
		LOG(info, "worker drains links=%u", transport_links(w->transport));
		segment_record(w->slot, EVENT_drain, process_ms(&w->process),
			       transport_links(w->transport), spread_ms);
		acceptor_stop(w->acceptor);
		transport_each(w->transport, tell_drain, &spread_ms);
		transport_drain(w->transport, spread_ms);
		(void)uv_timer_start(&w->leave, on_leave, 0, 20);
		w->leave_at_ms = leave_at_ms;
	}
	if (leave_at_ms < w->leave_at_ms)
		w->leave_at_ms = leave_at_ms;
}

static void on_term(void *app)
{
	struct worker *w = app;

	drain(w, (uint64_t)w->settings->drain_spread_ms,
	      (uint64_t)w->settings->drain_deadline_ms);
}

static void on_orphan(void *app)
{
	struct worker *w = app;

	LOG(warning, "supervisor gone");
	drain(w, ORPHAN_SPREAD_MS, ORPHAN_LEAVE_MS);
}

/* ---- life ---- */

/* libwebsockets keeps a table as long as the limit: no longer than is needed. */
static void limit_descriptors(const struct settings *settings)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_cur > (rlim_t)settings->connections_max + SPARE_DESCRIPTORS)
		limit.rlim_cur = (rlim_t)settings->connections_max + SPARE_DESCRIPTORS;
	/* Without it only memory is wasted. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int start_loop(struct worker *w, struct why *why)
{
	struct process_events events = {
		.app = w,
		.turn = on_turn,
		.look = on_look,
		.term = on_term,
		.orphan = on_orphan,
	};
	struct process_bus bus = { w->bus, &w->sequenced, 1,
				   inherited_wake(w->inherited->slot) };
	int r = process_start(&w->process, &w->loop, w->slot, &bus, &events, why);

	if (r < 0)
		return r;
	CHECK(uv_timer_init(&w->loop, &w->leave) == 0);
	CHECK(uv_timer_init(&w->loop, &w->store_late) == 0);
	w->leave.data = w->store_late.data = w;
	CHECK(uv_timer_start(&w->store_late, on_store_late, STORE_WAIT_MS, 0) == 0);
	w->looping = true;
	return 0;
}

static int start(struct worker *w, struct why *why)
{
	int r = segment_attach(INHERIT_SEGMENT, w->inherited->slot,
			       w->inherited->generation, ROLE_WORKER, w->inherited->seat,
			       &w->segment, why);

	if (r < 0)
		return r;
	w->slot = segment_slot(w->segment, w->inherited->slot);
	limit_descriptors(w->settings);
	r = wiring_start(w, why);
	if (r == 0)
		r = start_loop(w, why);
	if (r < 0)
		return r;
	r = acceptor_new(&w->loop, w->inherited, w->segment, wiring_accepted, w,
			 &w->acceptor);
	return r < 0 ? why_set(why, r, "cannot watch the listening sockets") : 0;
}

static void stop(struct worker *w)
{
	acceptor_free(w->acceptor);
	wiring_stop(w);
	/* Only our own handles: libwebsockets closes its own in several turns. */
	process_stop(&w->process);
	if (w->looping) {
		uv_close((uv_handle_t *)&w->leave, NULL);
		uv_close((uv_handle_t *)&w->store_late, NULL);
	}
	uv_run(&w->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&w->loop) == 0);
	wiring_free(w);
	if (w->segment)
		segment_close(w->segment, false);
}

int worker_run(const struct inherited *inherited, const struct settings *settings)
{
	struct worker w = { .inherited = inherited, .settings = settings };
	struct why why;
	int r;

	CHECK(uv_loop_init(&w.loop) == 0);
	srandom((unsigned)inherited->generation);
	r = start(&w, &why);
	if (r < 0) {
		LOG(error, "worker cannot start why=\"%s\"", why.text);
	} else {
		uv_run(&w.loop, UV_RUN_DEFAULT);
		segment_record(w.slot, EVENT_leave, process_ms(&w.process),
			       transport_links(w.transport), 0);
	}
	stop(&w);
	return r < 0 ? 1 : 0;
}
