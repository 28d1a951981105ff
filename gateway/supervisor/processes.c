#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "gateway/inherit.h"
#include "gateway/supervisor/parts.h"
#include "gateway/supervisor/spawn.h"

enum {
	RETRY_MS = 1000, /* when the machine has no process or slot to give */
	FDS_MAX = INHERIT_WAKE - INHERIT_SEGMENT + SEGMENT_SLOTS_MAX + SEGMENT_SEATS_MAX,
};

/* ---- ready by pipe ---- */

/* Our end of one child's INHERIT_READY; lives until its handle is closed. */
struct ready {
	uv_poll_t poll;
	struct supervisor *supervisor;
	struct child *child;
	uint64_t generation; /* the slot may have another process by then */
	int fd;
};

static void on_ready_closed(uv_handle_t *handle)
{
	struct ready *ready = handle->data;

	close(ready->fd);
	free(ready);
}

/* The first time that clients can be served. */
static void run_if_ready(struct supervisor *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_workers; i++)
		n += s->seats[i].process && s->seats[i].process->state == CHILD_up;
	if (s->state != GATEWAY_starting || n == 0 || !s->seats[s->n_workers].process ||
	    s->seats[s->n_workers].process->state != CHILD_up)
		return;
	s->state = GATEWAY_running;
	word_set(&s->words->ever_ready, 1);
	word_set(&s->words->state, GATEWAY_running);
	manager_tell(&s->manager, "READY=1");
	LOG(notice, "gateway ready port=%u workers=%u", s->listeners.port, s->n_workers);
}

static void ready(struct supervisor *s, struct child *child)
{
	struct seat *seat = &s->seats[child->seat];
	uint64_t now_ms = supervisor_now_ms();

	child_ready(child, now_ms);
	if (child->state == CHILD_up)
		seat_ready(seat, child, now_ms);
	LOG(info, "%s ready seat=%u slot=%u pid=%d after_ms=%" PRIu64,
	    role_name(child->role), child->seat, child->slot, (int)child->pid,
	    now_ms - child->spawned_ms);
	run_if_ready(s);
	processes_dismiss(s);
	processes_wake(s);
	processes_tell(s);
	roll_step(s);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct ready *r = poll->data;
	char said[4];
	ssize_t n = status < 0 ? 0 : read(r->fd, said, sizeof said);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r->supervisor->ready_fds[r->child->slot] == r->fd)
		r->supervisor->ready_fds[r->child->slot] = -1;
	uv_close((uv_handle_t *)poll, on_ready_closed);
	if (n > 0 && said[0] == 'R' && r->child->generation == r->generation &&
	    r->child->state != CHILD_free)
		ready(r->supervisor, r->child);
}

/* Takes the descriptor, also when it fails. */
static int ready_new(struct supervisor *s, struct child *child, int fd,
		     struct ready **ret_ready)
{
	struct ready *r = calloc(1, sizeof *r);
	int e = r ? uv_poll_init(&s->loop, &r->poll, fd) : -ENOMEM;

	if (e < 0) {
		close(fd);
		free(r);
		return e;
	}
	r->supervisor = s;
	r->child = child;
	r->fd = fd;
	r->poll.data = r;
	*ret_ready = r;
	return 0;
}

static void ready_start(struct ready *r)
{
	r->generation = r->child->generation;
	r->supervisor->ready_fds[r->child->slot] = r->fd;
	/* Fails only for a descriptor that cannot be polled. */
	CHECK(uv_poll_start(&r->poll, UV_READABLE | UV_DISCONNECT, on_ready) == 0);
}

int processes_watch(struct supervisor *s, struct child *child, int fd)
{
	struct ready *r;
	int e = ready_new(s, child, fd, &r);

	if (e == 0)
		ready_start(r);
	return e;
}

/* Makes the pipe; *ret_write is the child's end. */
static int ready_pipe(struct supervisor *s, struct child *child, struct ready **ret_ready,
		      int *ret_write)
{
	int ends[2], e;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	e = ready_new(s, child, ends[0], ret_ready);
	if (e < 0)
		close(ends[1]);
	else
		*ret_write = ends[1];
	return e;
}

/* ---- starting ---- */

static struct child *free_slot(struct supervisor *s, enum role role)
{
	struct child *last = &s->children[s->n_slots - 1];

	if (role == ROLE_SEQUENCER)
		return last->state == CHILD_free ? last : NULL;
	for (unsigned i = 0; i < s->n_slots - 1; i++)
		if (s->children[i].state == CHILD_free)
			return &s->children[i];
	return NULL;
}

static int spawn(struct supervisor *s, const struct child *child, int ready_fd,
		 pid_t *ret_pid)
{
	struct inherited in = {
		.role = child->role,
		.slot = child->slot,
		.seat = child->seat,
		.generation = child->generation,
		.n_workers = s->n_workers,
		.n_slots = s->n_slots,
		.n_listeners = s->listeners.n,
		.shared_listener = s->listeners.shared,
	};
	int fds[FDS_MAX];
	unsigned n = INHERIT_WAKE - INHERIT_SEGMENT;

	fds[0] = segment_fd(s->segment);
	fds[INHERIT_BUS - INHERIT_SEGMENT] = s->bus_fd;
	fds[INHERIT_SETTINGS - INHERIT_SEGMENT] = s->settings_fd;
	fds[INHERIT_READY - INHERIT_SEGMENT] = ready_fd;
	fds[INHERIT_LIFELINE - INHERIT_SEGMENT] = s->lifeline[0];
	memcpy(fds + INHERIT_KEYS - INHERIT_SEGMENT, s->key_fds, sizeof s->key_fds);
	fds[INHERIT_KEYS - INHERIT_SEGMENT + KEYS_certificate] = s->certificate.fd;
	memcpy(fds + n, s->wake_fds, s->n_slots * sizeof *fds);
	n += s->n_slots;
	memcpy(fds + n, s->listeners.fds, s->listeners.n * sizeof *fds);
	n += s->listeners.n;
	return spawn_child(&in, fds, n, ret_pid);
}

/* A process for the seat, in the free slot `child`. */
static int begin(struct supervisor *s, struct seat *seat, struct child *child,
		 bool restart)
{
	uint64_t now_ms = supervisor_now_ms();
	struct ready *watch = NULL;
	int ready_fd = -1, r = ready_pipe(s, child, &watch, &ready_fd);
	pid_t pid;

	if (r < 0)
		return r;
	CHECK(watch);
	child_announce(child, seat->role, seat->index, ++s->generation);
	r = spawn(s, child, ready_fd, &pid);
	close(ready_fd);
	if (r < 0) {
		uv_close((uv_handle_t *)&watch->poll, on_ready_closed);
		return r;
	}
	child->settings = s->settings_version;
	child_spawned(child, pid, now_ms,
		      now_ms + (uint64_t)s->settings.start_timeout_ms);
	seat_started(seat, child, restart, now_ms);
	ready_start(watch);
	return 0;
}

static void start(struct supervisor *s, struct seat *seat, bool restart)
{
	struct child *child = free_slot(s, seat->role);
	int r = child ? begin(s, seat, child, restart) : -EAGAIN;

	if (r == 0)
		return;
	seat_put_off(seat, supervisor_now_ms(), RETRY_MS);
	LOG(error, "%s not started seat=%u retry_ms=%d why=\"%s\"", role_name(seat->role),
	    seat->index, RETRY_MS, child ? strerror(-r) : "no slot is free");
}

void processes_fill(struct supervisor *s)
{
	uint64_t now_ms = supervisor_now_ms();

	/* The sequencer first: workers have nothing to do without it. */
	for (unsigned i = s->n_seats; i-- > 0;)
		if (supervisor_wants_workers(s) && seat_is_due(&s->seats[i], now_ms))
			start(s, &s->seats[i], s->seats[i].bereaved);
}

void processes_replace(struct supervisor *s, struct seat *seat, bool restart)
{
	if (seat_may_replace(seat, supervisor_now_ms()))
		start(s, seat, restart);
}

/* ---- leaving ---- */

void processes_stop(struct supervisor *s, struct child *child, uint64_t grace_ms)
{
	child_stop(child, supervisor_now_ms() + grace_ms);
	seat_publish(&s->seats[child->seat]);
	processes_wake(s);
}

void processes_dismiss(struct supervisor *s)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		struct child *child = &s->children[i];
		struct seat *seat = &s->seats[child->seat];

		if (child->state == CHILD_up && child->hang == HANG_none &&
		    child != seat->process && child != seat->coming)
			processes_stop(s, child, (uint64_t)s->settings.drain_deadline_ms);
	}
}

/* ---- gone ---- */

static bool has_former(const struct supervisor *s, const struct seat *seat)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		const struct child *child = &s->children[i];

		if (child->state != CHILD_free && child->seat == seat->index &&
		    child != seat->process && child != seat->coming)
			return true;
	}
	return false;
}

static void ended(struct supervisor *s, struct child *child, int status)
{
	struct seat *seat = &s->seats[child->seat];
	struct child_end end = child_end_of(child, status);
	uint64_t now_ms = supervisor_now_ms();
	uint64_t lived_ms = child->ready_ms ? now_ms - child->ready_ms : 0;
	uint64_t delay_ms;

	obituary(s, child, &end, now_ms);
	segment_retire(s->segment, child->slot);
	delay_ms = seat_ended(seat, child, &end, lived_ms, (uint32_t)random(),
			      supervisor_wants_workers(s), now_ms);
	child_ended(child);
	if (!has_former(s, seat))
		seat_settled(seat, now_ms);
	processes_wake(s);
	if (end.reason == EXIT_config)
		leave_now(s, SETTINGS_EXIT);
	if (seat->bereaved && !seat->process && supervisor_wants_workers(s))
		LOG(notice, "%s restart seat=%u delay_ms=%" PRIu64 "%s",
		    role_name(seat->role), seat->index, delay_ms,
		    seat->state == SEAT_crash_loop ? " why=\"crash loop\"" : "");
}

void processes_reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	/* Of anyone: as the first process of a container we inherit orphans. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		upgrade_reaped(s, pid, status);
		for (unsigned i = 0; i < s->n_slots; i++)
			if (s->children[i].pid == pid)
				ended(s, &s->children[i], status);
	}
	processes_fill(s);
	processes_tell(s);
	roll_step(s);
	leave_tick(s, supervisor_now_ms());
}

/* ---- all of them ---- */

void processes_wake(struct supervisor *s)
{
	uint64_t one = 1;
	ssize_t n;

	for (unsigned i = 0; i < s->n_slots; i++) {
		if (s->children[i].state == CHILD_free)
			continue;
		n = write(s->wake_fds[i], &one, sizeof one);
		(void)n; /* fails only when it has been told 2^64 times */
	}
}

unsigned processes_count(const struct supervisor *s, enum role role)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_slots; i++)
		n += s->children[i].state != CHILD_free && s->children[i].role == role;
	return n;
}

void processes_tell(struct supervisor *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_workers; i++) {
		const struct child *child = s->seats[i].process;

		n += child && child->state == CHILD_up && child->hang == HANG_none;
	}
	manager_status(&s->manager, "%s %u of %u workers",
		       s->state == GATEWAY_draining ? "draining" : "serving", n,
		       s->n_workers);
}
