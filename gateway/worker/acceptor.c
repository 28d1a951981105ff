#include "gateway/worker/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/check.h"
#include "common/log.h"

enum {
	TURN_MAX = 64,    /* accepted from one socket before others have their turn */
	SHARE_SLACK = 16, /* connections above the share that do not matter */
	UNSENT_BYTES = 262144, /* most that waits in the kernel for a peer's window */
};

struct listener {
	struct acceptor *acceptor;
	uv_poll_t poll;
	int fd;
	bool active;
	unsigned at_once; /* how many are accepted before the loop is asked again */
	uint64_t turn;    /* of the loop, when it was readable last */
};

struct acceptor {
	const struct inherited *inherited;
	struct segment *segment;
	struct segment_slot *slot;
	acceptor_taker *taker;
	void *app;
	bool stopped, paused;
	unsigned n_open; /* polls that are not closed yet */
	unsigned n_listeners;
	struct listener listeners[];
};

/* ---- which sockets are ours ---- */

/* Nobody who turns serves this seat: the process in it is gone, leaving or hung. */
static bool seat_orphaned(struct acceptor *a, unsigned seat)
{
	uint64_t slot = word_get(&segment_seat(a->segment, seat)->slot);
	struct segment_child *child;

	if (slot == 0 || slot > a->inherited->n_slots)
		return true;
	child = segment_child(a->segment, (unsigned)slot - 1);
	return word_get(&child->state) != CHILD_up || word_get(&child->hang) != HANG_none;
}

/* Of one socket for all: whether this worker has no more than its share. */
static bool within_share(struct acceptor *a)
{
	uint64_t mine = counter_get(a->slot, COUNTER_links_active), sum = 0, n = 0;

	for (unsigned i = 0; i < a->inherited->n_workers; i++) {
		uint64_t slot = word_get(&segment_seat(a->segment, i)->slot);

		if (seat_orphaned(a, i))
			continue;
		sum += counter_get(segment_slot(a->segment, (unsigned)slot - 1),
				   COUNTER_links_active);
		n++;
	}
	return n == 0 || mine <= sum / n + sum / n / 8 + SHARE_SLACK;
}

static bool ours(struct acceptor *a, unsigned i)
{
	if (a->stopped || a->paused)
		return false;
	if (a->inherited->shared_listener)
		return within_share(a);
	return i == a->inherited->seat || seat_orphaned(a, i);
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

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	struct acceptor *a = listener->acceptor;
	unsigned n = at_once(listener);
	int r = 1;

	(void)events;
	word_set(&a->slot->phase, PHASE_accepting);
	for (unsigned i = 0; status == 0 && r > 0 && i < n; i++)
		r = accept_one(a, listener->fd);
	if (status < 0 || r < 0) {
		LOG(warning, "accepting paused why=\"%s\"",
		    uv_strerror(status < 0 ? status : r));
		counter_add(a->slot, COUNTER_accept_errors, 1);
		a->paused = true;
		apply(a);
	}
}

/* ---- which polls run ---- */

static void apply(struct acceptor *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n_listeners; i++) {
		struct listener *listener = &a->listeners[i];
		bool wanted = ours(a, i);

		if (wanted && !listener->active)
			CHECK(uv_poll_start(&listener->poll, UV_READABLE, on_readable) ==
			      0);
		if (!wanted && listener->active)
			CHECK(uv_poll_stop(&listener->poll) == 0);
		listener->active = wanted;
		n += wanted;
	}
	counter_set(a->slot, COUNTER_listeners, n);
	counter_set(a->slot, COUNTER_accept_paused, a->paused);
}

void acceptor_look(struct acceptor *a)
{
	a->paused = false;
	apply(a);
}

void acceptor_stop(struct acceptor *a)
{
	a->stopped = true;
	apply(a);
}

/* ---- life ---- */

static void on_poll_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	struct acceptor *a = listener->acceptor;

	if (--a->n_open == 0)
		free(a);
}

void acceptor_free(struct acceptor *a)
{
	if (!a)
		return;
	acceptor_stop(a);
	if (a->n_open == 0) {
		free(a);
		return;
	}
	for (unsigned i = 0, n = a->n_open; i < n; i++)
		uv_close((uv_handle_t *)&a->listeners[i].poll, on_poll_closed);
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
		listener->poll.data = listener;
		a->n_open++;
		a->n_listeners = a->n_open;
	}
	*ret_acceptor = a;
	return 0;
}
