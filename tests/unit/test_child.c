/* test_child - a process in its slot: every event in every state. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/settings.h"
#include "gateway/supervisor/child.h"

/* What the kernel would have got. */
static struct {
	int signals[8];
	unsigned n;
	pid_t pid;
} sent;

static int on_kill(pid_t pid, int signal)
{
	assert_in_range(sent.n, 0, 7);
	sent.pid = pid;
	sent.signals[sent.n++] = signal;
	return 0;
}

struct bench {
	struct child child;
	struct segment_child words;
};

/* A child that was started at 1000, to be ready at 2000. */
static struct child *started(struct bench *bench)
{
	memset(bench, 0, sizeof *bench);
	memset(&sent, 0, sizeof sent);
	child_init(&bench->child, 3, &bench->words);
	bench->child.kill = on_kill;
	child_announce(&bench->child, ROLE_WORKER, 1, 42);
	child_spawned(&bench->child, 777, 1000, 2000);
	return &bench->child;
}

static struct child *up(struct bench *bench)
{
	child_ready(started(bench), 1500);
	return &bench->child;
}

static int exited(int code)
{
	return code << 8;
}

static enum exit_reason reason(struct child *child, int status)
{
	return child_end_of(child, status).reason;
}

static void the_table_is_this_one(void **state)
{
	/* Rows: states; columns: spawned ready stop abort dumps overdue ended. */
	static const char *const next[CHILD_STATE_COUNT] = {
		[CHILD_free] = "s......",     [CHILD_starting] = ".ut.aaf",
		[CHILD_up] = "..taa.f",       [CHILD_stopping] = ".tt.aaf",
		[CHILD_aborting] = ".aa.aaf",
	};
	static const char letters[] = "fsuta"; /* free starting up sTopping aborting */

	(void)state;
	for (unsigned s = 0; s < CHILD_STATE_COUNT; s++) {
		for (unsigned e = 0; e < CHILD_EVENT_COUNT; e++) {
			enum child_state to = CHILD_STATE_COUNT;
			bool may = child_step(s, e, &to);

			assert_int_equal(may, next[s][e] != '.');
			if (may)
				assert_int_equal(letters[to], next[s][e]);
		}
	}
}

static void every_change_is_published(void **state)
{
	struct bench b;
	struct child *c = started(&b);

	(void)state;
	assert_int_equal(word_get(&b.words.state), CHILD_starting);
	assert_int_equal(word_get(&b.words.pid), 777);
	assert_int_equal(word_get(&b.words.seat), 1);
	assert_int_equal(word_get(&b.words.generation), 42);
	child_ready(c, 1500);
	assert_int_equal(word_get(&b.words.state), CHILD_up);
	child_set_hang(c, HANG_loop);
	assert_int_equal(word_get(&b.words.hang), HANG_loop);
	child_stop(c, 9000);
	assert_int_equal(word_get(&b.words.state), CHILD_stopping);
	child_ended(c);
	assert_int_equal(word_get(&b.words.state), CHILD_free);
	assert_int_equal(word_get(&b.words.hang), HANG_none);
	assert_int_equal(word_get(&b.words.pid), 0);
	/* By which readers know whose totals the slot still holds. */
	assert_int_equal(word_get(&b.words.generation), 42);
}

static void one_that_is_never_ready_is_killed(void **state)
{
	struct bench b;
	struct child *c = started(&b);

	(void)state;
	child_tick(c, 1999);
	assert_int_equal(sent.n, 0);
	child_tick(c, 2000);
	child_tick(c, 5000);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.pid, 777);
	assert_int_equal(sent.signals[0], SIGKILL);
	assert_int_equal(reason(c, SIGKILL), EXIT_never_ready);
}

static void once_ready_it_has_no_deadline(void **state)
{
	struct bench b;
	struct child *c = up(&b);

	(void)state;
	child_tick(c, UINT64_MAX);
	assert_int_equal(sent.n, 0);
}

static void asked_to_leave_it_is_killed_at_the_deadline(void **state)
{
	struct bench b;
	struct child *c = up(&b);

	(void)state;
	child_stop(c, 9000);
	child_stop(c, 12000); /* later: does not count */
	child_stop(c, 8000);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.signals[0], SIGTERM);
	child_tick(c, 7999);
	assert_int_equal(sent.n, 1);
	child_tick(c, 8000);
	assert_int_equal(sent.n, 2);
	assert_int_equal(sent.signals[1], SIGKILL);
	child_stop(c, 20000); /* hurried: it has had its KILL */
	child_tick(c, 30000);
	assert_int_equal(sent.n, 2);
	assert_int_equal(reason(c, SIGKILL), EXIT_asked);
}

static void a_hung_one_gets_abort_and_cont_and_in_the_end_kill(void **state)
{
	struct bench b;
	struct child *c = up(&b);

	(void)state;
	child_abort(c, 5000);
	assert_int_equal(sent.n, 2);
	assert_int_equal(sent.signals[0], SIGABRT);
	assert_int_equal(sent.signals[1], SIGCONT);
	child_tick(c, 5000 + CHILD_ABORT_GRACE_MS - 1);
	assert_int_equal(sent.n, 2);
	child_tick(c, 5000 + CHILD_ABORT_GRACE_MS);
	assert_int_equal(sent.signals[2], SIGKILL);
	assert_int_equal(reason(c, SIGABRT), EXIT_hung);
	assert_int_equal(reason(c, SIGKILL), EXIT_hung);
}

static void one_that_dumps_core_is_left_alone_for_a_while(void **state)
{
	struct bench b;
	struct child *c = up(&b);

	(void)state;
	child_dumps(c, 5000);
	assert_int_equal(c->state, CHILD_aborting);
	child_tick(c, 5000 + CHILD_DUMP_MAX_MS - 1);
	assert_int_equal(sent.n, 0);
	child_tick(c, 5000 + CHILD_DUMP_MAX_MS);
	assert_int_equal(sent.signals[0], SIGKILL);
	assert_int_equal(reason(c, SIGSEGV), EXIT_crashed);
}

static void a_pause_of_the_machine_moves_deadlines_and_forgives_silence(void **state)
{
	struct bench b;
	struct child *c = started(&b);

	(void)state;
	child_rearm(c, 61000, 60000);
	child_tick(c, 61999);
	assert_int_equal(sent.n, 0);
	assert_int_equal(c->beat_seen_ms, 61000);
	child_tick(c, 62000);
	assert_int_equal(sent.n, 1);
}

static void the_reason_of_an_end_is_told(void **state)
{
	struct bench b;
	struct child *c = up(&b);
	struct child_end end = child_end_of(c, SIGSEGV | 0x80);

	(void)state;
	assert_int_equal(end.signal, SIGSEGV);
	assert_int_equal(end.code, 0);
	assert_int_equal(end.reason, EXIT_crashed);
	assert_int_equal(reason(c, SIGABRT), EXIT_crashed);
	assert_int_equal(reason(c, SIGKILL), EXIT_killed);
	assert_int_equal(reason(c, SIGTERM), EXIT_killed);
	assert_int_equal(reason(c, exited(0)), EXIT_exited);
	assert_int_equal(reason(c, exited(1)), EXIT_exited);
	assert_int_equal(reason(c, exited(SETTINGS_EXIT)), EXIT_config);
	child_stop(c, 9000);
	assert_int_equal(reason(c, exited(0)), EXIT_asked);
	assert_int_equal(reason(c, SIGTERM), EXIT_asked);
	assert_int_equal(reason(c, exited(1)), EXIT_exited);
	assert_int_equal(reason(c, SIGSEGV), EXIT_crashed);
	assert_int_equal(reason(c, SIGKILL), EXIT_killed); /* not by us */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_this_one),
		cmocka_unit_test(every_change_is_published),
		cmocka_unit_test(one_that_is_never_ready_is_killed),
		cmocka_unit_test(once_ready_it_has_no_deadline),
		cmocka_unit_test(asked_to_leave_it_is_killed_at_the_deadline),
		cmocka_unit_test(a_hung_one_gets_abort_and_cont_and_in_the_end_kill),
		cmocka_unit_test(one_that_dumps_core_is_left_alone_for_a_while),
		cmocka_unit_test(
			a_pause_of_the_machine_moves_deadlines_and_forgives_silence),
		cmocka_unit_test(the_reason_of_an_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
