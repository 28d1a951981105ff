#include "healthd/drain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/why.h"

enum {
	LOOK_MS = 200,
	RATE_MS = 1000,  /* what a rate is taken over, up to twice that */
	BEGIN_MS = 5000, /* from being asked to draining; it is a matter of a tick */
	LEAVE_MS = 3000, /* it may be late by that at its own deadline */
	ASK_TRIES = 8,   /* one gateway may be taking the name over from another */
	TIMEOUT_MAX_S = 86400
};

/* ---- the command line ----------------------------------------------------------- */

int drain_take_word(const char *text, struct drain_wish *wish)
{
	char *end;
	uint64_t s;

	if (!wish->asked)
		return 0;
	if (strcmp(text, "--wait") == 0) {
		wish->wait = true;
		return 1;
	}
	if (strncmp(text, "--timeout=", 10) != 0)
		return 0;
	s = strtoull(text + 10, &end, 10);
	if (text[10] < '0' || text[10] > '9' || *end || s < 1 || s > TIMEOUT_MAX_S)
		return -EINVAL;
	wish->timeout_ms = s * 1000;
	return 1;
}

/* ---- asking --------------------------------------------------------------------- */

static int send_signal(int pidfd, pid_t pid)
{
	long r = pidfd < 0 ? kill(pid, SIGUSR1)
			   : syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0);

	return r < 0 ? -errno : 0;
}

/* -EAGAIN: it went, or handed the name over, meanwhile. The process is held on to before
 * the lock is looked at again, so that no other one that got its pid is meant. */
static int ask_process(struct watch *watch, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), r;
	pid_t again;

	if (pidfd < 0 && errno == ESRCH)
		return -EAGAIN;
	r = watch_owner(watch, &again);
	if (r < 0 || again != pid)
		r = -EAGAIN;
	else
		r = send_signal(pidfd, pid);
	if (pidfd >= 0)
		close(pidfd);
	return r == -ESRCH ? -EAGAIN : r;
}

static int ask(struct watch *watch, pid_t *ret_pid, struct why *why)
{
	int r = -EAGAIN;

	for (int i = 0; i < ASK_TRIES && r == -EAGAIN; i++) {
		watch_look(watch, clock_mono_ns());
		r = watch_owner(watch, ret_pid);
		if (r == 0)
			r = ask_process(watch, *ret_pid);
	}
	switch (r) {
	case 0: return 0;
	case -ENOENT:
		return why_set(why, r, "%s",
			       *watch_snapshot(watch)->reason
				       ? watch_snapshot(watch)->reason
				       : "there is no segment");
	case -ESRCH: return why_set(why, r, "the gateway that had this segment is gone");
	case -EXDEV:
		return why_set(why, r,
			       "its process cannot be seen from here, it is in "
			       "another pid namespace");
	case -EPERM:
		return why_set(why, r, "process %d may not be signalled by this user",
			       *ret_pid);
	default: return why_set(why, r, "%s", strerror(-r));
	}
}

/* ---- waiting -------------------------------------------------------------------- */

/* Connections left at a moment. */
struct count {
	uint64_t ns, left;
};

struct leaving {
	struct watch *watch;
	uint64_t instance[2];
	uint64_t asked_ns, until_ns; /* until_ns 0: it has not said yet */
	uint64_t told;               /* connections left, as last printed */
	bool began, has_told, terminal;
	struct count before, lately; /* for the rate: the latter RATE_MS ago or less */
};

/* What cannot be read lives on, as long as the kernel says so. */
static bool is_gone(const struct leaving *l)
{
	const struct snapshot *s = watch_snapshot(l->watch);

	if (s->look == LOOK_ok &&
	    memcmp(s->instance, l->instance, sizeof l->instance) != 0)
		return true;
	return s->look == LOOK_missing || (s->supervisor_known && !s->supervisor_alive);
}

static double rate(struct leaving *l, uint64_t left, uint64_t now_ns)
{
	if (!l->has_told)
		l->before = l->lately = (struct count){ now_ns, left };
	if (now_ns - l->lately.ns >= RATE_MS * MS_NS) {
		l->before = l->lately;
		l->lately = (struct count){ now_ns, left };
	}
	if (l->before.left <= left || l->before.ns == now_ns)
		return 0;
	return (double)(l->before.left - left) * 1e9 / (double)(now_ns - l->before.ns);
}

/* On a terminal the line is written over, elsewhere there is one for each change. */
static void tell(struct leaving *l, const struct verdict_drain *drain, uint64_t now_ns)
{
	double per_s = rate(l, drain->left, now_ns);

	if (!drain->paced || (!l->terminal && l->has_told && l->told == drain->left))
		return;
	printf("%s%" PRIu64 " of %" PRIu64
	       " connections left, %.1f/s, about %.1f s, at most %.1f s%s",
	       l->terminal ? "\r\033[K" : "", drain->left, drain->began, per_s,
	       (double)drain->left_ms / 1e3, (double)drain->most_ms / 1e3,
	       l->terminal ? "" : "\n");
	(void)fflush(stdout); /* who does not read it waits for the exit code */
	l->told = drain->left;
	l->has_told = true;
}

static double waited_s(const struct leaving *l, uint64_t now_ns)
{
	return (double)(now_ns - l->asked_ns) / 1e9;
}

static int give_up(const struct leaving *l, uint64_t now_ns)
{
	const struct verdict_drain *drain = &watch_verdict(l->watch)->drain;

	if (l->terminal)
		putchar('\n');
	if (!drain->under_way)
		fprintf(stderr,
			"parley-stat: the gateway was asked and does not drain "
			"after %.1f s\n",
			waited_s(l, now_ns));
	else
		fprintf(stderr,
			"parley-stat: the gateway still drains after %.1f s, "
			"connections left: %" PRIu64 "\n",
			waited_s(l, now_ns), drain->left);
	return 1;
}

/* One that hangs does not begin; then its own deadline counts, once it has said it. */
static bool is_over(struct leaving *l, const struct drain_wish *wish, uint64_t now_ns)
{
	const struct verdict_drain *drain = &watch_verdict(l->watch)->drain;
	uint64_t waited_ms = (now_ns - l->asked_ns) / MS_NS;

	l->began |= drain->under_way;
	if (drain->paced && drain->most_ms > 0)
		l->until_ns = now_ns + (drain->most_ms + LEAVE_MS) * MS_NS;
	if (wish->timeout_ms && waited_ms >= wish->timeout_ms)
		return true;
	if (!l->began || !l->until_ns)
		return waited_ms >= BEGIN_MS;
	return !wish->timeout_ms && now_ns >= l->until_ns;
}

static int wait_for_end(struct watch *watch, const struct drain_wish *wish)
{
	const struct snapshot *s = watch_snapshot(watch);
	struct leaving l = { .watch = watch,
			     .asked_ns = clock_mono_ns(),
			     .terminal = isatty(STDOUT_FILENO) };
	uint64_t now_ns;

	memcpy(l.instance, s->instance, sizeof l.instance);
	for (;; clock_nap_ms(LOOK_MS)) {
		now_ns = clock_mono_ns();
		watch_look(watch, now_ns);
		if (is_gone(&l))
			break;
		tell(&l, &watch_verdict(watch)->drain, now_ns);
		if (is_over(&l, wish, now_ns))
			return give_up(&l, now_ns);
	}
	printf("%sdrained: the gateway is gone after %.1f s\n",
	       l.terminal ? "\r\033[K" : "", waited_s(&l, now_ns));
	return 0;
}

int drain_run(struct watch *watch, const struct drain_wish *wish)
{
	struct why why;
	pid_t pid;

	if (ask(watch, &pid, &why) < 0) {
		fprintf(stderr, "parley-stat: the gateway cannot be asked to drain: %s\n",
			why.text);
		return 1;
	}
	printf("asked the gateway, process %d, to drain\n", (int)pid);
	return wish->wait ? wait_for_end(watch, wish) : 0;
}
