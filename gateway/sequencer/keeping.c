#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/sequencer/inside.h"

#define DAY_MS (24ull * 3600 * 1000)

enum {
	QUEUE_RINGS = 4,   /* what waits may be as long as so many rings */
	CANARY_KEPT = 100, /* messages of the canary's room; settings.def tells it */
};

/* What counter store_driver says. */
enum store_driver {
	DRIVER_sqlite = 1,
	DRIVER_postgresql
};

/* ---- what is answered ---- */

/* Which body the first one had, only the store can say. */
static void on_committed(void *app, const struct send_owner *owner,
			 const struct store_send *send)
{
	struct record_message said = {
		.slot = owner->slot,
		.generation = owner->generation,
		.ticket = owner->ticket,
		.repeat = send->repeat,
		.message = send->message,
	};

	if (send->repeat)
		said.message.body.len = 0;
	sequencer_wrote(app, record_write_message(((struct sequencer *)app)->bus, &said));
}

static void on_refused(void *app, const struct send_owner *owner, enum refusal reason)
{
	struct record_refused said = { owner->slot, owner->generation, owner->ticket,
				       reason };

	sequencer_wrote(app, record_write_refused(((struct sequencer *)app)->bus, &said));
}

static void on_look(void *app)
{
	sequencer_wrote(app, record_write_look(((struct sequencer *)app)->bus));
}

/* ---- the store ---- */

static int commit(void *app, struct store_send *sends, unsigned n,
		  store_commit_done *done, void *done_app)
{
	return store_commit(((struct sequencer *)app)->store, sends, n, done, done_app);
}

static int probe(void *app, store_probe_done *done, void *done_app)
{
	return store_probe(((struct sequencer *)app)->store, done, done_app);
}

static uint64_t now_us(void *app)
{
	(void)app;
	return clock_mono_ns() / 1000;
}

static void on_failed(void *app, int status, unsigned n)
{
	struct sequencer *s = app;

	if (s->stopping)
		return; /* we ended it ourselves */
	segment_record(s->slot, EVENT_store_error, process_ms(&s->process),
		       (uint64_t)-status, n);
	LOG(error, "store failed at=%s messages=%u why=\"%s\"", n ? "commit" : "probe", n,
	    strerror(-status));
}

static void on_changed(void *app, bool up, const char *why)
{
	struct sequencer *s = app;
	char quoted[256];

	if (up) {
		LOG(notice, "store up driver=%s", store_driver(s->store));
	} else {
		segment_record(s->slot, EVENT_store_error, process_ms(&s->process),
			       ENOTCONN, 0);
		LOG(error, "store away driver=%s why=%s", store_driver(s->store),
		    log_quote(why, quoted, sizeof quoted));
	}
	committer_changed(&s->committer, up);
}

static void start_committer(struct sequencer *s)
{
	const struct settings *settings = s->settings;
	struct commit_io io = {
		.app = s,
		.commit = commit,
		.probe = probe,
		.now_us = now_us,
		.committed = on_committed,
		.refused = on_refused,
		.look = on_look,
		.failed = on_failed,
	};
	/* Whatever passes the bus fits into a batch, and a batch laps no reader. */
	struct commit_limits limits = {
		.hold_ms = (uint64_t)settings->store_hold_ms,
		.queue_max = (unsigned)settings->store_queue_max,
		.batch_bytes = (size_t)settings->bus_ring_bytes / 4,
		.bytes_max = (size_t)settings->bus_ring_bytes * QUEUE_RINGS,
	};

	committer_init(&s->committer, &io, &limits, s->slot);
}

int keeping_start(struct sequencer *s, struct why *why)
{
	const struct settings *settings = s->settings;
	struct store_options options = {
		.url = settings->store,
		.role = STORE_WRITER,
		.deadline_ms = (uint64_t)settings->store_deadline_ms,
		.retain_ms = (uint64_t)settings->retain_days * DAY_MS,
		.retain_count = (uint64_t)settings->retain_messages,
		.short_room = *settings->canary_room ? settings->canary_room : NULL,
		.short_count = CANARY_KEPT,
	};
	struct store_events events = { s, on_changed };
	int r;

	start_committer(s);
	r = store_open(&s->loop, &options, &events, &s->store, why);
	if (r == 0)
		counter_set(s->slot, COUNTER_store_driver,
			    strcmp(store_driver(s->store), "sqlite") == 0
				    ? DRIVER_sqlite
				    : DRIVER_postgresql);
	return r;
}

void keeping_stop(struct sequencer *s)
{
	s->stopping = true;
	store_close(s->store);
	s->store = NULL;
}

void keeping_release(struct sequencer *s)
{
	committer_release(&s->committer);
}
