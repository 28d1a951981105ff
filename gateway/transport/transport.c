#include "gateway/transport/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/transport/link.h"

enum {
	TICK_MS = 20,       /* grain of every deadline of a link */
	WHEEL_SLOTS = 2048, /* 41 s a turn: the usual deadlines fit into one */
	TIMERS_MAX = 10000, /* looked at in one turn of the loop */
	DRAIN_TICK_MS = 20, /* how often a draining worker closes some links */
	RETRY_SPREAD_S = 3, /* over which those come again who are sent away */
};

/* ---- who may come in ---- */

void transport_forget(struct link *link)
{
	if (link->address)
		address_put(&link->transport->addresses, link->address);
	link->address = NULL;
}

static bool address_is_greedy(const struct transport *t, struct link *link)
{
	if (!t->tracks_addresses)
		return false;
	if (!link->address || link->address->n_links > t->limits.per_address_max)
		return true;
	if (address_may(link->address, uv_now(t->loop), t->limits.handshakes_per_address))
		return false;
	counter_add(t->slot, COUNTER_handshakes_late_address, 1);
	return true;
}

int transport_admit(struct transport *t, struct link *link, bool canary,
		    unsigned *ret_retry_s)
{
	*ret_retry_s = 1 + (unsigned)random() % RETRY_SPREAD_S;
	if (canary && !t->refusing)
		return t->n_links[LINK_CANARY] < CANARIES_MAX ? 0 : 429;
	if (t->refusing || t->total(t->events.app) >= t->limits.connections_max)
		return 503;
	if (address_is_greedy(t, link))
		return 429;
	*ret_retry_s = gate_pass(&t->gate, uv_now(t->loop), (uint64_t)random());
	if (!*ret_retry_s)
		return 0;
	counter_add(t->slot, COUNTER_handshakes_late_worker, 1);
	return 503;
}

void transport_record(struct transport *t, enum segment_event_kind kind, uint64_t a,
		      uint64_t b)
{
	segment_record(t->slot, kind, uv_now(t->loop) - t->started_ms, a, b);
}

/* ---- from the sockets ---- */

static void on_received(void *user, uint8_t *data, size_t len)
{
	struct link *link = user;

	if (!link->magic)
		return; /* adopted in vain: see transport_adopt */
	CHECK_OBJ(link, LINK_MAGIC);
	counter_add(link->transport->slot, COUNTER_bytes_in, len);
	if (!link->heard && link->transport->limits.tls)
		counter_add(link->transport->slot, COUNTER_tls_handshakes, 1);
	link->heard = true;
	if (link->upgraded)
		link_read_frames(link, data, len);
	else if (link->state == LINK_HANDSHAKING)
		http_side_received(link, data, len);
}

static void on_writeable(void *user)
{
	struct link *link = user;

	if (link->magic)
		link_on_writeable(link);
}

static void on_closed(void *user)
{
	struct link *link = user;

	if (link && link->magic)
		link_on_closed(link);
}

void transport_adopt(struct transport *t, int fd, const uint8_t address[16])
{
	struct socket *socket;
	struct link *link;
	void *user;

	if (socket_adopt(t->sockets, fd, &socket, &user) < 0) {
		/* With TLS, mostly one who said nonsense at once. */
		counter_add(t->slot,
			    t->limits.tls ? COUNTER_tls_failed : COUNTER_accept_errors,
			    1);
		return;
	}
	link = user;
	link->magic = LINK_MAGIC;
	link->transport = t;
	link->socket = socket;
	link->state = LINK_STATE_COUNT;
	if (t->tracks_addresses)
		link->address = address_get(&t->addresses, address);
	link_move(link, LINK_HANDSHAKING);
	if (http_side_start(link) < 0)
		socket_kill(socket);
}

/* ---- time ---- */

static void on_link_timer(void *app, struct wheel_timer *timer)
{
	struct link *link = (struct link *)((char *)timer - offsetof(struct link, timer));

	(void)app;
	link_on_timer(link);
}

static void on_tick(uv_timer_t *timer)
{
	struct transport *t = timer->data;

	/* What is left over is looked at in the next tick: deadlines may be late, the
	 * loop may not. */
	(void)wheel_advance(&t->wheel, uv_now(t->loop), TIMERS_MAX, on_link_timer, t);
	addresses_tick(&t->addresses, uv_now(t->loop));
}

/* How many links may still be open now, so that they leave evenly. */
static unsigned drain_allows(const struct transport *t)
{
	uint64_t passed_ms = uv_now(t->loop) - t->drain_from_ms;

	if (passed_ms >= t->drain_spread_ms)
		return 0;
	return (unsigned)(t->drain_links * (t->drain_spread_ms - passed_ms) /
			  t->drain_spread_ms);
}

static void on_drain_tick(uv_timer_t *timer)
{
	struct transport *t = timer->data;
	unsigned allowed = drain_allows(t);
	struct link *link = t->links[LINK_OPEN], *next;
	unsigned n_open = t->n_links[LINK_OPEN];

	for (; link && n_open > allowed; link = next, n_open--) {
		next = link->next;
		link_close(link, CLOSE_GOING_AWAY, "the server leaves");
	}
	if (!allowed) {
		DL_FOREACH_SAFE(t->links[LINK_CANARY], link, next)
		link_close(link, CLOSE_GOING_AWAY, "the server leaves");
		DL_FOREACH_SAFE(t->links[LINK_HANDSHAKING], link, next)
		if (!http_side_waits(link))
			link_finish(link);
	}
	transport_turn(t);
}

void transport_drain(struct transport *t, uint64_t spread_ms)
{
	if (uv_is_active((uv_handle_t *)&t->drain_tick))
		return;
	transport_refuse(t);
	t->drain_from_ms = uv_now(t->loop);
	t->drain_spread_ms = spread_ms;
	t->drain_links = t->n_links[LINK_OPEN];
	uv_timer_start(&t->drain_tick, on_drain_tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
}

/* ---- life ---- */

int transport_new(uv_loop_t *loop, const struct transport_limits *limits,
		  const struct transport_events *events, transport_total *total,
		  struct segment_slot *slot, struct transport **ret_transport,
		  struct why *why)
{
	static const struct socket_events from_sockets = {
		.user_size = sizeof(struct link),
		.received = on_received,
		.writeable = on_writeable,
		.closed = on_closed,
	};
	struct transport *t = calloc(1, sizeof *t);
	int r;

	if (!t)
		return why_set(why, -ENOMEM, "no memory for the transport");
	r = wheel_init(&t->wheel, WHEEL_SLOTS, TICK_MS, uv_now(loop));
	if (r == 0 && limits->rules.deflate)
		r = inflater_new(limits->message_max, &t->inflater);
	if (r < 0)
		(void)why_set(why, r, "no memory for the transport");
	else
		r = socket_layer_new(loop, &from_sockets, limits->tls, &t->sockets, why);
	if (r < 0) {
		inflater_free(t->inflater);
		wheel_release(&t->wheel);
		free(t);
		return r;
	}
	t->limits = *limits;
	t->events = *events;
	t->total = total;
	t->slot = slot;
	t->loop = loop;
	t->started_ms = uv_now(loop);
	t->gate.per_s = limits->handshakes_per_s;
	t->tracks_addresses = limits->per_address_max < limits->connections_max ||
			      limits->handshakes_per_address;
	CHECK(uv_timer_init(loop, &t->tick) == 0);
	CHECK(uv_timer_init(loop, &t->drain_tick) == 0);
	t->tick.data = t->drain_tick.data = t;
	CHECK(uv_timer_start(&t->tick, on_tick, TICK_MS, TICK_MS) == 0);
	*ret_transport = t;
	return 0;
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	socket_layer_close(t->sockets);
	addresses_release(&t->addresses);
	uv_close((uv_handle_t *)&t->drain_tick, NULL);
	uv_close((uv_handle_t *)&t->tick, NULL);
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	socket_layer_free(t->sockets);
	inflater_free(t->inflater);
	wheel_release(&t->wheel);
	free(t);
}

void transport_refuse(struct transport *t)
{
	t->refusing = true;
}

void transport_turn(struct transport *t)
{
	while (t->doomed)
		link_close_now(t->doomed);
	while (t->answered)
		http_side_answered(t);
}

void transport_each(struct transport *t, void (*visit)(void *app, void *conn), void *app)
{
	struct link *link, *next;

	DL_FOREACH_SAFE(t->links[LINK_OPEN], link, next)
	{
		if (link->conn)
			visit(app, link->conn);
	}
}

unsigned transport_links(const struct transport *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LINK_STATE_COUNT; i++)
		n += t->n_links[i];
	return n;
}
