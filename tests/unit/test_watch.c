/* The watcher's clock and memory, over a real segment whose writer does as it is told. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/segment_writer.h"
#include "healthd/watch.h"
#include "tests/unit/fake_snapshot.h"

static char name[64];
static struct watch *watch;
static uint64_t now_ns;
/* The supervisor is another process, since nobody sees a lock of his own. */
static pid_t supervisor;
static int orders, answers;

enum {
	SEQUENCER_SEAT = 1,
	SEQUENCER_SLOT = 2
};

/* A process for whose life the supervisor vouches. */
static struct segment_slot *give(struct segment *segment, unsigned at, enum role role)
{
	unsigned place = role == ROLE_SEQUENCER ? SEQUENCER_SEAT : 0;
	struct segment_slot *slot = segment_slot(segment, at);
	struct segment_child *child = segment_child(segment, at);
	struct segment_seat *seat = segment_seat(segment, place);

	word_set(&slot->generation, 1);
	word_set(&slot->unlocked, 1);
	word_set(&child->role, role);
	word_set(&child->seat, place);
	word_set(&child->state, CHILD_up);
	word_set(&seat->role, role);
	word_set(&seat->slot, at + 1);
	word_set(&seat->state, SEAT_serving);
	return slot;
}

static void give_sequencer(struct segment *segment)
{
	struct segment_slot *slot = give(segment, SEQUENCER_SLOT, ROLE_SEQUENCER);

	counter_set(slot, COUNTER_store_driver, 2);
	counter_set(slot, COUNTER_store_state, 1);
}

static void give_worker(struct segment *segment)
{
	struct segment_slot *slot = give(segment, 0, ROLE_WORKER);

	word_set(&slot->ready, 1);
	counter_set(slot, COUNTER_listeners, 1);
}

static void obey(struct segment *segment, char order)
{
	struct segment_header *header = segment_header(segment);
	struct segment_slot *store = segment_slot(segment, SEQUENCER_SLOT);
	word *sequence = (word *)((char *)header + header->sequences_offset);

	switch (order) {
	case 'b':
		word_add(&segment_supervisor(segment)->beat, 1);
		word_add(&segment_slot(segment, 0)->beat, 1);
		word_add(&segment_slot(segment, SEQUENCER_SLOT)->beat, 1);
		break;
	case 'w': give_worker(segment); break;
	case 's': give_sequencer(segment); break;
	case 'u': counter_set(store, COUNTER_store_state, 1); break; /* up */
	case 'd': counter_set(store, COUNTER_store_state, 2); break; /* down */
	case 't': word_add(sequence, 1); break; /* torn, and whole again */
	default: break;
	}
}

static void supervise(int in, int out)
{
	const struct segment_shape shape = { .n_workers = 1, .group = "" };
	struct segment *segment;
	struct why why;
	char order;

	if (segment_create(name, &shape, &segment, &why) < 0)
		_exit(1);
	word_set(&segment_supervisor(segment)->state, GATEWAY_running);
	do {
		if (write(out, "k", 1) != 1 || read(in, &order, 1) != 1)
			break;
		obey(segment, order);
	} while (order != 'q');
	segment_close(segment, true);
	_exit(0);
}

static void wait_for_answer(void)
{
	char byte;

	assert_int_equal(read(answers, &byte, 1), 1);
}

static void tell(char order)
{
	assert_int_equal(write(orders, &order, 1), 1);
	wait_for_answer();
}

static void start(void)
{
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	supervisor = fork();
	assert_true(supervisor >= 0);
	if (supervisor == 0) {
		close(to[1]);
		close(from[0]);
		supervise(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	orders = to[1];
	answers = from[0];
	wait_for_answer();
}

static void end(int signum)
{
	if (signum)
		kill(supervisor, signum);
	assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
	supervisor = 0;
}

static int set_up(void **state)
{
	snprintf(name, sizeof name, "parley-unit-watch-%ld", (long)getpid());
	now_ns = 1000 * MS_NS;
	assert_int_equal(watch_new(name, &fake_limits, &watch), 0);
	return 0;
}

static int tear_down(void **state)
{
	char path[96];

	watch_free(watch);
	close(orders);
	close(answers);
	if (supervisor)
		end(0);
	snprintf(path, sizeof path, "/dev/shm/%s", name);
	unlink(path);
	snprintf(path, sizeof path, "/dev/shm/%s.kept", name);
	unlink(path);
	return 0;
}

static const struct verdict *look_after(uint64_t ms)
{
	now_ns += ms * MS_NS;
	watch_look(watch, now_ns);
	return watch_verdict(watch);
}

static void a_new_gateway_is_noticed_with_the_next_look(void **state)
{
	const struct verdict *verdict = look_after(50);

	assert_false(verdict->active_known);
	assert_true(verdict->live);
	start();
	verdict = look_after(1);
	assert_int_equal(verdict->server, SERVER_running);
	assert_true(verdict->live);
}

static void a_gateway_killed_is_told_with_the_next_look(void **state)
{
	const struct verdict *verdict;

	start();
	assert_int_equal(look_after(50)->server, SERVER_running);
	end(SIGKILL);
	verdict = look_after(1);
	assert_int_equal(verdict->server, SERVER_stopped);
	assert_false(verdict->live);
	assert_true(verdict->active_known);
	assert_int_equal(verdict->active, 0);
}

static void a_gateway_that_left_in_order_is_gone_and_not_unknown(void **state)
{
	const struct verdict *verdict;

	start();
	look_after(50);
	assert_int_equal(write(orders, "q", 1), 1);
	end(0);
	verdict = look_after(1);
	assert_int_equal(verdict->server, SERVER_stopped);
	assert_true(verdict->active_known && verdict->uptime_known);
	assert_false(verdict->live);
}

static void a_beat_that_stands_still_is_told_after_a_second(void **state)
{
	start();
	look_after(50);
	for (int i = 0; i < 19; i++)
		assert_int_equal(look_after(50)->server, SERVER_running);
	assert_int_equal(look_after(50)->server, SERVER_hung);
	tell('b');
	assert_int_equal(look_after(1)->server, SERVER_running);
}

static void nothing_is_sure_before_all_were_seen_to_turn(void **state)
{
	start();
	tell('s');
	look_after(50);
	assert_false(watch_is_sure(watch));
	look_after(50);
	assert_false(watch_is_sure(watch));
	tell('b');
	look_after(1);
	assert_true(watch_is_sure(watch));
}

static void one_that_never_turns_is_hung_once_that_is_sure(void **state)
{
	start();
	tell('w');
	assert_true(look_after(50)->ready_now);
	while (!watch_is_sure(watch))
		look_after(10);
	assert_int_equal(watch_verdict(watch)->server, SERVER_hung);
	assert_false(watch_verdict(watch)->ready);
	assert_int_equal(now_ns / MS_NS, 1000 + 50 + 1010);
}

static void a_first_look_that_is_torn_makes_nothing_sure(void **state)
{
	start();
	tell('t');
	look_after(50);
	assert_false(watch_is_sure(watch));
	tell('t');
	look_after(1);
	assert_int_equal(watch_snapshot(watch)->look, LOOK_ok);
	assert_false(watch_is_sure(watch));
}

static void where_nobody_lives_the_first_look_is_sure(void **state)
{
	look_after(50);
	assert_true(watch_is_sure(watch));
}

static void machine_paused_nobody_is_called_hung_for_it(void **state)
{
	start();
	look_after(50);
	assert_int_equal(look_after(10000)->server, SERVER_running);
	assert_int_equal(look_after(60000)->server, SERVER_running);
	assert_true(watch_verdict(watch)->live);
	/* What stands still afterwards is told as ever. */
	for (int i = 0; i < 17; i++)
		assert_int_equal(look_after(50)->server, SERVER_running);
	assert_int_equal(look_after(50)->server, SERVER_hung);
}

static void machine_paused_the_start_grace_stands_still(void **state)
{
	look_after(50);
	assert_true(look_after(40000)->live);
	for (int i = 0; i < 70; i++)
		look_after(450);
	assert_false(watch_verdict(watch)->live);
}

static void a_torn_look_is_told_when_it_has_lasted(void **state)
{
	start();
	look_after(50);
	tell('t');
	assert_int_equal(look_after(1)->server, SERVER_running);
	assert_int_equal(watch_snapshot(watch)->look, LOOK_ok);
	look_after(WATCH_TORN_MS - 1);
	assert_int_equal(watch_snapshot(watch)->look, LOOK_ok);
	assert_int_equal(look_after(1)->status, STATUS_error);
	assert_int_equal(watch_snapshot(watch)->look, LOOK_torn);
	assert_true(watch_verdict(watch)->live);
	tell('t');
	look_after(1);
	assert_int_equal(watch_snapshot(watch)->look, LOOK_ok);
}

static void a_gateway_killed_while_it_wrote_is_told_at_once(void **state)
{
	start();
	look_after(50);
	tell('t');
	end(SIGKILL);
	assert_int_equal(look_after(1)->server, SERVER_stopped);
	assert_false(watch_verdict(watch)->live);
}

/* ---- the store ----------------------------------------------------------------- */

static const struct verdict_store *store_after(uint64_t ms)
{
	return &look_after(ms)->store;
}

static void a_store_that_goes_away_is_an_error_after_the_grace(void **state)
{
	start();
	tell('s');
	assert_true(store_after(50)->up);
	tell('d');
	/* From the last look at which it was up. */
	assert_int_equal(store_after(400)->status, STORE_STATUS_degraded);
	tell('b');
	assert_int_equal(store_after(400)->status, STORE_STATUS_degraded);
	tell('b');
	assert_int_equal(store_after(400)->status, STORE_STATUS_degraded);
	tell('b');
	assert_int_equal(store_after(400)->status, STORE_STATUS_degraded);
	tell('b');
	assert_true(store_after(399)->reachable);
	assert_int_equal(store_after(1)->status, STORE_STATUS_error);
	assert_false(watch_verdict(watch)->store.reachable);
	tell('u');
	assert_int_equal(store_after(1)->status, STORE_STATUS_ok);
	tell('d');
	assert_int_equal(store_after(1)->status, STORE_STATUS_degraded);
}

static void machine_paused_the_grace_of_the_store_stands_still(void **state)
{
	start();
	tell('s');
	assert_true(store_after(50)->up);
	tell('d');
	assert_true(store_after(60000)->reachable);
	tell('b');
	assert_int_equal(store_after(400)->status, STORE_STATUS_degraded);
}

static void a_store_that_was_never_up_has_the_grace_from_the_first_look(void **state)
{
	look_after(50);
	start();
	tell('s');
	tell('d');
	assert_int_equal(store_after(400)->status, STORE_STATUS_degraded);
	for (int i = 0; i < 4; i++) {
		tell('b');
		store_after(400);
	}
	assert_int_equal(watch_verdict(watch)->store.status, STORE_STATUS_error);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_gateway_is_noticed_with_the_next_look),
		T(a_gateway_killed_is_told_with_the_next_look),
		T(a_gateway_that_left_in_order_is_gone_and_not_unknown),
		T(a_beat_that_stands_still_is_told_after_a_second),
		T(nothing_is_sure_before_all_were_seen_to_turn),
		T(one_that_never_turns_is_hung_once_that_is_sure),
		T(a_first_look_that_is_torn_makes_nothing_sure),
		T(where_nobody_lives_the_first_look_is_sure),
		T(machine_paused_nobody_is_called_hung_for_it),
		T(machine_paused_the_start_grace_stands_still),
		T(a_torn_look_is_told_when_it_has_lasted),
		T(a_gateway_killed_while_it_wrote_is_told_at_once),
		T(a_store_that_goes_away_is_an_error_after_the_grace),
		T(machine_paused_the_grace_of_the_store_stands_still),
		T(a_store_that_was_never_up_has_the_grace_from_the_first_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
