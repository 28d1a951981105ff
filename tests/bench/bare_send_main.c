/*
 * bare_send - the kernel's floor under any fan-out: `bare_send SOCKETS MESSAGES BYTES`.
 *
 * Sends each message to each of so many TCP sockets of loopback, one send() each, in a
 * loop that does nothing else. Another process, on another processor if there is one,
 * reads them all and says when it has a message from every socket; only then comes the
 * next. Prints the sender's processor time for a million sends.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"

enum {
	SOCKETS_MAX = 60000,
	BYTES_MAX = 65536
};

static int ours[SOCKETS_MAX], theirs[SOCKETS_MAX];
static char bytes[BYTES_MAX];

static unsigned number(const char *text, unsigned max)
{
	long n = strtol(text, NULL, 10);

	CHECK(n > 0 && n <= (long)max);
	return (unsigned)n;
}

static void stay_on(unsigned processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	(void)sched_setaffinity(0, sizeof set, &set); /* where there is only one */
}

static void connect_pairs(unsigned n)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int listening = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	CHECK(bind(listening, (struct sockaddr *)&at, sizeof at) == 0 &&
	      listen(listening, 128) == 0 &&
	      getsockname(listening, (struct sockaddr *)&at, &len) == 0);
	for (unsigned i = 0; i < n; i++) {
		theirs[i] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect(theirs[i], (struct sockaddr *)&at, sizeof at) == 0);
		ours[i] = accept(listening, NULL, NULL);
		CHECK(ours[i] >= 0 && setsockopt(ours[i], IPPROTO_TCP, TCP_NODELAY, &one,
						 sizeof one) == 0);
	}
	close(listening);
}

/* Says so once for each message that all sockets have brought. Does not return. */
static void read_all(unsigned n, size_t len, int say_fd)
{
	static char into[BYTES_MAX];
	struct epoll_event events[256];
	int epoll = epoll_create1(0);
	size_t got = 0;

	stay_on(1);
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = theirs[i] };

		CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, theirs[i], &event) == 0);
	}
	for (;;) {
		int n_ready = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n_ready; i++) {
			ssize_t r = recv(events[i].data.fd, into, sizeof into, 0);

			CHECK(r > 0);
			got += (size_t)r;
		}
		if (got == n * len) {
			got = 0;
			CHECK(write(say_fd, "", 1) == 1);
		}
	}
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
	return (uint64_t)t.tv_sec * 1000 * MS_NS + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned n, n_messages;
	uint64_t start_ns, spent_ns;
	int said[2];
	size_t len;
	pid_t reader;
	char word;

	CHECK(argc == 4);
	n = number(argv[1], SOCKETS_MAX);
	n_messages = number(argv[2], 1000000);
	len = number(argv[3], BYTES_MAX);
	CHECK(pipe(said) == 0);
	connect_pairs(n);
	reader = fork();
	CHECK(reader >= 0);
	if (reader == 0)
		read_all(n, len, said[1]);
	stay_on(0);
	start_ns = cpu_ns();
	for (unsigned i = 0; i < n_messages; i++) {
		for (unsigned k = 0; k < n; k++)
			CHECK(send(ours[k], bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
		CHECK(read(said[0], &word, 1) == 1);
	}
	spent_ns = cpu_ns() - start_ns;
	kill(reader, SIGKILL);
	printf("sockets=%u messages=%u bytes=%zu cpu_s_per_million=%.2f\n", n, n_messages,
	       len, (double)spent_ns / n / n_messages / 1000);
	return 0;
}
