#include "gateway/supervisor/trial.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/supervisor/spawn.h"

enum {
	ANSWER_SIZE = 4096,
	WORDS_MAX = 1024,
	EXIT_NO_EXEC = 71, /* EX_OSERR of sysexits.h */
};

/* Of a fixed size, so that nobody fills our memory through it. */
static int open_answer(struct why *why)
{
	int fd = memfd_create("parley-answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, ANSWER_SIZE) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0)
		return fd;
	(void)why_set(why, -errno, "no memory for an answer: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -ENOMEM;
}

static bool keep_open(const int *fds, unsigned n_fds)
{
	bool kept = true;

	for (unsigned i = 0; i < n_fds && kept; i++)
		kept = fcntl(fds[i], F_SETFD, 0) == 0;
	return kept;
}

/* In the child; returns only when it failed. --check is for a program that knows nothing
 * of this: it must not begin to serve. */
static void become(const char *program, const struct supervisor_source *source,
		   const int *fds, unsigned n_fds)
{
	static char check[] = "--check";
	char *words[WORDS_MAX + 2], value[32];

	memcpy(words, source->argv, (size_t)source->argc * sizeof *words);
	words[source->argc] = check;
	words[source->argc + 1] = NULL;
	snprintf(value, sizeof value, "try:%d", fds[0]);
	spawn_forget_signals();
	(void)setpgid(0, 0); /* of a new process: cannot fail */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (keep_open(fds, n_fds) && setenv(TRIAL_VARIABLE, value, 1) == 0)
		execv(program, words);
	dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
}

int trial_start(struct trial *t, const char *program,
		const struct supervisor_source *source, const int *fds, unsigned n_fds,
		uint64_t deadline_ms, struct why *why)
{
	int answer = source->argc > WORDS_MAX ? why_set(why, -E2BIG, "too many arguments")
					      : open_answer(why);
	sigset_t all, before;
	pid_t pid;

	CHECK(!t->pid && n_fds <= TRIAL_FDS_MAX);
	if (answer < 0)
		return answer;
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		if (dup2(answer, STDOUT_FILENO) >= 0 && dup2(answer, STDERR_FILENO) >= 0)
			become(program, source, fds, n_fds);
		_exit(EXIT_NO_EXEC);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		close(answer);
		return why_set(why, -errno, "no process to try it: %s", strerror(errno));
	}
	*t = (struct trial){ .pid = pid,
			     .answer_fd = answer,
			     .deadline_ms = deadline_ms };
	return 0;
}

void trial_tick(struct trial *t, uint64_t now_ms)
{
	if (!t->pid || t->overdue || now_ms < t->deadline_ms)
		return;
	t->overdue = true;
	(void)kill(t->pid, SIGKILL); /* fails only if it is gone, which we hear */
}

/* The first line of what it said, without what a log could not bear. */
static void read_answer(int fd, char line[ANSWER_SIZE])
{
	ssize_t len = pread(fd, line, ANSWER_SIZE - 1, 0);

	line[len > 0 ? len : 0] = 0;
	line[strcspn(line, "\n")] = 0;
	for (char *at = line; *at; at++)
		if (!isprint((unsigned char)*at) || *at == '"')
			*at = '\'';
}

static bool takes_over(const char *line, char ret_version[TRIAL_VERSION_SIZE])
{
	char version[TRIAL_VERSION_SIZE] = "", rest[16] = "";

	if (sscanf(line, "parley-gateway %23s takes %15s", version, rest) != 2 ||
	    strcmp(rest, "over") != 0)
		return false;
	memcpy(ret_version, version, sizeof version);
	return true;
}

int trial_ended(struct trial *t, int status, char ret_version[TRIAL_VERSION_SIZE],
		struct why *why)
{
	bool exited = WIFEXITED(status), overdue = t->overdue;
	char line[ANSWER_SIZE];

	read_answer(t->answer_fd, line);
	close(t->answer_fd);
	*t = (struct trial){ .pid = 0 };
	if (overdue)
		return why_set(why, -EPROTO, "it did not answer in time");
	if (!exited)
		return why_set(why, -EPROTO, "it ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 0 && takes_over(line, ret_version))
		return 0;
	if (*line)
		return why_set(why, -EPROTO, "%.200s", line);
	return why_set(why, -EPROTO, "it exited with %d and said nothing",
		       WEXITSTATUS(status));
}
