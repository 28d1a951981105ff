/*
 * wedge - makes a running process hang for real, for tests: `wedge PID loop|block`.
 *
 * `loop`: its main thread jumps to itself for ever. `block`: it sits in pause(2).
 * The code under its program counter is overwritten through ptrace, so the
 * process cannot be healed, only ended. Exit 0 when done, 1 with a word on stderr.
 */
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

#if defined(__x86_64__)
static const unsigned char loop_code[] = { 0xeb, 0xfe };              /* jmp . */
static const unsigned char block_code[] = { 0x0f, 0x05, 0xeb, 0xfc }; /* syscall; back */

static unsigned long long *program_counter(struct user_regs_struct *regs)
{
	return &regs->rip;
}
static void prepare_call(struct user_regs_struct *regs)
{
	regs->rax = SYS_pause;
	regs->orig_rax = (unsigned long long)-1; /* no system call is to be restarted */
}
#elif defined(__aarch64__)
static const unsigned char loop_code[] = { 0x00, 0x00, 0x00, 0x14 };  /* b . */
static const unsigned char block_code[] = { 0x01, 0x00, 0x00, 0xd4,   /* svc #0 */
					    0xff, 0xff, 0xff, 0x17 }; /* b back */

static unsigned long long *program_counter(struct user_regs_struct *regs)
{
	return &regs->pc;
}
static void prepare_call(struct user_regs_struct *regs)
{
	/* No pause(2) here: ppoll of nothing, without a limit. */
	regs->regs[8] = SYS_ppoll;
	regs->regs[0] = regs->regs[1] = regs->regs[2] = regs->regs[3] = 0;
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

static int wedge(pid_t pid, int block)
{
	const unsigned char *code = block ? block_code : loop_code;
	size_t len = block ? sizeof block_code : sizeof loop_code;
	struct user_regs_struct regs;

	if (registers(pid, &regs, PTRACE_GETREGSET) < 0)
		return fail("cannot read registers");
	if (overwrite(pid, *program_counter(&regs), code, len) < 0)
		return fail("cannot write code");
	if (block)
		prepare_call(&regs);
#if defined(__x86_64__)
	regs.orig_rax = (unsigned long long)-1;
#endif
	if (registers(pid, &regs, PTRACE_SETREGSET) < 0)
		return fail("cannot write registers");
	return 0;
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 3 ? (pid_t)atoi(argv[1]) : 0;
	int status, r;

	if (pid <= 0 || (strcmp(argv[2], "loop") != 0 && strcmp(argv[2], "block") != 0)) {
		fprintf(stderr, "usage: wedge PID loop|block\n");
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1)
		return fail("cannot attach");
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == -1)
		return fail("cannot interrupt");
	if (waitpid(pid, &status, __WALL) != pid)
		return fail("cannot wait");
	r = wedge(pid, strcmp(argv[2], "block") == 0);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1)
		return fail("cannot detach");
	return r;
}
