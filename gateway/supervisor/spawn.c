#include "gateway/supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/check.h"

enum {
	WORD_SIZE = 48,
	FDS_MAX = INHERIT_WAKE - INHERIT_SEGMENT + SEGMENT_SLOTS_MAX + SEGMENT_SEATS_MAX,
	EXIT_NO_EXEC = 71 /* EX_OSERR of sysexits.h */
};

static void limit_core(enum role role)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return;
	limit.rlim_cur = role == ROLE_SEQUENCER ? 0 : limit.rlim_max;
	/* Without it there is only no core, or one too many. */
	(void)setrlimit(RLIMIT_CORE, &limit);
}

void spawn_forget_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Fails for those that cannot be changed, which is as well. */
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &action, NULL);
	(void)signal(SIGUSR2, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* By way of numbers above all targets, so that none is overwritten before its turn. */
static int place(const int *fds, unsigned n_fds)
{
	int moved[FDS_MAX], above = INHERIT_SEGMENT + (int)n_fds;

	for (unsigned i = 0; i < n_fds; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, above);
		if (moved[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < n_fds; i++)
		if (dup2(moved[i], INHERIT_SEGMENT + (int)i) < 0)
			return -errno;
	/* Ours are close-on-exec; what we were started with may be not. Kernels before
	 * 5.9 do not have this call. */
	(void)close_range((unsigned)above, ~0u, 0);
	return 0;
}

/* The service manager is the supervisor's, and settings come by descriptor: one that may
 * hold a password is not left lying about. */
static void forget_variables(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_PID",
					     "WATCHDOG_USEC", "PARLEY_STORE" };

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		(void)unsetenv(names[i]); /* fails only for a bad name */
}

/* In the child; returns only when it failed. */
static void become(const struct inherited *inherited, const int *fds, unsigned n_fds)
{
	char words[6][WORD_SIZE];
	char *argv[9], name[] = "parley-gateway", shared[] = "--shared-listener";
	unsigned n = 0;

	snprintf(words[0], WORD_SIZE, "--child=%s",
		 inherited->role == ROLE_WORKER ? "worker" : "sequencer");
	snprintf(words[1], WORD_SIZE, "--slot=%u", inherited->slot);
	snprintf(words[2], WORD_SIZE, "--seat=%u", inherited->seat);
	snprintf(words[3], WORD_SIZE, "--generation=%" PRIu64, inherited->generation);
	snprintf(words[4], WORD_SIZE, "--workers-now=%u", inherited->n_workers);
	snprintf(words[5], WORD_SIZE, "--listeners=%u", inherited->n_listeners);
	argv[n++] = name;
	for (unsigned i = 0; i < 6; i++)
		argv[n++] = words[i];
	if (inherited->shared_listener)
		argv[n++] = shared;
	argv[n] = NULL;

	if (place(fds, n_fds) < 0)
		return;
	(void)setpgid(0, 0); /* of a new process: cannot fail */
	limit_core(inherited->role);
	forget_variables();
	spawn_forget_signals();
	execv("/proc/self/exe", argv);
}

int spawn_child(const struct inherited *inherited, const int *fds, unsigned n_fds,
		pid_t *ret_pid)
{
	sigset_t all, before;
	int r = 0;
	pid_t pid;

	CHECK(n_fds <= FDS_MAX);
	/* Until exec the child has our handlers, which would write to our loop. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		become(inherited, fds, n_fds);
		_exit(EXIT_NO_EXEC);
	}
	if (pid < 0)
		r = -errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		*ret_pid = pid;
	return r;
}
