/* The service manager hears what we say, at a path and at an abstract name, and its
 * absence or a wrong address is no more than an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/notify.h"

/* The manager's side: a bound datagram socket. `name` as in NOTIFY_SOCKET. */
static int manager(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(at.sun_path, name, len);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void hears(int fd, const char *text)
{
	char got[256];
	ssize_t n = recv(fd, got, sizeof got - 1, 0);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void without_a_manager_nothing_is_sent(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_send("READY=1"), 0);
}

static void a_manager_at_a_path_hears_whole_lines(void **state)
{
	char dir[] = "/tmp/parley-notify.XXXXXX", path[64];
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/socket", dir);
	fd = manager(path);
	assert_int_equal(notify_send("READY=1\nSTATUS=serving 2 of 2"), 1);
	hears(fd, "READY=1\nSTATUS=serving 2 of 2");
	close(fd);
	unlink(path);
	rmdir(dir);
}

static void a_manager_at_an_abstract_name_hears_too(void **state)
{
	char name[64];
	int fd;

	snprintf(name, sizeof name, "@parley-notify-%d", (int)getpid());
	fd = manager(name);
	assert_int_equal(notify_send("WATCHDOG=1"), 1);
	hears(fd, "WATCHDOG=1");
	close(fd);
}

static void a_full_queue_does_not_block(void **state)
{
	char name[64];
	int fd, rc = 1;

	snprintf(name, sizeof name, "@parley-notify-full-%d", (int)getpid());
	fd = manager(name);
	for (int i = 0; i < 100000 && rc == 1; i++)
		rc = notify_send("WATCHDOG=1");
	assert_int_equal(rc, -EAGAIN);
	close(fd);
}

static void a_wrong_address_is_an_error(void **state)
{
	char name[200];

	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	memset(name, 'a', sizeof name - 1);
	name[0] = '/';
	name[sizeof name - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send("READY=1"), -ENAMETOOLONG);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	assert_int_equal(notify_send("READY=1"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_manager_nothing_is_sent),
		cmocka_unit_test(a_manager_at_a_path_hears_whole_lines),
		cmocka_unit_test(a_manager_at_an_abstract_name_hears_too),
		cmocka_unit_test(a_full_queue_does_not_block),
		cmocka_unit_test(a_wrong_address_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
