/* test_manager - what the service manager is told, also when its queue is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/manager.h"

/* The service manager's end, in the abstract namespace. */
static int open_manager(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	char name[64];
	int len = snprintf(name, sizeof name, "@parley-test-manager-%d", (int)getpid());

	memcpy(own.sun_path + 1, name + 1, (size_t)len - 1);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&own,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* The next that it was told; "" for nothing. */
static const char *told(int fd, char text[512])
{
	ssize_t n = recv(fd, text, 511, 0);

	text[n > 0 ? n : 0] = 0;
	return text;
}

static int set_up(void **state)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*state = calloc(1, sizeof(int));
	if (!*state)
		return -1;
	*(int *)*state = open_manager();
	return 0;
}

static int tear_down(void **state)
{
	close(*(int *)*state);
	free(*state);
	return 0;
}

static void lines_go_out_as_they_are(void **state)
{
	int fd = *(int *)*state;
	struct manager m;
	char text[512];

	manager_init(&m);
	manager_tell(&m, "READY=1");
	assert_string_equal(told(fd, text), "READY=1");
}

static void a_status_is_told_once(void **state)
{
	int fd = *(int *)*state;
	struct manager m;
	char text[512];

	manager_init(&m);
	manager_status(&m, "serving %d of %d workers", 1, 2);
	manager_status(&m, "serving %d of %d workers", 1, 2);
	manager_status(&m, "serving %d of %d workers", 2, 2);
	assert_string_equal(told(fd, text), "STATUS=serving 1 of 2 workers");
	assert_string_equal(told(fd, text), "STATUS=serving 2 of 2 workers");
	assert_string_equal(told(fd, text), "");
}

static void the_watchdog_is_petted_at_half_of_its_time(void **state)
{
	int fd = *(int *)*state;
	struct manager m;
	char text[512];

	setenv("WATCHDOG_USEC", "5000000", 1);
	manager_init(&m);
	for (uint64_t now_ms = 10000; now_ms < 15000; now_ms += 100)
		manager_tick(&m, now_ms);
	assert_string_equal(told(fd, text), "WATCHDOG=1");
	assert_string_equal(told(fd, text), "WATCHDOG=1");
	assert_string_equal(told(fd, text), "");
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
	int fd = *(int *)*state;
	struct manager m;
	char text[512];

	setenv("WATCHDOG_USEC", "5000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	manager_init(&m);
	manager_tick(&m, 10000);
	assert_string_equal(told(fd, text), "");
}

static void what_a_full_queue_refuses_is_told_later(void **state)
{
	int fd = *(int *)*state, n = 0;
	struct manager m;
	char text[512];

	manager_init(&m);
	while (!*m.pending && n++ < 100000)
		manager_tell(&m, "STATUS=filling");
	manager_tell(&m, "READY=1");
	manager_tick(&m, 0);
	assert_non_null(strstr(m.pending, "READY=1"));
	while (*told(fd, text))
		assert_string_equal(text, "STATUS=filling");
	manager_tick(&m, 100);
	assert_string_equal(told(fd, text), "STATUS=filling\nREADY=1");
	assert_string_equal(m.pending, "");
}

static void what_waits_is_bounded(void **state)
{
	struct manager m;

	(void)state;
	manager_init(&m);
	snprintf(m.pending, sizeof m.pending, "X=1");
	for (int i = 0; i < 1000; i++)
		manager_tell(&m, "STATUS=another line that has to wait");
	assert_true(strlen(m.pending) < sizeof m.pending);
	assert_non_null(strstr(m.pending, "STATUS=another"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(lines_go_out_as_they_are),
		TEST(a_status_is_told_once),
		TEST(the_watchdog_is_petted_at_half_of_its_time),
		TEST(a_watchdog_of_another_process_is_not_ours),
		TEST(what_a_full_queue_refuses_is_told_later),
		TEST(what_waits_is_bounded),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
