/* What the kernel's list says of the counts, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "healthd/audit.h"
#include "healthd/audit_list.h"
#include "tests/unit/fake_snapshot.h"

enum {
	ACCEPTED = 5,
	WAITING = 3,
	PATIENCE_MS = 20000
};

/* The test is its own gateway: it listens, has accepted some, and lets others wait. */
static int listener, clients[ACCEPTED + WAITING], accepted[ACCEPTED];
static uint16_t port;
static uv_loop_t loop;
static struct audit *audit;
static const struct audit_found *found;
static struct snapshot seen;

static int set_up(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	port = ntohs(at.sin_port);
	for (unsigned i = 0; i < ACCEPTED + WAITING; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&at, sizeof at),
				 0);
		if (i < ACCEPTED)
			accepted[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	fake_gateway(&seen);
	seen.port = port;
	seen.slots[0].pid = (uint64_t)getpid();
	seen.slots[0].counters[COUNTER_links_active] = 3;
	seen.slots[0].counters[COUNTER_links_handshaking] = 1;
	seen.slots[0].counters[COUNTER_links_canary] = 1;
	seen.slots[1].alive = false;
	assert_int_equal(uv_loop_init(&loop), 0);
	audit = audit_new(&loop, 100, 1000);
	assert_non_null(audit);
	found = audit_found(audit);
	return 0;
}

static int tear_down(void **state)
{
	audit_close(audit);
	uv_run(&loop, UV_RUN_DEFAULT);
	audit_free(audit);
	assert_int_equal(uv_loop_close(&loop), 0);
	for (unsigned i = 0; i < ACCEPTED + WAITING; i++)
		close(clients[i]);
	for (unsigned i = 0; i < ACCEPTED; i++)
		close(accepted[i]);
	if (listener >= 0)
		close(listener);
	return 0;
}

static void turn(void)
{
	audit_look(audit, &seen, clock_mono_ns());
	uv_run(&loop, UV_RUN_NOWAIT);
}

#define AWAIT(condition)                                                                 \
	do {                                                                             \
		uint64_t until = clock_mono_ns() + PATIENCE_MS * MS_NS;                  \
		while (!(condition)) {                                                   \
			turn();                                                          \
			if (clock_mono_ns() > until)                                     \
				fail_msg("%s: %s, %s", #condition,                       \
					 audit_state_name(found->state), found->reason); \
		}                                                                        \
	} while (0)

static void says(const char *text)
{
	if (!strstr(found->reason, text))
		fail_msg("'%s' is not in '%s'", text, found->reason);
}

/* ---- the list ------------------------------------------------------------------- */

static void both_ways_list_what_was_accepted_and_not_closed(void **state)
{
	struct audit_list diag, proc;

	audit_list_init(&diag, port, NULL);
	audit_list_init(&proc, port, NULL);
	assert_int_equal(audit_list_diag(&diag), 0);
	assert_int_equal(audit_list_proc(&proc), 0);
	audit_list_sort(&diag);
	audit_list_sort(&proc);
	assert_int_equal(diag.n, ACCEPTED);
	assert_int_equal(proc.n, ACCEPTED);
	assert_memory_equal(diag.inodes, proc.inodes, ACCEPTED * sizeof *diag.inodes);
	assert_int_equal(diag.n_listeners, 1);
	assert_int_equal(proc.n_listeners, 1);
	assert_int_equal(audit_list_of(&diag, getpid()), ACCEPTED);
	assert_true(audit_list_of(&diag, getppid()) < 0);
	audit_list_release(&diag);
	audit_list_release(&proc);
}

static void a_peer_that_has_hung_up_is_there_until_it_is_closed(void **state)
{
	struct audit_list list;

	assert_int_equal(shutdown(clients[0], SHUT_WR), 0);
	audit_list_init(&list, port, NULL);
	assert_int_equal(audit_list_diag(&list), 0);
	assert_int_equal(list.n, ACCEPTED);
	audit_list_release(&list);
	close(accepted[0]);
	audit_list_init(&list, port, NULL);
	assert_int_equal(audit_list_diag(&list), 0);
	assert_int_equal(list.n, ACCEPTED - 1);
	audit_list_release(&list);
	accepted[0] = dup(accepted[1]);
}

static void what_is_stopped_stops(void **state)
{
	atomic_bool stop = true;
	struct audit_list list;

	audit_list_init(&list, port, &stop);
	assert_int_equal(audit_list_diag(&list), -ECANCELED);
	assert_int_equal(audit_list_proc(&list), -ECANCELED);
	audit_list_release(&list);
}

static void lines_and_messages_that_make_no_sense_are_passed_over(void **state)
{
	static const char *const lines[] = {
		"",
		"  sl  local_address rem_address   st",
		"   0: 0100007F:1F90 00000000:0000 0A",
		"   0: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 "
		"00000000     0        0 0 1",
		"   0: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 "
		"00000000     0        0 77 1",
		"   0: 0100007F:1F90 0100007F:9999 06 00000000:00000000 00:00000000 "
		"00000000     0        0 77 1",
	};
	static const char good[] =
		"   0: 0100007F:1F90 0100007F:9999 01 00000000:00000000 02:00000A1B "
		"00000000  1000        0 77 2 0000000000000000 20 4 30 10 -1";
	static const char six[] =
		"  12: 0000000000000000FFFF00000100007F:1F90 "
		"0000000000000000FFFF00000100007F:9999 08 00000000:00000000 00:00000000 "
		"00000000  1000        0 78 1";
	struct audit_list list;

	audit_list_init(&list, 8080, NULL);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_int_equal(audit_take_proc(&list, lines[i]), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(audit_take_proc(&list, good), 0);
	assert_int_equal(audit_take_proc(&list, six), 0);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.inodes[0], 77);
	assert_int_equal(audit_take_diag(&list, "\xff\xff\xff\xff________________", 20),
			 -EBADMSG);
	assert_int_equal(audit_take_diag(&list, "\1\0\0\0____________", 16), -EBADMSG);
	assert_int_equal(audit_take_diag(&list, "", 0), 0);
	audit_list_release(&list);
}

/* ---- the arithmetic ------------------------------------------------------------- */

static int64_t drift(int64_t sockets, int64_t links, int64_t came, int64_t links_after)
{
	const struct audit_count before = { .alive = true, .links = links }, after = {
		.alive = true, .links = links_after, .accepted = came
	};

	return audit_drift(sockets, &before, &after, 1);
}

static void counts_that_stand_still_are_compared_exactly(void **state)
{
	assert_int_equal(drift(100, 100, 0, 100), 0);
	assert_int_equal(drift(101, 100, 0, 100), 1);
	assert_int_equal(drift(99, 100, 0, 100), -1);
	assert_int_equal(drift(0, 0, 0, 0), 0);
}

static void counts_that_move_are_compared_with_what_may_have_been(void **state)
{
	/* 10 came and 30 went: at least 70 were there all the time, at most 110 ever. */
	assert_int_equal(drift(70, 100, 10, 80), 0);
	assert_int_equal(drift(110, 100, 10, 80), 0);
	assert_int_equal(drift(69, 100, 10, 80), -1);
	assert_int_equal(drift(111, 100, 10, 80), 1);
	assert_int_equal(drift(5, 0, 10, 3), 0);
	assert_int_equal(drift(7, 1, 0, 100), 0); /* that cannot be: wait */
}

/* ---- the verdict ---------------------------------------------------------------- */

static void right_counts_are_ok_by_worker(void **state)
{
	AWAIT(found->state == AUDIT_ok);
	assert_true(found->known && found->per_worker);
	assert_int_equal(found->drift, 0);
	assert_int_equal(found->sockets, ACCEPTED);
	assert_int_equal(found->seats[0].sockets, ACCEPTED);
	assert_string_equal(found->source, "sock_diag");
	assert_string_equal(found->reason, "");
}

static void a_false_count_is_told_as_that_workers_once_it_stays(void **state)
{
	AWAIT(found->state == AUDIT_ok);
	seen.slots[0].counters[COUNTER_links_active] = 7;
	AWAIT(found->n_looks >= 2);
	assert_int_equal(found->state, AUDIT_ok); /* one look is none */
	AWAIT(found->state == AUDIT_degraded);
	says("worker 0: the kernel has 4 connections fewer than are counted");
	assert_int_equal(found->drift, -4);
	assert_int_equal(found->seats[0].drift, -4);
	seen.slots[0].counters[COUNTER_links_active] = 3;
	AWAIT(found->state == AUDIT_ok);
	assert_int_equal(found->drift, 0);
	seen.slots[0].counters[COUNTER_links_active] = 1;
	AWAIT(found->state == AUDIT_degraded);
	says("worker 0: the kernel has 2 connections more than are counted");
}

static void who_may_not_be_seen_is_compared_with_the_others_together(void **state)
{
	seen.slots[0].pid = (uint64_t)getppid();
	AWAIT(found->state == AUDIT_ok);
	assert_false(found->per_worker || found->seats[0].known);
	says("only all workers together");
	seen.slots[0].counters[COUNTER_links_active] = 4;
	AWAIT(found->state == AUDIT_degraded);
	says("the kernel has 1 connections fewer");
	assert_int_equal(found->drift, -1);
}

static void another_network_namespace_is_no_drift(void **state)
{
	close(listener);
	listener = -1;
	AWAIT(strstr(found->reason, "another network namespace"));
	assert_int_equal(found->state, AUDIT_unknown);
	assert_false(found->known);
}

static void workers_that_come_and_go_or_hang_are_no_drift(void **state)
{
	AWAIT(found->state == AUDIT_ok);
	fake_hang(&seen, 0, HANG_stopped, 5000);
	seen.slots[0].counters[COUNTER_links_active] = 100;
	AWAIT(found->state == AUDIT_unknown);
	says("hangs");
	fake_hang(&seen, 0, HANG_none, 0);
	seen.slots[0].counters[COUNTER_links_active] = 3;
	AWAIT(found->state == AUDIT_ok);
	fake_death(&seen);
	turn();
	AWAIT(found->state == AUDIT_unknown);
	says("no gateway");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(both_ways_list_what_was_accepted_and_not_closed),
		TEST(a_peer_that_has_hung_up_is_there_until_it_is_closed),
		TEST(what_is_stopped_stops),
		TEST(lines_and_messages_that_make_no_sense_are_passed_over),
		TEST(counts_that_stand_still_are_compared_exactly),
		TEST(counts_that_move_are_compared_with_what_may_have_been),
		TEST(right_counts_are_ok_by_worker),
		TEST(a_false_count_is_told_as_that_workers_once_it_stays),
		TEST(who_may_not_be_seen_is_compared_with_the_others_together),
		TEST(another_network_namespace_is_no_drift),
		TEST(workers_that_come_and_go_or_hang_are_no_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
