/*
 * tear - makes what the supervisor PID writes into its segment look half written, for
 * tests: `tear PID FILE`. Its sequence becomes odd, as if it never ended what it began;
 * the time of that is printed, in microseconds since 1970. `tear -m PID FILE` mends it,
 * as the supervisor itself does when it writes next; `tear -q FILE`: exit 0 while it is
 * so. The supervisor is stopped for the moment in which it is done, so that neither
 * overwrites what the other wrote. Exit 0 when done, 1 with a word on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/segment.h"

enum {
	TRIES = 1000
};

static int read_sequence(int fd, uint64_t *ret_sequence, off_t *ret_at)
{
	struct segment_header header;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.magic, SEGMENT_MAGIC, sizeof(header.magic)) != 0)
		return -EPROTO;
	*ret_at = (off_t)(header.sequences_offset +
			  offsetof(struct segment_sequences, supervisor));
	return pread(fd, ret_sequence, sizeof(*ret_sequence), *ret_at) ==
			       (ssize_t)sizeof(*ret_sequence)
		       ? 0
		       : -EPROTO;
}

static int64_t wall_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* 0 when its sequence was as it has to be, and is not any more; -EAGAIN: the supervisor
 * is just writing. */
static int flip(int fd, bool is_torn, int64_t *ret_us)
{
	uint64_t sequence;
	off_t at;
	int r = read_sequence(fd, &sequence, &at);

	if (r < 0)
		return r;
	if ((sequence & 1) != is_torn)
		return -EAGAIN;
	sequence++;
	*ret_us = wall_us();
	return pwrite(fd, &sequence, sizeof(sequence), at) == (ssize_t)sizeof(sequence)
		       ? 0
		       : -EIO;
}

static int ask(int fd)
{
	uint64_t sequence;
	off_t at;
	int r = read_sequence(fd, &sequence, &at);

	return r < 0 || sequence & 1 ? r : -ENOENT;
}

/* Until the kernel has stopped it, which it does not do at once. */
static void await_stop(pid_t pid)
{
	char path[64], text[256], *state;
	FILE *stat;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (int i = 0; i < TRIES; i++) {
		stat = fopen(path, "re");
		state = stat && fgets(text, sizeof(text), stat) ? strrchr(text, ')')
								: NULL;
		if (stat)
			(void)fclose(stat);
		if (!state || state[2] == 'T')
			return;
		(void)sched_yield();
	}
}

static int tear(pid_t pid, int fd, bool is_torn, int64_t *ret_us)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		if (kill(pid, SIGSTOP) < 0)
			return -errno;
		await_stop(pid);
		r = flip(fd, is_torn, ret_us);
		(void)kill(pid, SIGCONT); /* it was there just now */
		if (r == -EAGAIN)
			(void)sched_yield();
	}
	return r;
}

int main(int argc, char **argv)
{
	bool mend = argc == 4 && !strcmp(argv[1], "-m");
	bool query = argc == 3 && !strcmp(argv[1], "-q");
	int64_t at_us = 0;
	int fd, r;

	if (argc != 3 && !mend) {
		fprintf(stderr, "usage: tear [-m] PID FILE | tear -q FILE\n");
		return 2;
	}
	fd = open(argv[argc - 1], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		r = -errno;
	else
		r = query ? ask(fd) : tear((pid_t)atoi(argv[argc - 2]), fd, mend, &at_us);
	if (r < 0 && !query)
		fprintf(stderr, "tear: %s: %s\n", argv[argc - 1], strerror(-r));
	if (at_us && !mend)
		printf("%lld\n", (long long)at_us);
	if (fd >= 0)
		(void)close(fd);
	return r < 0;
}
