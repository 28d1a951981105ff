#include "gateway/worker/wiring.h"

#include <string.h>
#include <sys/random.h>

#include "common/check.h"
#include "common/log.h"
#include "gateway/web/pages.h"
#include "gateway/worker/admission.h"

enum {
	BUS_TURN_MAX = 1024
}; /* records read before the sockets have their turn */

static unsigned sequencer_slot(const struct worker *w)
{
	return w->inherited->n_slots - 1;
}

/* ---- chat -> transport and bus ---- */

static int on_submit(void *app, uint64_t ticket, const struct message *message)
{
	struct worker *w = app;
	struct record_submit submit = {
		.generation = w->inherited->generation,
		.ticket = ticket,
		.epoch = w->epoch,
		.message = *message,
	};
	int r = record_write_submit(w->bus, &submit);

	if (r < 0)
		return r;
	counter_add(w->slot, COUNTER_bus_written, 1);
	w->submitted = true;
	return 0;
}

/*
 * The newest sequence of a room that nobody here is in. The heads may lag behind what
 * we have read already by the records since `applied`: those are looked through.
 */
static uint64_t on_head(void *app, struct text room)
{
	struct worker *w = app;
	struct bus_reader reader = { sequencer_slot(w), heads_applied(w->heads) };
	uint64_t head = heads_get(w->heads, room);
	struct record_message said;
	struct bus_record record;

	while (reader.at < w->sequenced.at && bus_read(w->bus, &reader, &record) > 0)
		if (record_read_message(&record, &said) == 0 &&
		    said.message.room.len == room.len &&
		    memcmp(said.message.room.at, room.at, room.len) == 0 &&
		    said.message.seq > head)
			head = said.message.seq;
	return head;
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
	uint64_t random;
	char name[17];

	CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
	for (unsigned i = 0; i < 16; i++)
		name[i] = "0123456789abcdef"[random >> 4 * i & 15];
	name[16] = 0;
	grants_unref(handshake->grants);
	return chat_opened(w->chat, link, name, handshake->user);
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

/* ---- bus -> chat ---- */

static void hear_message(struct worker *w, const struct bus_record *record)
{
	struct record_message said;
	bool mine;

	if (record_read_message(record, &said) < 0)
		return; /* nonsense in shared memory harms nobody */
	mine = said.slot == w->inherited->slot &&
	       said.generation == w->inherited->generation;
	chat_sequenced(w->chat, &said.message, said.repeat, mine, said.ticket);
}

static void hear_refused(struct worker *w, const struct bus_record *record)
{
	struct record_refused said;

	if (record_read_refused(record, &said) == 0 && said.slot == w->inherited->slot &&
	    said.generation == w->inherited->generation)
		chat_refused(w->chat, said.ticket, said.reason);
}

/* What the sequencer did not take in the epoch that ends it never will. */
static void hear_epoch(struct worker *w, uint64_t epoch)
{
	if (epoch == w->epoch)
		return;
	w->epoch = epoch;
	chat_resubmit(w->chat);
}

static void hear_hello(struct worker *w, const struct bus_record *record)
{
	uint64_t epoch;

	if (record_read_hello(record, &epoch) == 0)
		hear_epoch(w, epoch);
}

static void hear_lost(struct worker *w, const struct bus_record *record)
{
	uint64_t epoch;
	uint32_t slot;

	if (record_read_lost(record, &slot, &epoch) == 0 && slot == w->inherited->slot)
		hear_epoch(w, epoch);
}

static void hear(struct worker *w, const struct bus_record *record)
{
	counter_add(w->slot, COUNTER_bus_read, 1);
	switch (record->type) {
	case RECORD_MESSAGE: hear_message(w, record); break;
	case RECORD_REFUSED: hear_refused(w, record); break;
	case RECORD_LOST: hear_lost(w, record); break;
	case RECORD_HELLO: hear_hello(w, record); break;
	default: break; /* a newer sequencer's; not for us */
	}
}

static void read_bus(struct worker *w)
{
	struct bus_record record;
	int r = 1;

	for (int i = 0; i < BUS_TURN_MAX && r != 0; i++) {
		r = bus_read(w->bus, &w->sequenced, &record);
		if (r > 0) {
			hear(w, &record);
		} else if (r < 0) {
			counter_add(w->slot, COUNTER_bus_overruns, 1);
			segment_record(w->slot, EVENT_bus_overrun,
				       process_ms(&w->process), 0, 0);
			LOG(warning, "bus overrun");
			chat_overrun(w->chat);
		}
	}
}

void wiring_turn(struct worker *w)
{
	process_phase(&w->process, PHASE_bus);
	read_bus(w);
	process_phase(&w->process, PHASE_writing);
	chat_flush(w->chat);
	transport_turn(w->transport);
	if (w->submitted && bus_wake(w->bus, sequencer_slot(w)))
		counter_add(w->slot, COUNTER_bus_wakeups, 1);
	w->submitted = false;
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
		.head = on_head,
	};
	struct chat_limits limits = {
		.message_max = (uint64_t)s->message_max,
		.rooms_per_link = (uint64_t)s->rooms_per_link_max,
		.rooms = (uint64_t)s->rooms_max,
		.room_log_bytes = (uint64_t)s->room_log_bytes,
		.room_logs_bytes = (uint64_t)s->room_logs_bytes,
		.outbox_max = (uint64_t)s->outbox_max,
		.sends_pending = (uint64_t)s->sends_pending_max,
		/* All of it may be on the way twice and must not lap the sequencer. */
		.sends_pending_bytes = (uint64_t)s->bus_ring_bytes / 4,
		.ping_interval_ms = (uint64_t)s->ping_interval_ms,
		.ping_timeout_ms = (uint64_t)s->ping_timeout_ms,
	};
	int r = chat_new(&io, &limits, w->slot, &w->chat);

	return r < 0 ? why_set(why, r, "no memory for the chat") : 0;
}

static int start_transport(struct worker *w, struct why *why)
{
	const struct settings *s = w->settings;
	struct transport_events events = {
		.app = w,
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
			   .tokens = w->auth != NULL },
		.connections_max = (uint64_t)s->connections_max,
		.per_address_max = (uint64_t)s->connections_per_address_max,
		.handshake_timeout_ms = (uint64_t)s->handshake_timeout_ms,
		.http_idle_timeout_ms = (uint64_t)s->http_idle_timeout_ms,
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
	bus_reader_from_now(&w->sequenced, w->bus, sequencer_slot(w));
	return heads_open(INHERIT_HEADS, false, &w->heads, why);
}

/* Handles of the worker's own; nothing here fails but for want of memory. */
int wiring_start(struct worker *w, struct why *why)
{
	int r = auth_new(w->settings, INHERIT_KEYS, &w->auth, why);

	if (r == 0)
		r = start_bus(w, why);
	if (r == 0)
		r = start_chat(w, why);
	if (r == 0)
		r = start_transport(w, why);
	return r;
}

void wiring_stop(struct worker *w)
{
	transport_close(w->transport);
}

void wiring_free(struct worker *w)
{
	transport_free(w->transport);
	chat_free(w->chat);
	auth_free(w->auth);
	heads_close(w->heads);
	bus_close(w->bus);
}
