/*
 * bus_bench - a bus with its eventfds, opened as the tests need it.
 */
#ifndef BUS_BENCH_H
#define BUS_BENCH_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/bus/bus.h"

enum {
	BENCH_ENDS = 3,
};

struct bus_bench {
	int fd, wake_fds[BENCH_ENDS];
};

static inline void bench_make(struct bus_bench *bench, uint64_t ring_bytes)
{
	assert_int_equal(bus_create(BENCH_ENDS, ring_bytes, &bench->fd, NULL), 0);
	for (unsigned i = 0; i < BENCH_ENDS; i++) {
		bench->wake_fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		assert_true(bench->wake_fds[i] >= 0);
	}
}

static inline void bench_close(struct bus_bench *bench)
{
	close(bench->fd);
	for (unsigned i = 0; i < BENCH_ENDS; i++)
		close(bench->wake_fds[i]);
}

static inline struct bus *bench_open(struct bus_bench *bench, unsigned own)
{
	struct bus *bus = NULL;

	assert_int_equal(
		bus_open(bench->fd, own, bench->wake_fds, BENCH_ENDS, &bus, NULL), 0);
	return bus;
}

/* Whether the end's eventfd was written; resets it. */
static inline int bench_woken(struct bus_bench *bench, unsigned end)
{
	uint64_t count;

	return read(bench->wake_fds[end], &count, sizeof count) == sizeof count;
}

static inline int write_bytes(struct bus *bus, uint32_t type, const void *data,
			      size_t len)
{
	struct iovec part = { (void *)(uintptr_t)data, len };

	return bus_write(bus, type, &part, 1);
}

/* Waits for a child: 0 when it left with 0, its signal when it was killed, else -1. */
static inline int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* A child process has ended; it is not reaped by this. */
static inline bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == pid;
}

#endif
