#include "gateway/supervisor/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/settings.h"

enum {
	BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

static socklen_t address_len(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof address->v6
						  : sizeof address->v4;
}

static void set_port(union address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
	else
		address->v4.sin_port = htons(port);
}

static int parse(const char *text, union address *ret_address)
{
	char host[64];
	uint16_t port;
	int r = settings_address(text, host, sizeof host, &port);

	if (r < 0)
		return r;
	memset(ret_address, 0, sizeof *ret_address);
	if (inet_pton(AF_INET, host, &ret_address->v4.sin_addr) == 1) {
		ret_address->any.sa_family = AF_INET;
	} else if (inet_pton(AF_INET6, host, &ret_address->v6.sin6_addr) == 1) {
		ret_address->any.sa_family = AF_INET6;
	} else {
		return -EINVAL;
	}
	set_port(ret_address, port);
	return 0;
}

/* Where a socket is bound; all zero if that cannot be told. */
static union address own_address(int fd)
{
	union address own;
	socklen_t len = sizeof own;

	memset(&own, 0, sizeof own);
	(void)getsockname(fd, &own.any, &len);
	return own;
}

/* 0 for a family without ports. */
static uint16_t port_of(int fd)
{
	union address own = own_address(fd);

	if (own.any.sa_family == AF_INET6)
		return ntohs(own.v6.sin6_port);
	return own.any.sa_family == AF_INET ? ntohs(own.v4.sin_port) : 0;
}

/* A socket bound to the address; with `reuseport` others of us may be, too. */
static int bound(const union address *address, bool reuseport)
{
	int one = 1, r = 0;
	int fd = socket(address->any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    (reuseport &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0) ||
	    bind(fd, &address->any, address_len(address)) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* Whether nobody listens there yet, us included. */
static int is_free(const union address *address)
{
	int fd = bound(address, false), r = 0;

	if (fd < 0)
		return fd;
	/* Bound beside a listener with SO_REUSEADDR it may be, but not listening. */
	if (listen(fd, 1) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int open_one(union address *address, struct listeners *listeners)
{
	int r, fd = bound(address, true);

	if (fd < 0)
		return fd;
	if (listen(fd, BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	listeners->fds[listeners->n++] = fd;
	listeners->port = port_of(fd);
	set_port(address, listeners->port);
	return 0;
}

int listeners_open(const char *text, unsigned n, struct listeners *ret_listeners,
		   struct why *why)
{
	struct listeners listeners = { .n = 0 };
	union address address;
	int r = parse(text, &address);

	CHECK(n > 0 && n <= SEGMENT_SEATS_MAX);
	if (r == 0)
		r = is_free(&address);
	while (r == 0 && listeners.n < n)
		r = open_one(&address, &listeners);
	if (r < 0) {
		listeners_close(&listeners);
		return why_set(why, r, "cannot listen on %s: %s", text, strerror(-r));
	}
	*ret_listeners = listeners;
	return 0;
}

/* ---- handed in ---- */

/* The number in an environment variable; 0 when there is none. */
static long take_number(const char *name)
{
	const char *text = getenv(name);
	long value = text ? strtol(text, NULL, 10) : 0;

	(void)unsetenv(name); /* fails only for a bad name */
	return value;
}

static bool is_local(int fd)
{
	union address own = own_address(fd);

	if (own.any.sa_family == AF_INET)
		return ntohl(own.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (own.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&own.v6.sin6_addr);
	return own.any.sa_family == AF_UNIX;
}

static bool is_listening(int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return false;
	len = sizeof listening;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		return false;
	return type == SOCK_STREAM && listening;
}

int listeners_take(int first_fd, bool beyond_loopback, struct listeners *ret_listeners,
		   struct why *why)
{
	long pid = take_number("LISTEN_PID"), n = take_number("LISTEN_FDS");
	struct listeners listeners = { .n = 1, .shared = true, .fds = { first_fd } };
	int flags;

	(void)unsetenv("LISTEN_FDNAMES");
	if (n == 0 || pid != getpid())
		return 0;
	if (n != 1)
		return why_set(why, -EINVAL,
			       "%ld sockets were handed in, but one is needed", n);
	if (!is_listening(first_fd))
		return why_set(why, -EINVAL,
			       "what was handed in is not a listening stream socket");
	if (!beyond_loopback && !is_local(first_fd))
		return why_set(
			why, -EINVAL,
			"the socket handed in can be reached by others, which open "
			"mode does only with PARLEY_OPEN_BEYOND_LOOPBACK=yes");
	flags = fcntl(first_fd, F_GETFL);
	if (flags < 0 || fcntl(first_fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(first_fd, F_SETFD, FD_CLOEXEC) < 0)
		return why_set(why, -errno, "cannot use the socket handed in: %s",
			       strerror(errno));
	listeners.port = port_of(first_fd);
	*ret_listeners = listeners;
	return 1;
}

void listeners_close(struct listeners *listeners)
{
	for (unsigned i = 0; i < listeners->n; i++)
		close(listeners->fds[i]);
	listeners->n = 0;
}
