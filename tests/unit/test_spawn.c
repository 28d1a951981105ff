/*
 * test_spawn - what a child finds when it starts: its descriptors and nothing else,
 * default signals, its words. The test is its own child: it is started again by way of
 * /proc/self/exe and then writes down what it found.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/spawn.h"

enum {
	N_FDS = INHERIT_WAKE - INHERIT_SEGMENT + 5 + 2 /* of two workers */
};

/* ---- in the child ---- */

static bool is_default(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/* The highest open descriptor, and how many there are. */
static void count_fds(int *ret_n, int *ret_last)
{
	*ret_n = *ret_last = 0;
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		++*ret_n;
		*ret_last = fd;
	}
}

static int be_child(const struct inherited *in)
{
	/* Not SEGV and the like, which a sanitizer takes for itself. */
	static const int numbers[] = { SIGHUP,  SIGINT,  SIGPIPE, SIGALRM,
				       SIGTERM, SIGUSR1, SIGCHLD };
	struct rlimit core = { 0 };
	int n, last, n_changed = 0;
	sigset_t mask;

	count_fds(&n, &last);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		n_changed += !is_default(numbers[i]);
	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	(void)getrlimit(RLIMIT_CORE, &core);
	dprintf(INHERIT_READY,
		"slot=%u seat=%u generation=%ju fds=%d last=%d changed=%d usr2=%d "
		"blocked=%d "
		"group=%d notify=%d core=%d",
		in->slot, in->seat, (uintmax_t)in->generation, n, last, n_changed,
		is_default(SIGUSR2),
		sigismember(&mask, SIGUSR1) + sigismember(&mask, SIGTERM),
		getpgid(0) == getpid(), getenv("NOTIFY_SOCKET") != NULL,
		core.rlim_cur == core.rlim_max);
	/* What came as the segment is told back by what came as the lifeline. */
	dprintf(INHERIT_LIFELINE, "%s",
		lseek(INHERIT_SEGMENT, 0, SEEK_CUR) == 5 ? "5" : "?");
	return 7;
}

/* ---- in the parent ---- */

struct bench {
	int fds[N_FDS];
	int ready, lifeline; /* what the child writes to, read here */
};

static void on_usr1(int number)
{
	(void)number;
}

/* Sources at numbers that are each other's targets. */
static void make(struct bench *b)
{
	int ready[2], lifeline[2];
	FILE *segment = tmpfile();

	assert_non_null(segment);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(lifeline, O_CLOEXEC), 0);
	for (int i = 0; i < N_FDS; i++)
		b->fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	b->fds[0] = fileno(segment);
	assert_int_equal(lseek(fileno(segment), 5, SEEK_SET), 5);
	b->fds[INHERIT_READY - INHERIT_SEGMENT] = ready[1];
	b->fds[INHERIT_LIFELINE - INHERIT_SEGMENT] = lifeline[1];
	b->ready = ready[0];
	b->lifeline = lifeline[0];
}

static void what_a_child_says(struct bench *b, enum role role, char said[256],
			      char told[8])
{
	struct inherited in = {
		.role = role,
		.slot = role == ROLE_WORKER ? 1 : 4,
		.seat = role == ROLE_WORKER ? 0 : 2,
		.generation = 12345678901234567890u,
		.n_workers = 2,
		.n_slots = 5,
		.n_listeners = 2,
	};
	int status;
	pid_t pid;

	assert_int_equal(spawn_child(&in, b->fds, N_FDS, &pid), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	memset(said, 0, 256);
	memset(told, 0, 8);
	assert_true(read(b->ready, said, 255) > 0);
	assert_true(read(b->lifeline, told, 7) > 0);
}

static void a_child_gets_its_own_and_nothing_else(void **state)
{
	/* Not close-on-exec: a careless ancestor's. */
	int leaked = fcntl(STDERR_FILENO, F_DUPFD, 50);
	char said[256], told[8], wanted[256];
	struct bench b;

	(void)state;
	assert_true(leaked >= 50);
	make(&b);
	setenv("NOTIFY_SOCKET", "/nowhere", 1);
	what_a_child_says(&b, ROLE_WORKER, said, told);
	snprintf(wanted, sizeof wanted,
		 "slot=1 seat=0 generation=12345678901234567890 fds=%d last=%d changed=0 "
		 "usr2=0 blocked=0 group=1 notify=0 ",
		 3 + N_FDS, INHERIT_SEGMENT + N_FDS - 1);
	assert_memory_equal(said, wanted, strlen(wanted));
	assert_string_equal(told, "5");
	assert_non_null(getenv("NOTIFY_SOCKET"));
	close(leaked);
}

static void workers_dump_core_the_sequencer_does_not(void **state)
{
	struct rlimit core = { 0 };
	char said[256], told[8];
	struct bench b;

	(void)state;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max == 0)
		skip();
	make(&b);
	what_a_child_says(&b, ROLE_SEQUENCER, said, told);
	assert_non_null(strstr(said, " core=0"));
#ifndef __SANITIZE_ADDRESS__ /* which forbids cores in its own process */
	what_a_child_says(&b, ROLE_WORKER, said, told);
	assert_non_null(strstr(said, " core=1"));
#endif
}

static void the_parent_keeps_its_signals(void **state)
{
	char said[256], told[8];
	sigset_t before, after;
	struct bench b;

	(void)state;
	make(&b);
	(void)sigprocmask(SIG_SETMASK, NULL, &before);
	what_a_child_says(&b, ROLE_WORKER, said, told);
	(void)sigprocmask(SIG_SETMASK, NULL, &after);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&before, i), sigismember(&after, i));
	assert_false(is_default(SIGUSR1));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_gets_its_own_and_nothing_else),
		cmocka_unit_test(workers_dump_core_the_sequencer_does_not),
		cmocka_unit_test(the_parent_keeps_its_signals),
	};
	struct inherited in;
	sigset_t blocked;

	if (inherited_parse(argc, argv, &in) > 0)
		return be_child(&in);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	(void)signal(SIGUSR1, on_usr1);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
