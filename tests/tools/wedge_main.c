/*
 * wedge - makes a running process hang for real, for tests: `wedge PID HOW`.
 *
 * `loop`: its main thread jumps to itself for ever. `block`: it sits in pause(2).
 * The code under its program counter is overwritten through ptrace, so the
 * process cannot be healed, only ended. Exit 0 when done, 1 with a word on stderr.
 *
 * `config`: it leaves with exit code 78, as one that cannot live with its settings.
 *
 * `hold`: it is held as it stands, with its locks and descriptors, and no signal but
 * KILL reaches it, like one whose core is being written. Says "held" and stays until
 * the process is gone, or lets go of it by ending.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

enum {
	EXIT_CODE = 78 /* EX_CONFIG */
};

#if defined(__x86_64__)
static const unsigned char loop_code[] = { 0xeb, 0xfe };             /* jmp . */
static const unsigned char call_code[] = { 0x0f, 0x05, 0xeb, 0xfc }; /* syscall; back */

static unsigned long long *program_counter(struct user_regs_struct *regs)
{
	return &regs->rip;
}
static void prepare_pause(struct user_regs_struct *regs)
{
	regs->rax = SYS_pause;
}
static void prepare_exit(struct user_regs_struct *regs)
{
	regs->rax = SYS_exit_group;
	regs->rdi = EXIT_CODE;
}
/* No system call that was interrupted is to be restarted. */
static void forget_call(struct user_regs_struct *regs)
{
	regs->orig_rax = (unsigned long long)-1;
}
#elif defined(__aarch64__)
static const unsigned char loop_code[] = { 0x00, 0x00, 0x00, 0x14 }; /* b . */
static const unsigned char call_code[] = { 0x01, 0x00, 0x00, 0xd4,   /* svc #0 */
					   0xff, 0xff, 0xff, 0x17 }; /* b back */

static unsigned long long *program_counter(struct user_regs_struct *regs)
{
	return &regs->pc;
}
static void prepare_pause(struct user_regs_struct *regs)
{
	/* No pause(2) here: ppoll of nothing, without a limit. */
	regs->regs[8] = SYS_ppoll;
	regs->regs[0] = regs->regs[1] = regs->regs[2] = regs->regs[3] = 0;
}
static void prepare_exit(struct user_regs_struct *regs)
{
	regs->regs[8] = SYS_exit_group;
	regs->regs[0] = EXIT_CODE;
}
static void forget_call(struct user_regs_struct *regs)
{
}
#else
#error "wedge knows x86-64 and arm64"
#endif

static int fail(const char *what)
{
	fprintf(stderr, "wedge: %s: %s\n", what, strerror(errno));
	return 1;
}

static int registers(pid_t pid, struct user_regs_struct *regs, int request)
{
	struct iovec io = { regs, sizeof *regs };

	return ptrace(request, pid, NT_PRSTATUS, &io) == -1 ? -errno : 0;
}

/* Through /proc/PID/mem, which ignores write protection for a tracer. */
static int overwrite(pid_t pid, unsigned long long at, const void *code, size_t len)
{
	char path[64];
	FILE *memory;
	int ok;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	memory = fopen(path, "r+b");
	if (!memory)
		return -errno;
	setvbuf(memory, NULL, _IONBF, 0);
	ok = fseeko(memory, (off_t)at, SEEK_SET) == 0 &&
	     fwrite(code, len, 1, memory) == 1;
	fclose(memory);
	return ok ? 0 : -EIO;
}

/* What is done to it; `hold` is nothing but not letting go. */
static const struct way {
	const char *name;
	const unsigned char *code;
	size_t len;
	void (*prepare)(struct user_regs_struct *);
} ways[] = {
	{ "loop", loop_code, sizeof loop_code, NULL },
	{ "block", call_code, sizeof call_code, prepare_pause },
	{ "config", call_code, sizeof call_code, prepare_exit },
	{ "hold", NULL, 0, NULL },
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	return NULL;
}

static int wedge(pid_t pid, const struct way *way)
{
	struct user_regs_struct regs;

	if (registers(pid, &regs, PTRACE_GETREGSET) < 0)
		return fail("cannot read registers");
	if (overwrite(pid, *program_counter(&regs), way->code, way->len) < 0)
		return fail("cannot write code");
	if (way->prepare)
		way->prepare(&regs);
	forget_call(&regs);
	if (registers(pid, &regs, PTRACE_SETREGSET) < 0)
		return fail("cannot write registers");
	return 0;
}

static int stop_thread(pid_t thread)
{
	int status;

	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) == -1)
		return fail("cannot attach");
	if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) == -1)
		return fail("cannot interrupt");
	return waitpid(thread, &status, __WALL) == thread ? 0 : fail("cannot wait");
}

/* All its threads: a signal to the process goes to any that can take it. */
static int stop_others(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int r = 0;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return fail("cannot read its threads");
	while (r == 0 && (entry = readdir(tasks)) != NULL) {
		pid_t thread = (pid_t)atoi(entry->d_name);

		if (thread > 0 && thread != pid)
			r = stop_thread(thread);
	}
	closedir(tasks);
	return r;
}

static int hold(pid_t pid)
{
	int status;
	pid_t who;

	if (stop_others(pid) != 0)
		return 1;
	puts("held");
	fflush(stdout);
	while ((who = waitpid(-1, &status, __WALL)) > 0)
		if (who == pid && (WIFEXITED(status) || WIFSIGNALED(status)))
			return 0;
	return fail("cannot wait");
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 3 ? (pid_t)atoi(argv[1]) : 0;
	const struct way *way = argc == 3 ? find_way(argv[2]) : NULL;
	int r;

	if (pid <= 0 || !way) {
		fprintf(stderr, "usage: wedge PID loop|block|config|hold\n");
		return 2;
	}
	if (stop_thread(pid) != 0)
		return 1;
	if (!way->code)
		return hold(pid);
	r = wedge(pid, way);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1)
		return fail("cannot detach");
	return r;
}
