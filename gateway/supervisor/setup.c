#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "gateway/bus/bus.h"
#include "gateway/supervisor/parts.h"
#include "gateway/supervisor/proc.h"

enum {
	WORKERS_MAX = SEGMENT_SEATS_MAX - 1,
	LISTEN_FDS_START = 3,    /* of sd_listen_fds(3) */
	ORPHANS_LEAVE_MS = 4000, /* workers of a killed predecessor hold its sockets */
	ORPHANS_LOOK_MS = 100
};

/* Those that we may run on, which in a container are not all there are. */
static unsigned processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

/* ---- memory and descriptors ---- */

static int make_segment(struct supervisor *s, struct why *why)
{
	struct segment_shape shape = {
		.n_workers = s->n_workers,
		.group = s->settings.segment_group,
		.connections_max = (uint64_t)s->settings.connections_max,
		.hang_report_ms = (uint64_t)s->settings.hang_report_ms,
		.hang_act_ms = (uint64_t)s->settings.hang_act_ms,
	};
	struct proc_stat stat;
	int r = segment_create(s->settings.segment, &shape, &s->segment, why);

	if (r < 0)
		return r;
	s->words = segment_supervisor(s->segment);
	s->segment_fd = segment_fd(s->segment);
	word_set(&s->words->pid, (uint64_t)getpid());
	if (proc_read(getpid(), &stat) == 0)
		word_set(&s->words->start_ticks, stat.start_ticks);
	for (unsigned i = 0; i < s->n_seats; i++)
		seat_init(&s->seats[i], i,
			  i < s->n_workers ? ROLE_WORKER : ROLE_SEQUENCER,
			  segment_seat(s->segment, i));
	for (unsigned i = 0; i < s->n_slots; i++)
		child_init(&s->children[i], i, segment_child(s->segment, i));
	return 0;
}

int setup_settings(const struct settings *settings, int *ret_fd, struct why *why)
{
	int fd = memfd_create("parley-settings", MFD_CLOEXEC), copy = -1, r = 0;
	FILE *out = NULL;

	if (fd >= 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		out = fdopen(copy, "w");
	if (!out)
		r = -errno;
	else
		r = settings_write(settings, SETTINGS_GATEWAY, out);
	if (out)
		(void)fclose(out); /* settings_write has flushed it */
	else if (copy >= 0)
		close(copy);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return why_set(why, r, "cannot hand settings on: %s", strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

static int make_descriptors(struct supervisor *s, struct why *why)
{
	if (pipe2(s->lifeline, O_CLOEXEC) < 0)
		return why_set(why, -errno, "cannot make a pipe: %s", strerror(errno));
	for (unsigned i = 0; i < s->n_slots; i++) {
		s->wake_fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (s->wake_fds[i] < 0)
			return why_set(why, -errno, "cannot make an eventfd: %s",
				       strerror(errno));
	}
	return 0;
}

static int make_bus(struct supervisor *s, struct why *why)
{
	int r = bus_create(s->n_slots, (uint64_t)s->settings.bus_ring_bytes, &s->bus_fd,
			   why);

	/* Children get copies; nobody else should. */
	if (r == 0 && (fcntl(s->bus_fd, F_SETFD, FD_CLOEXEC) < 0 ||
		       fcntl(segment_fd(s->segment), F_SETFD, FD_CLOEXEC) < 0))
		r = why_set(why, -errno, "cannot set close-on-exec: %s", strerror(errno));
	return r;
}

/* ---- sockets ---- */

static int open_listeners(struct supervisor *s, struct why *why)
{
	int r;

	for (int waited_ms = 0;; waited_ms += ORPHANS_LOOK_MS) {
		r = listeners_open(s->settings.listen, s->n_workers, &s->listeners, why);
		if (r != -EADDRINUSE || waited_ms >= ORPHANS_LEAVE_MS)
			return r;
		(void)poll(NULL, 0, ORPHANS_LOOK_MS); /* nobody is served by us yet */
	}
}

static bool may_be_reached(const struct settings *settings)
{
	return strcmp(settings->auth, "open") != 0 ||
	       strcmp(settings->open_beyond_loopback, "yes") == 0;
}

int setup_make(struct supervisor *s, struct why *why)
{
	int r = listeners_take(LISTEN_FDS_START, may_be_reached(&s->settings),
			       &s->listeners, why);
	bool handed = r > 0;

	if (r < 0)
		return r;
	s->n_workers = s->settings.workers > 0 ? (unsigned)s->settings.workers
					       : processors();
	s->n_seats = segment_seats(s->n_workers);
	s->n_slots = segment_slots(s->n_workers);
	/* First of all, as it tells whether another gateway runs under this name. */
	if ((r = make_segment(s, why)) < 0 || (r = make_descriptors(s, why)) < 0 ||
	    (r = setup_settings(&s->settings, &s->settings_fd, why)) < 0 ||
	    (r = s->source->read_keys(&s->settings, s->key_fds, why)) < 0 ||
	    (r = certificate_open(s, why)) < 0 || (r = make_bus(s, why)) < 0 ||
	    (r = handed ? 0 : open_listeners(s, why)) < 0)
		return r;
	word_set(&s->words->port, s->listeners.port);
	return 0;
}

static void give_back(int fd)
{
	if (fd >= 0)
		close(fd);
}

void setup_release(struct supervisor *s)
{
	listeners_close(&s->listeners);
	for (unsigned i = 0; i < s->n_slots; i++)
		give_back(s->wake_fds[i]);
	give_back(s->lifeline[0]);
	give_back(s->lifeline[1]);
	give_back(s->settings_fd);
	for (unsigned i = 0; i < KEYS_FILES; i++)
		give_back(s->key_fds[i]);
	certificate_close(s);
	give_back(s->bus_fd);
	if (s->segment)
		segment_close(s->segment, true);
}
