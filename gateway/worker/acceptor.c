#include "gateway/worker/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"

enum {
	TURN_MAX = 64,    /* accepted from one socket before others have their turn */
	SHARE_SLACK = 16, /* so small a part above the share does not matter */
	MOMENT_MS = 20,   /* who waits longer is taken by who has more than its share */
	UNSENT_BYTES = 262144, /* most that waits in the kernel for a peer's window */
};

struct listener {
	struct acceptor *acceptor;
	uv_poll_t poll;
	int fd;
	bool active;
	unsigned held_for; /* slot of the worker that comes first for a moment; 0 */
	uint64_t had;      /* links, that worker, when the moment began */
	unsigned at_once;  /* how many are accepted before the loop is asked again */
	uint64_t turn;     /* of the loop, when it was readable last */
};

struct acceptor {
	const struct inherited *inherited;
	struct segment *segment;
	struct segment_slot *slot;
	acceptor_taker *taker;
	void *app;
	uv_timer_t moment;
	bool stopped, paused;
	unsigned n_open; /* handles that are not closed yet */
	unsigned n_listeners;
	struct listener listeners[];
};

/* ---- which sockets are ours ---- */

/* The slot of the worker that serves this seat, by one look at who does; 0: nobody who
 * turns does, the process in it is gone, leaving or hung. */
static unsigned serving(struct acceptor *a, unsigned seat)
{
	uint64_t slot = word_get(&segment_seat(a->segment, seat)->slot);
	struct segment_child *child;

	if (slot == 0 || slot > a->inherited->n_slots)
		return 0;
	child = segment_child(a->segment, (unsigned)slot - 1);
	return word_get(&child->state) == CHILD_up && word_get(&child->hang) == HANG_none
		       ? (unsigned)slot
		       : 0;
}

/* The same, but of this worker's own seat 0. */
static unsigned other_serving(struct acceptor *a, unsigned seat)
{
	return seat == a->inherited->seat ? 0 : serving(a, seat);
}

static struct segment_slot *slot_at(struct acceptor *a, unsigned slot)
{
	return segment_slot(a->segment, slot - 1);
}

/* Who waits for the handshake counts, too: many may have been accepted just now. */
static uint64_t links_of(struct segment_slot *slot)
{
	return counter_get(slot, COUNTER_links_active) +
	       counter_get(slot, COUNTER_links_handshaking);
}

/*
 * How many links this worker may have and still accept at once: a sixteenth more than the
 * worker that has the fewest, whose slot is *ret_fewest; 0: there is no other that
 * accepts.
 */
static uint64_t share_of(struct acceptor *a, unsigned *ret_fewest)
{
	uint64_t fewest = UINT64_MAX;

	*ret_fewest = 0;
	for (unsigned i = 0; i < a->inherited->n_workers; i++) {
		unsigned slot = other_serving(a, i);

		if (!slot || !counter_get(slot_at(a, slot), COUNTER_listeners))
			continue;
		if (links_of(slot_at(a, slot)) < fewest) {
			fewest = links_of(slot_at(a, slot));
			*ret_fewest = slot;
		}
	}
	return fewest == UINT64_MAX ? UINT64_MAX : fewest + fewest / SHARE_SLACK;
}

static bool ours(struct acceptor *a, unsigned i)
{
	if (a->stopped || a->paused)
		return false;
	return a->inherited->shared_listener || i == a->inherited->seat || !serving(a, i);
}

/* ---- accepting ---- */

static void take_address(const struct sockaddr_storage *from, uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(address, 0, 16);
	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;

		memcpy(address, &in6->sin6_addr, 16);
	} else if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		memcpy(address, mapped, sizeof mapped);
		memcpy(address + 12, &in->sin_addr, 4);
	}
}

/* 1: taken. 0: nobody waits. Negative: accepting fails for now. */
static int accept_one(struct acceptor *a, int listening)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof from;
	uint8_t address[16];
	int fd = accept4(listening, (struct sockaddr *)&from, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
		return 1; /* that one is gone; look for the next */
	if (fd < 0)
		return errno == EAGAIN ? 0 : -errno;
	counter_add(a->slot, COUNTER_accepted, 1);
	take_address(&from, address);
	a->taker(a->app, fd, address);
	return 1;
}

/* One at first: to hear that nobody else waits is a call in vain. Twice as many as in the
 * turn before when somebody still does. */
static unsigned at_once(struct listener *listener)
{
	uint64_t turn = counter_get(listener->acceptor->slot, COUNTER_loop_turns);

	if (turn != listener->turn + 1)
		listener->at_once = 1;
	else if (listener->at_once < TURN_MAX)
		listener->at_once *= 2;
	listener->turn = turn;
	return listener->at_once;
}

static void apply(struct acceptor *a);

static void pause_accepting(struct acceptor *a, int r)
{
	LOG(warning, "accepting paused why=\"%s\"", uv_strerror(r));
	counter_add(a->slot, COUNTER_accept_errors, 1);
	a->paused = true;
	apply(a);
}

/* Takes up to n who wait there, and none once this worker has more than `share` links. */
static void accept_some(struct acceptor *a, int listening, unsigned n, uint64_t share)
{
	int r = 1;

	word_set(&a->slot->phase, PHASE_accepting);
	for (unsigned i = 0; r > 0 && i < n && links_of(a->slot) <= share; i++)
		r = accept_one(a, listening);
	if (r < 0)
		pause_accepting(a, r);
}

/* ---- an even spread ---- */

static void hold_for(struct listener *listener, unsigned slot)
{
	struct acceptor *a = listener->acceptor;

	listener->held_for = slot;
	if (slot)
		listener->had = links_of(slot_at(a, slot));
	if (listener - a->listeners == a->inherited->seat)
		counter_set(a->slot, COUNTER_listener_held, slot != 0);
	apply(a);
}

/* The other came: who waits now came later, and is looked at like anybody. */
static bool was_relieved(const struct listener *listener)
{
	struct acceptor *a = listener->acceptor;

	return links_of(slot_at(a, listener->held_for)) != listener->had;
}

/* Nobody is kept waiting for a worker that may hang. */
static void on_moment(uv_timer_t *timer)
{
	struct acceptor *a = timer->data;

	for (unsigned i = 0; i < a->n_listeners; i++) {
		struct listener *listener = &a->listeners[i];

		if (!listener->held_for)
			continue;
		if (ours(a, i) && !was_relieved(listener))
			accept_some(a, listener->fd, TURN_MAX, UINT64_MAX);
		hold_for(listener, 0);
	}
}

static void wake(unsigned slot)
{
	static const uint64_t one = 1;

	/* If it fails the moment passes. */
	(void)!write(inherited_wake(slot - 1), &one, sizeof one);
}

/* Lets the worker in that slot come first. To the own socket it must be called; what is
 * everybody's it sees itself. */
static void hold(struct listener *listener, unsigned slot)
{
	struct acceptor *a = listener->acceptor;

	hold_for(listener, slot);
	if (!uv_is_active((uv_handle_t *)&a->moment))
		CHECK(uv_timer_start(&a->moment, on_moment, MOMENT_MS, 0) == 0);
	if (!a->inherited->shared_listener &&
	    listener - a->listeners == a->inherited->seat)
		wake(slot);
}

/* Takes from those who have more, and hold back for somebody with fewer. */
static void relieve(struct acceptor *a)
{
	if (a->inherited->shared_listener || a->stopped)
		return;
	for (unsigned i = 0; i < a->n_listeners && !a->paused; i++) {
		unsigned slot = other_serving(a, i);
		uint64_t mine = links_of(a->slot), theirs;

		if (!slot || !counter_get(slot_at(a, slot), COUNTER_listener_held))
			continue;
		theirs = links_of(slot_at(a, slot));
		if (theirs > mine)
			accept_some(a, a->listeners[i].fd, TURN_MAX, theirs - 1);
		if (links_of(a->slot) != mine)
			wake(slot);
	}
}

/* Those who came meanwhile need not wait for the moment's end. */
static void go_on(struct acceptor *a)
{
	for (unsigned i = 0; i < a->n_listeners; i++)
		if (a->listeners[i].held_for && was_relieved(&a->listeners[i]))
			hold_for(&a->listeners[i], 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = (struct listener *)((char *)poll -
							offsetof(struct listener, poll));
	struct acceptor *a = poll->data;
	unsigned fewest;
	uint64_t share = share_of(a, &fewest);

	(void)events;
	if (status < 0)
		pause_accepting(a, status);
	else if (links_of(a->slot) > share)
		hold(listener, fewest);
	else
		accept_some(a, listener->fd, at_once(listener), share);
}

/* ---- which polls run ---- */

static void apply(struct acceptor *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n_listeners; i++) {
		struct listener *listener = &a->listeners[i];
		bool mine = ours(a, i), wanted = mine && !listener->held_for;

		if (wanted && !listener->active)
			CHECK(uv_poll_start(&listener->poll, UV_READABLE, on_readable) ==
			      0);
		if (!wanted && listener->active)
			CHECK(uv_poll_stop(&listener->poll) == 0);
		listener->active = wanted;
		n += mine;
	}
	counter_set(a->slot, COUNTER_listeners, n);
	counter_set(a->slot, COUNTER_accept_paused, a->paused);
}

void acceptor_look(struct acceptor *a)
{
	a->paused = false;
	apply(a);
	go_on(a);
	relieve(a);
}

void acceptor_stop(struct acceptor *a)
{
	a->stopped = true;
	apply(a);
}

/* ---- life ---- */

static void on_closed(uv_handle_t *handle)
{
	struct acceptor *a = handle->data;

	if (--a->n_open == 0)
		free(a);
}

void acceptor_free(struct acceptor *a)
{
	if (!a)
		return;
	acceptor_stop(a);
	for (unsigned i = 0; i < a->n_listeners; i++)
		uv_close((uv_handle_t *)&a->listeners[i].poll, on_closed);
	uv_close((uv_handle_t *)&a->moment, on_closed);
}

/* What accepted sockets inherit, so that it costs nothing for each. No harm if it fails:
 * it is not TCP then. */
static void prepare(int listening)
{
	int one = 1, bytes = UNSENT_BYTES;

	/* Without it an answer may wait for the peer's delayed ACK. */
	(void)setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	/* The kernel would take megabytes for each peer that does not read, out of what
	 * all sockets of the machine share. What is on its way to one that reads is not
	 * bounded. */
	(void)setsockopt(listening, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

int acceptor_new(uv_loop_t *loop, const struct inherited *inherited,
		 struct segment *segment, acceptor_taker *taker, void *app,
		 struct acceptor **ret_acceptor)
{
	unsigned n = inherited->n_listeners;
	struct acceptor *a = calloc(1, sizeof *a + n * sizeof a->listeners[0]);

	if (!a)
		return -ENOMEM;
	a->inherited = inherited;
	a->segment = segment;
	a->slot = segment_slot(segment, inherited->slot);
	a->taker = taker;
	a->app = app;
	CHECK(uv_timer_init(loop, &a->moment) == 0); /* cannot fail */
	a->moment.data = a;
	a->n_open = 1;
	for (unsigned i = 0; i < n; i++) {
		struct listener *listener = &a->listeners[i];
		int r;

		listener->acceptor = a;
		listener->fd = inherited_listener(inherited, i);
		prepare(listener->fd);
		r = uv_poll_init(loop, &listener->poll, listener->fd);
		if (r < 0) {
			acceptor_free(a);
			return r;
		}
		listener->poll.data = a;
		a->n_open++;
		a->n_listeners++;
	}
	*ret_acceptor = a;
	return 0;
}
