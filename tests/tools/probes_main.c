/*
 * probes - asks healthd again and again over kept connections and measures:
 * `probes PORT PATH REQUESTS CONNECTIONS`. Each connection has one request in
 * flight. Prints one line, `requests=N failed=N rps=N p50_us=N p99_us=N max_us=N`; an
 * answer other than 200 or 503, or none in 5 s, is a failure. Exit 0 without failures.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum {
	ANSWER_MAX = 65536,
	SILENCE_MS = 5000
};

struct connection {
	int fd;
	uint64_t asked_ns;
	size_t len;
	char answer[ANSWER_MAX + 1];
};

struct probes {
	int epoll;
	unsigned port;
	char request[512];
	size_t request_len;
	unsigned n_wanted, n_asked, n_done, n_failed;
	uint32_t *took_us;
};

static int dial(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static void ask(struct probes *p, struct connection *c)
{
	if (p->n_asked == p->n_wanted)
		return;
	p->n_asked++;
	c->len = 0;
	c->asked_ns = clock_mono_ns();
	if (send(c->fd, p->request, p->request_len, MSG_NOSIGNAL) !=
	    (ssize_t)p->request_len)
		c->fd = -1;
}

static int redial(struct probes *p, struct connection *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	if (c->fd >= 0)
		close(c->fd);
	c->fd = dial(p->port);
	if (c->fd < 0)
		return c->fd;
	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0 ? -errno : 0;
}

/* Whether the answer is whole, by its Content-Length. */
static bool whole(const struct connection *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n");
	const char *length = strcasestr(c->answer, "content-length: ");

	return end && length && length < end &&
	       c->len >= (size_t)(end + 4 - c->answer) + strtoul(length + 16, NULL, 10);
}

static void done(struct probes *p, const struct connection *c)
{
	uint64_t took_ns = clock_mono_ns() - c->asked_ns;
	bool good = strncmp(c->answer, "HTTP/1.1 200 ", 13) == 0 ||
		    strncmp(c->answer, "HTTP/1.1 503 ", 13) == 0;

	p->n_failed += !good;
	p->took_us[p->n_done++] = (uint32_t)(took_ns / 1000);
}

static int on_readable(struct probes *p, struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->len, ANSWER_MAX - c->len, 0);

	if (n > 0) {
		c->len += (size_t)n;
		c->answer[c->len] = 0;
		if (!whole(c))
			return 0;
		done(p, c);
		ask(p, c);
		return 0;
	}
	/* The server may end a connection between two answers, never inside one. */
	if (c->len) {
		p->n_failed++;
		p->took_us[p->n_done++] = UINT32_MAX;
	} else {
		p->n_asked--;
	}
	if (redial(p, c) < 0)
		return -EIO;
	ask(p, c);
	return 0;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int run(struct probes *p)
{
	struct epoll_event events[64];

	while (p->n_done < p->n_wanted) {
		int n = epoll_wait(p->epoll, events, 64, SILENCE_MS);

		if (n == 0) {
			fprintf(stderr, "probes: silence\n");
			return -ETIMEDOUT;
		}
		for (int i = 0; i < n; i++)
			if (on_readable(p, events[i].data.ptr) < 0)
				return -EIO;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct probes p = { .epoll = epoll_create1(0) };
	struct connection *connections;
	uint64_t start_ns;
	unsigned n;

	if (argc != 5) {
		fprintf(stderr, "usage: probes PORT PATH REQUESTS CONNECTIONS\n");
		return 2;
	}
	p.port = (unsigned)atoi(argv[1]);
	p.n_wanted = (unsigned)atoi(argv[3]);
	n = (unsigned)atoi(argv[4]);
	p.request_len = (size_t)snprintf(p.request, sizeof p.request,
					 "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
					 argv[2]);
	p.took_us = calloc(p.n_wanted + n, sizeof *p.took_us);
	connections = calloc(n, sizeof *connections);
	if (!p.took_us || !connections)
		return 1;
	start_ns = clock_mono_ns();
	for (unsigned i = 0; i < n; i++) {
		connections[i].fd = -1;
		if (redial(&p, &connections[i]) < 0) {
			fprintf(stderr, "probes: cannot connect\n");
			return 1;
		}
		ask(&p, &connections[i]);
	}
	if (run(&p) < 0)
		return 1;
	free(connections);
	qsort(p.took_us, p.n_done, sizeof *p.took_us, by_size);
	printf("requests=%u failed=%u rps=%.0f p50_us=%u p99_us=%u max_us=%u\n", p.n_done,
	       p.n_failed, p.n_done / ((double)(clock_mono_ns() - start_ns) / 1e9),
	       p.took_us[p.n_done / 2], p.took_us[p.n_done * 99ull / 100],
	       p.took_us[p.n_done - 1]);
	free(p.took_us);
	return p.n_failed != 0;
}
