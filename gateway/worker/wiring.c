#include "gateway/worker/wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "gateway/api/api.h"
#include "gateway/web/pages.h"
#include "gateway/worker/admission.h"
#include "gateway/worker/backend.h"
#include "gateway/worker/hearing.h"
#include "gateway/worker/returns.h"

enum {
	ASKS_MAX =
		4096 /* links that are written to before the loop turns: it must beat */
};

/* ---- chat -> transport, bus and store ---- */

static int wrote(struct worker *w, int r)
{
	if (r < 0)
		return r;
	counter_add(w->slot, COUNTER_bus_written, 1);
	w->wrote = true;
	return 0;
}

static int on_submit(void *app, uint64_t ticket, const struct message *message)
{
	struct worker *w = app;
	struct record_submit submit = {
		.generation = w->inherited->generation,
		.ticket = ticket,
		.epoch = w->epoch,
		.message = *message,
	};

	return wrote(w, record_write_submit(w->bus, &submit));
}

static int on_cast(void *app, const void *data, size_t len)
{
	struct worker *w = app;
	struct record_cast cast = {
		.slot = w->inherited->slot,
		.generation = w->inherited->generation,
		.epoch = w->epoch,
		.data = data,
		.len = len,
	};

	return wrote(w, record_write_cast(w->bus, &cast));
}

static int on_read(void *app, const struct store_query *query, store_read_done *done,
		   void *done_app)
{
	struct worker *w = app;

	return w->store ? store_read(w->store, query, done, done_app) : -ENOTCONN;
}

/* Who leaves answers until it is gone; who hangs does not, and is waited for. */
static void on_peers(void *app, uint64_t generations[SEGMENT_SLOTS_MAX])
{
	struct worker *w = app;

	for (unsigned i = 0; i < worker_sequencer(w); i++) {
		const struct segment_child *child = segment_child(w->segment, i);
		uint64_t state = word_get(&child->state);

		if (i != w->inherited->slot &&
		    (state == CHILD_up || state == CHILD_stopping))
			generations[i] = word_get(&child->generation);
	}
}

static uint64_t on_now_ms(void *app)
{
	struct worker *w = app;

	return uv_now(&w->loop);
}

static uint64_t on_now_us(void *app)
{
	(void)app;
	return clock_mono_ns() / 1000;
}

/* ---- transport -> chat ---- */

static int on_authorize(void *app, struct handshake *handshake)
{
	struct worker *w = app;

	return admission_judge(w->auth, w->slot, handshake);
}

static void *on_opened(void *app, struct link *link, const struct handshake *handshake)
{
	struct worker *w = app;
	uint64_t former = returns_from(w, handshake->was);
	char name[SESSION_NAME_MAX + 1];
	struct session *session;

	CHECK(returns_name(w, name) == 0);
	session = chat_opened(w->chat, link, name, handshake->user, handshake->grants);
	if (session && former) {
		chat_returns(session, former);
		returns_count(w, former);
	}
	if (session && handshake->deflate.taken)
		(void)chat_deflates(session); /* or it gets plain frames */
	if (session && handshake->canary)
		chat_is_canary(session);
	return session;
}

static void on_message(void *conn, const char *data, size_t len)
{
	chat_message(conn, data, len);
}

static size_t on_next(void *conn, size_t max, const uint8_t **ret_data)
{
	return chat_next(conn, max, ret_data);
}

static void on_closed(void *conn)
{
	chat_closed(conn);
}

static const struct page *on_page(void *app, const char *path)
{
	const struct worker *w = app;

	return web_page(path, w->settings->auth);
}

/* Clients of the whole gateway: what every living worker says of itself. */
static uint64_t on_total(void *app)
{
	struct worker *w = app;
	uint64_t n = 0;

	for (unsigned i = 0; i < w->inherited->n_slots; i++)
		if (word_get(&segment_child(w->segment, i)->state) != CHILD_free)
			n += counter_get(segment_slot(w->segment, i),
					 COUNTER_links_active);
	return n;
}

void wiring_accepted(void *app, int fd, const uint8_t address[16])
{
	struct worker *w = app;

	transport_adopt(w->transport, fd, address);
}

bool wiring_turn(struct worker *w)
{
	bool more;

	process_phase(&w->process, PHASE_bus);
	hearing_turn(w);
	process_phase(&w->process, PHASE_writing);
	more = chat_flush(w->chat);
	transport_turn(w->transport);
	if (w->wrote && bus_wake(w->bus, worker_sequencer(w)))
		counter_add(w->slot, COUNTER_bus_wakeups, 1);
	w->wrote = false;
	return more;
}

/* A new certificate is for links that come from now on. */
static void look_at_certificate(struct worker *w)
{
	struct why why;
	int r = tls_renew(w->tls, &why);

	if (r < 0)
		LOG(error, "certificate kept as it was why=\"%s\"", why.text);
	if (r > 0)
		LOG(notice, "certificate renewed");
	counter_set(w->slot, COUNTER_tls_ends_s, (uint64_t)tls_ends_s(w->tls));
}

void wiring_look(struct worker *w)
{
	uint64_t beats = word_get(&w->slot->beat);

	hearing_look(w);
	if (w->tls)
		look_at_certificate(w);
	if (beats != w->beats)
		chat_tick(w->chat, uv_now(&w->loop));
	w->beats = beats;
}

/* ---- life ---- */

static int start_chat(struct worker *w, struct why *why)
{
	const struct settings *s = w->settings;
	struct chat_io io = {
		.app = w,
		.wants_to_send = link_wants_to_send,
		.close = link_close,
		.submit = on_submit,
		.read = on_read,
		.cast = on_cast,
		.peers = on_peers,
		.now_ms = on_now_ms,
		.now_us = on_now_us,
		.resumed = returns_resumed,
	};
	struct chat_limits limits = {
		.message_max = (uint64_t)s->message_max,
		.rooms_per_link = (uint64_t)s->rooms_per_link_max,
		.rooms = (uint64_t)s->rooms_max,
		.room_log_bytes = (uint64_t)s->room_log_bytes,
		.room_logs_bytes = (uint64_t)s->room_logs_bytes,
		.outbox_max = (uint64_t)s->outbox_max,
		.outboxes_bytes = (uint64_t)s->outboxes_bytes,
		.sends_pending = (uint64_t)s->sends_pending_max,
		/* All of it may be on the way twice and must not lap the sequencer. */
		.sends_pending_bytes = (uint64_t)s->bus_ring_bytes / 4,
		.catchup_bytes = (uint64_t)s->catchup_bytes,
		.reads_max = (uint64_t)s->store_reads_max,
		.asks_max = ASKS_MAX,
		.generation = w->inherited->generation,
		/* All workers' together must not lap who reads the sequencer. */
		.cast_bytes = (uint64_t)s->bus_ring_bytes / 16,
		.presence_members_max = (uint64_t)s->presence_members_max,
		.presence_at_once_max = (uint64_t)s->presence_at_once_max,
		.presence_interval_ms = (uint64_t)s->presence_interval_ms,
		.rate_messages = (uint64_t)s->rate_messages,
		.rate_bytes = (uint64_t)s->rate_bytes,
		.rate_user_messages = (uint64_t)s->rate_user_messages,
		.rate_user_bytes = (uint64_t)s->rate_user_bytes,
		.rate_burst_ms = (uint64_t)s->rate_burst_ms,
		.ping_interval_ms = (uint64_t)s->ping_interval_ms,
		.ping_timeout_ms = (uint64_t)s->ping_timeout_ms,
		.deflate_min = (uint64_t)s->deflate_min,
		.canary_room = *s->canary_room ? s->canary_room : NULL,
	};
	int r = chat_new(&io, &limits, w->slot, &w->chat);

	return r < 0 ? why_set(why, r, "no memory for the chat") : 0;
}

/* Canaries are known by the name of this life of the gateway, which is in the segment. */
static const char *canary_key(struct worker *w)
{
	const struct segment_header *header = segment_header(w->segment);

	(void)snprintf(w->canary_key, sizeof w->canary_key, "%016" PRIx64 "%016" PRIx64,
		       header->instance[0], header->instance[1]);
	return *w->settings->canary_room ? w->canary_key : NULL;
}

static int start_transport(struct worker *w, struct why *why)
{
	const struct settings *s = w->settings;
	struct transport_events events = {
		.app = w,
		.request = w->api ? backend_request : NULL,
		.request_gone = backend_request_gone,
		.authorize = on_authorize,
		.page = on_page,
		.opened = on_opened,
		.message = on_message,
		.next = on_next,
		.closed = on_closed,
	};
	struct transport_limits limits = {
		.rules = { .path = "/chat",
			   .origins = s->origins,
			   .tokens = w->auth != NULL,
			   .deflate = strcmp(s->deflate, "yes") == 0,
			   .canary = canary_key(w) },
		.tls = w->tls,
		.connections_max = (uint64_t)s->connections_max,
		.per_address_max = (uint64_t)s->connections_per_address_max,
		.handshakes_per_s = (uint64_t)s->handshakes_per_second,
		.handshakes_per_address = (uint64_t)s->handshakes_per_address,
		.handshake_timeout_ms = (uint64_t)s->handshake_timeout_ms,
		.http_idle_timeout_ms = (uint64_t)s->http_idle_timeout_ms,
		.answer_timeout_ms = (uint64_t)(s->store_hold_ms + s->store_deadline_ms),
		.close_timeout_ms = (uint64_t)s->close_timeout_ms,
		.ping_interval_ms = (uint64_t)s->ping_interval_ms,
		.ping_timeout_ms = (uint64_t)s->ping_timeout_ms,
		.message_max = (uint64_t)s->message_max,
		.head_max = (uint64_t)s->http_head_max,
		.body_max = (uint64_t)s->http_body_max,
	};

	return transport_new(&w->loop, &limits, &events, on_total, w->slot, &w->transport,
			     why);
}

static int start_bus(struct worker *w, struct why *why)
{
	int wake_fds[SEGMENT_SLOTS_MAX];
	int r;

	for (unsigned i = 0; i < w->inherited->n_slots; i++)
		wake_fds[i] = inherited_wake(i);
	r = bus_open(INHERIT_BUS, w->inherited->slot, wake_fds, w->inherited->n_slots,
		     &w->bus, why);
	if (r < 0)
		return r;
	bus_reader_from_now(&w->sequenced, w->bus, worker_sequencer(w));
	return 0;
}

static void on_store_changed(void *app, bool up, const char *why)
{
	struct worker *w = app;
	/* A new database is there when the sequencer, which starts beside us, made it. */
	bool early = counter_get(w->slot, COUNTER_store_state) == STORE_STATE_unknown;
	char quoted[256];

	counter_set(w->slot, COUNTER_store_state, up ? STORE_STATE_up : STORE_STATE_down);
	if (up) {
		LOG(info, "store up");
		chat_look(w->chat);
		worker_serve(w);
	} else {
		log_quote(why, quoted, sizeof quoted);
		if (early)
			LOG(info, "store not up yet why=%s", quoted);
		else
			LOG(warning, "store away why=%s", quoted);
	}
}

static int start_store(struct worker *w, struct why *why)
{
	struct store_options options = {
		.url = w->settings->store,
		.role = STORE_READER,
		.deadline_ms = (uint64_t)w->settings->store_deadline_ms,
	};
	struct store_events events = { w, on_store_changed };

	return store_open(&w->loop, &options, &events, &w->store, why);
}

/* Handles of the worker's own; nothing here fails but for want of memory. */
int wiring_start(struct worker *w, struct why *why)
{
	int r = auth_new(w->settings, INHERIT_KEYS + KEYS_tokens, &w->auth, why);

	if (r == 0)
		r = api_keys_new(w->settings, INHERIT_KEYS + KEYS_api, &w->api_keys, why);
	if (r == 0)
		r = tls_new(w->settings, INHERIT_KEYS + KEYS_certificate, &w->tls, why);
	if (r == 0)
		r = start_bus(w, why);
	if (r == 0)
		r = start_chat(w, why);
	if (r == 0)
		r = start_store(w, why);
	if (r == 0)
		r = backend_start(w, why);
	if (r == 0)
		r = start_transport(w, why);
	return r;
}

/* The store first: what it answers goes to chat, and from there to links. */
void wiring_stop(struct worker *w)
{
	struct store *store = w->store;

	w->store = NULL;
	store_close(store);
	transport_close(w->transport);
}

void wiring_free(struct worker *w)
{
	transport_free(w->transport);
	api_free(w->api);
	chat_free(w->chat);
	auth_free(w->auth);
	api_keys_free(w->api_keys);
	tls_free(w->tls);
	bus_close(w->bus);
}
