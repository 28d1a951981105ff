/* test_listen - the sockets on which clients arrive: one group, one port, or one handed
 * in. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/listen.h"

/* A client that connects and goes again. */
static int connects(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static unsigned waiting(const struct listeners *l)
{
	unsigned n = 0;
	int fd;

	for (unsigned i = 0; i < l->n; i++)
		for (; (fd = accept4(l->fds[i], NULL, NULL, SOCK_CLOEXEC)) >= 0; n++)
			close(fd);
	return n;
}

static void port_0_takes_one_free_port_for_all(void **state)
{
	struct listeners l;
	struct why why;

	(void)state;
	assert_int_equal(listeners_open("127.0.0.1:0", 3, &l, &why), 0);
	assert_int_equal(l.n, 3);
	assert_true(l.port > 0);
	assert_false(l.shared);
	for (int i = 0; i < 20; i++)
		assert_int_equal(connects(l.port), 0);
	assert_int_equal(waiting(&l), 20);
	for (unsigned i = 0; i < l.n; i++) {
		assert_true(fcntl(l.fds[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(l.fds[i], F_GETFL) & O_NONBLOCK);
	}
	listeners_close(&l);
	assert_int_equal(l.n, 0);
}

static void a_port_in_use_is_refused_also_with_our_own_group(void **state)
{
	struct listeners first, second = { .n = 77 };
	char address[64];
	struct why why = { "" };

	(void)state;
	assert_int_equal(listeners_open("127.0.0.1:0", 2, &first, &why), 0);
	snprintf(address, sizeof address, "127.0.0.1:%u", first.port);
	assert_int_equal(listeners_open(address, 2, &second, &why), -EADDRINUSE);
	assert_non_null(strstr(why.text, address));
	assert_int_equal(second.n, 77);
	listeners_close(&first);
	assert_int_equal(listeners_open(address, 2, &second, &why), 0);
	assert_int_equal(second.port, first.port);
	listeners_close(&second);
}

static void ipv6_is_listened_on(void **state)
{
	struct listeners l;
	struct why why;
	int r = listeners_open("[::1]:0", 2, &l, &why);

	(void)state;
	if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT)
		skip(); /* a machine without IPv6 */
	assert_int_equal(r, 0);
	assert_true(l.port > 0);
	listeners_close(&l);
}

static void an_address_that_is_none_is_refused(void **state)
{
	struct listeners l;
	struct why why;

	(void)state;
	assert_int_equal(listeners_open("localhost:0", 1, &l, &why), -EINVAL);
	assert_int_equal(listeners_open("", 1, &l, &why), -EINVAL);
	assert_int_equal(listeners_open("192.0.2.1:0", 1, &l, &why), -EADDRNOTAVAIL);
}

/* ---- handed in ---- */

static int listening(const char *host)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET, host, &own.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void hand_in(const char *count, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof text, "%d", (int)pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_FDNAMES", "parley", 1);
}

static void one_handed_in_is_shared_by_all(void **state)
{
	int fd = listening("127.0.0.1");
	struct listeners l;
	struct why why;

	(void)state;
	hand_in("1", getpid());
	assert_int_equal(listeners_take(fd, false, &l, &why), 1);
	assert_true(l.shared);
	assert_int_equal(l.n, 1);
	assert_int_equal(connects(l.port), 0);
	assert_int_equal(waiting(&l), 1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDNAMES"));
	listeners_close(&l);
}

static void one_meant_for_another_process_is_not_ours(void **state)
{
	struct listeners l;

	(void)state;
	hand_in("1", getpid() + 1);
	assert_int_equal(listeners_take(3, true, &l, NULL), 0);
	assert_null(getenv("LISTEN_FDS"));
	hand_in("0", getpid());
	assert_int_equal(listeners_take(3, true, &l, NULL), 0);
	assert_int_equal(listeners_take(3, true, &l, NULL), 0);
}

static void what_is_not_one_listening_socket_is_refused(void **state)
{
	int stream = socket(AF_INET, SOCK_STREAM, 0), pipes[2];
	struct listeners l;
	struct why why;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	hand_in("2", getpid());
	assert_int_equal(listeners_take(stream, true, &l, &why), -EINVAL);
	hand_in("1", getpid());
	assert_int_equal(listeners_take(stream, true, &l, &why), -EINVAL);
	hand_in("1", getpid());
	assert_int_equal(listeners_take(pipes[0], true, &l, &why), -EINVAL);
	close(stream);
	close(pipes[0]);
	close(pipes[1]);
}

static void one_that_others_can_reach_needs_leave(void **state)
{
	int fd = listening("0.0.0.0");
	struct listeners l;
	struct why why;

	(void)state;
	hand_in("1", getpid());
	assert_int_equal(listeners_take(fd, false, &l, &why), -EINVAL);
	assert_non_null(strstr(why.text, "PARLEY_OPEN_BEYOND_LOOPBACK"));
	hand_in("1", getpid());
	assert_int_equal(listeners_take(fd, true, &l, &why), 1);
	listeners_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_0_takes_one_free_port_for_all),
		cmocka_unit_test(a_port_in_use_is_refused_also_with_our_own_group),
		cmocka_unit_test(ipv6_is_listened_on),
		cmocka_unit_test(an_address_that_is_none_is_refused),
		cmocka_unit_test(one_handed_in_is_shared_by_all),
		cmocka_unit_test(one_meant_for_another_process_is_not_ours),
		cmocka_unit_test(what_is_not_one_listening_socket_is_refused),
		cmocka_unit_test(one_that_others_can_reach_needs_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
