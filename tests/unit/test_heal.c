/* Whom the supervisor replaces and aborts when, over stopped processes that are real. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/parts.h"

enum {
	N_WORKERS = 2,
	SEQUENCER_SEAT = N_WORKERS,
	SEQUENCER_SLOT = 2 * N_WORKERS,
	TICK_MS = 100,
};

static struct supervisor *s;
static char name[64];
static uint64_t now_ms;
static pid_t stopped; /* stands for every process that hangs */
static unsigned n_replaced[SEGMENT_SEATS_MAX];

/* What heal.c asks of the rest. */
void processes_replace(struct supervisor *supervisor, struct seat *seat, bool restart)
{
	assert_true(restart);
	n_replaced[seat->index]++;
}
void processes_wake(struct supervisor *supervisor)
{
}
void processes_tell(struct supervisor *supervisor)
{
}

static int swallow(pid_t pid, int signal)
{
	return 0;
}

static void start_stopped(void)
{
	stopped = fork();
	assert_true(stopped >= 0);
	if (stopped == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			raise(SIGSTOP);
	}
	assert_int_equal(waitpid(stopped, NULL, WUNTRACED), stopped);
}

static void fill(unsigned seat, unsigned slot, enum role role)
{
	struct child *child = &s->children[slot];

	seat_init(&s->seats[seat], seat, role, segment_seat(s->segment, seat));
	child_announce(child, role, seat, slot + 1);
	child_spawned(child, stopped, now_ms, now_ms + 10000);
	seat_started(&s->seats[seat], child, false, now_ms);
	child_ready(child, now_ms);
	seat_ready(&s->seats[seat], child, now_ms);
	child->kill = swallow;
}

static int set_up(void **state)
{
	const struct segment_shape shape = { .n_workers = N_WORKERS, .group = "" };
	struct why why;

	s = calloc(1, sizeof *s);
	assert_non_null(s);
	snprintf(name, sizeof name, "parley-unit-heal-%ld", (long)getpid());
	assert_int_equal(segment_create(name, &shape, &s->segment, &why), 0);
	s->words = segment_supervisor(s->segment);
	settings_defaults(&s->settings);
	s->state = GATEWAY_running;
	s->n_workers = N_WORKERS;
	s->n_seats = segment_seats(N_WORKERS);
	s->n_slots = segment_slots(N_WORKERS);
	now_ms = 1000000;
	memset(n_replaced, 0, sizeof n_replaced);
	start_stopped();
	for (unsigned i = 0; i < s->n_slots; i++)
		child_init(&s->children[i], i, segment_child(s->segment, i));
	fill(0, 0, ROLE_WORKER);
	fill(1, 1, ROLE_WORKER);
	fill(SEQUENCER_SEAT, SEQUENCER_SLOT, ROLE_SEQUENCER);
	return 0;
}

static int tear_down(void **state)
{
	kill(stopped, SIGKILL);
	assert_int_equal(waitpid(stopped, NULL, 0), stopped);
	segment_close(s->segment, true);
	free(s);
	return 0;
}

/* Ticks for `ms`, in which the slots of `turning` (one bit each) beat. */
static void pass(uint64_t ms, unsigned turning)
{
	for (uint64_t end_ms = now_ms + ms; now_ms < end_ms;) {
		now_ms += TICK_MS;
		for (unsigned i = 0; i < s->n_slots; i++)
			if (turning & 1u << i)
				word_add(&segment_slot(s->segment, i)->beat, 1);
		heal_tick(s, now_ms);
	}
}

enum {
	FIRST = 1,
	SECOND = 2,
	SEQUENCER = 1 << SEQUENCER_SLOT
};

static bool is_aborted(unsigned slot)
{
	return s->children[slot].state == CHILD_aborting;
}

static void who_turns_is_left_alone(void **state)
{
	pass(60000, FIRST | SECOND | SEQUENCER);
	assert_int_equal(s->children[0].state, CHILD_up);
	assert_int_equal(word_get(&s->words->aborts), 0);
	assert_int_equal(n_replaced[0] + n_replaced[1], 0);
}

static void a_hang_is_reported_in_one_second_and_acted_on_after_three(void **state)
{
	pass(900, SECOND | SEQUENCER);
	assert_int_equal(s->children[0].hang, HANG_none);
	pass(100, SECOND | SEQUENCER);
	assert_int_equal(s->children[0].hang, HANG_stopped);
	pass(1900, SECOND | SEQUENCER);
	assert_int_equal(n_replaced[0], 0);
	assert_false(is_aborted(0));
	pass(100, SECOND | SEQUENCER);
	assert_true(n_replaced[0] > 0);
	assert_true(is_aborted(0));
	assert_int_equal(word_get(&s->words->aborts), 1);
	assert_int_equal(n_replaced[1], 0);
}

static void a_beat_takes_the_hang_back(void **state)
{
	pass(2900, SECOND | SEQUENCER);
	assert_int_equal(s->children[0].hang, HANG_stopped);
	pass(100, FIRST | SECOND | SEQUENCER);
	assert_int_equal(s->children[0].hang, HANG_none);
	pass(2900, SECOND | SEQUENCER);
	assert_false(is_aborted(0));
}

static void never_more_than_one_abort_in_thirty_seconds(void **state)
{
	/* A replacement for each turns already, so that nobody is the last. */
	fill(0, 2, ROLE_WORKER);
	fill(1, 3, ROLE_WORKER);
	pass(3000, 1 << 2 | 1 << 3 | SEQUENCER);
	assert_true(is_aborted(0));
	assert_false(is_aborted(1));
	pass(29900, 1 << 2 | 1 << 3 | SEQUENCER);
	assert_false(is_aborted(1));
	assert_int_equal(word_get(&s->words->aborts), 1);
	pass(100, 1 << 2 | 1 << 3 | SEQUENCER);
	assert_true(is_aborted(1));
	assert_int_equal(word_get(&s->words->aborts), 2);
}

static void never_the_last_ready_worker_before_thirty_seconds(void **state)
{
	pass(29900, SEQUENCER);
	assert_false(is_aborted(0) || is_aborted(1));
	/* Others are started beside them meanwhile. */
	assert_true(n_replaced[0] > 0 && n_replaced[1] > 0);
	pass(100, SEQUENCER);
	assert_true(is_aborted(0));
	assert_false(is_aborted(1));
}

static void the_only_sequencer_goes_at_once(void **state)
{
	pass(2900, FIRST | SECOND);
	assert_false(is_aborted(SEQUENCER_SLOT));
	pass(100, FIRST | SECOND);
	assert_true(is_aborted(SEQUENCER_SLOT));
	/* There can be but one: its successor starts when it is gone. */
	assert_int_equal(n_replaced[SEQUENCER_SEAT], 0);
}

static void a_leaving_gateway_aborts_nobody(void **state)
{
	s->state = GATEWAY_draining;
	pass(60000, SECOND | SEQUENCER);
	assert_int_equal(s->children[0].hang, HANG_stopped);
	assert_int_equal(word_get(&s->words->aborts), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_turns_is_left_alone),
		T(a_hang_is_reported_in_one_second_and_acted_on_after_three),
		T(a_beat_takes_the_hang_back),
		T(never_more_than_one_abort_in_thirty_seconds),
		T(never_the_last_ready_worker_before_thirty_seconds),
		T(the_only_sequencer_goes_at_once),
		T(a_leaving_gateway_aborts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
