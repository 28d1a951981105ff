#include "gateway/supervisor/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/settings.h"

enum {
	BACKLOG = 4096,
	LISTEN_FDS_START = 3, /* SD_LISTEN_FDS_START of sd_listen_fds(3) */
};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static int parse(const char *text, union address *ret, socklen_t *ret_len)
{
	char host[64];
	uint16_t port;

	memset(ret, 0, sizeof *ret);
	if (settings_address(text, host, sizeof host, &port) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		*ret_len = sizeof ret->in;
		return 0;
	}
	if (inet_pton(AF_INET6, host, &ret->in6.sin6_addr) != 1)
		return -EINVAL;
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	*ret_len = sizeof ret->in6;
	return 0;
}

static bool is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
	if (address->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
	return address->any.sa_family == AF_UNIX;
}

static uint16_t port_of(int fd)
{
	union address address = { .storage = { 0 } };
	socklen_t len = sizeof address;

	if (getsockname(fd, &address.any, &len) < 0)
		return 0;
	if (address.any.sa_family == AF_INET)
		return ntohs(address.in.sin_port);
	return address.any.sa_family == AF_INET6 ? ntohs(address.in6.sin6_port) : 0;
}

static int open_one(const union address *address, socklen_t len)
{
	int one = 1, r;
	int fd = socket(address->any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0 ||
	    bind(fd, &address->any, len) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/*
 * SO_REUSEPORT would let a second gateway of the same user share the port in silence:
 * the first socket is tried without it.
 */
static int port_is_free(const union address *address, socklen_t len)
{
	int one = 1, r = 0;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    bind(fd, &address->any, len) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int open_all(struct listeners *l, const char *text, unsigned n,
		    bool beyond_loopback, struct why *why)
{
	union address address;
	socklen_t len;
	int r = parse(text, &address, &len);

	if (r < 0)
		return why_set(why, r, "PARLEY_LISTEN=%s is no address and port", text);
	if (!beyond_loopback && !is_loopback(&address))
		return why_set(why, -EPERM,
			       "open mode does not listen on %s unless "
			       "PARLEY_OPEN_BEYOND_LOOPBACK=yes",
			       text);
	r = port_is_free(&address, len);
	while (r >= 0 && l->n < n) {
		r = open_one(&address, len);
		if (r < 0)
			break;
		l->fds[l->n++] = r;
		l->port = port_of(r);
		/* The same place in both structures. */
		address.in.sin_port = htons(l->port);
	}
	if (r < 0)
		return why_set(why, r, "cannot listen on %s: %s", text, strerror(-r));
	return 0;
}

/* 1: a socket was handed in. */
static int take_given(struct listeners *l, bool beyond_loopback, struct why *why)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	int fd = LISTEN_FDS_START, on = 0;
	union address address = { .storage = { 0 } };
	socklen_t len = sizeof on;
	unsigned long n;

	if (!count || !pid || strtoul(pid, NULL, 10) != (unsigned long)getpid())
		return 0;
	n = strtoul(count, NULL, 10);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	if (n == 0)
		return 0;
	if (n != 1)
		return why_set(why, -EINVAL, "%lu sockets were handed in, one is wanted",
			       n);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) < 0 || !on)
		return why_set(why, -EINVAL, "what was handed in does not listen");
	len = sizeof address;
	if (getsockname(fd, &address.any, &len) < 0 ||
	    (!beyond_loopback && !is_loopback(&address)))
		return why_set(why, -EPERM,
			       "open mode does not take a socket that others can reach "
			       "unless PARLEY_OPEN_BEYOND_LOOPBACK=yes");
	/* Away from the number at which children expect something else. */
	l->fds[0] = fcntl(fd, F_DUPFD_CLOEXEC, LISTEN_FDS_START);
	if (l->fds[0] < 0 ||
	    fcntl(l->fds[0], F_SETFL, fcntl(l->fds[0], F_GETFL) | O_NONBLOCK) < 0)
		return why_set(why, -errno, "the socket handed in cannot be used");
	close(fd);
	l->n = 1;
	l->shared = true;
	l->port = port_of(l->fds[0]);
	return 1;
}

int listeners_open(struct listeners *ret_listeners, const char *address, unsigned n,
		   bool beyond_loopback, struct why *why)
{
	struct listeners l = { .n = 0 };
	int r = take_given(&l, beyond_loopback, why);

	if (r == 0)
		r = open_all(&l, address, n, beyond_loopback, why);
	if (r < 0) {
		listeners_close(&l);
		return r;
	}
	*ret_listeners = l;
	return 0;
}

void listeners_close(struct listeners *listeners)
{
	for (unsigned i = 0; i < listeners->n; i++)
		close(listeners->fds[i]);
	listeners->n = 0;
}
