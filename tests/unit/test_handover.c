/* The supervisor's state on its way to another program: whole, or refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/supervisor/handover.h"

static struct supervisor *ours, *theirs;
static struct why why;
static char text[65536];
static size_t len;

static void put_child(unsigned slot, enum child_state state, unsigned seat,
		      uint64_t generation)
{
	ours->children[slot] = (struct child){
		.state = state,
		.role = seat == 2 ? ROLE_SEQUENCER : ROLE_WORKER,
		.seat = seat,
		.pid = 1000 + (pid_t)slot,
		.generation = generation,
		.settings = 3,
		.spawned_ms = 5000,
		.ready_ms = state == CHILD_starting ? 0 : 5100,
		.deadline_ms = state == CHILD_starting ? 15000 : 0,
		.hang = slot == 0 ? HANG_loop : HANG_none,
		.beat = 77,
	};
	ours->ready_fds[slot] = state == CHILD_starting ? 40 : -1;
}

/* Two workers: seat 0 is served and is getting another, seat 1 has just died. */
static void fill(void)
{
	ours->state = GATEWAY_running;
	ours->n_workers = 2;
	ours->n_seats = 3;
	ours->n_slots = 5;
	ours->generation = 12;
	ours->settings_version = 3;
	ours->started_ms = 1234;
	ours->segment_fd = 10;
	ours->bus_fd = 11;
	ours->settings_fd = 12;
	ours->lifeline[0] = 13;
	ours->lifeline[1] = 14;
	for (int i = 0; i < KEYS_FILES; i++)
		ours->key_fds[i] = 15 + i;
	for (int i = 0; i < 5; i++)
		ours->wake_fds[i] = 20 + i;
	ours->listeners = (struct listeners){ .n = 2, .port = 8080, .fds = { 30, 31 } };
	memset(ours->ready_fds, -1, sizeof ours->ready_fds);
	put_child(0, CHILD_up, 0, 9);
	put_child(1, CHILD_starting, 0, 12);
	put_child(4, CHILD_up, 2, 3);
	ours->seats[0].state = SEAT_replacing;
	ours->seats[0].process = &ours->children[0];
	ours->seats[0].coming = &ours->children[1];
	ours->seats[1].state = SEAT_backoff;
	ours->seats[1].restarts = 4;
	ours->seats[1].deaths[EXIT_killed] = 5;
	ours->seats[1].last = (struct child_end){ EXIT_killed, 9, 0 };
	ours->seats[1].backoff = (struct backoff){ .n_short = 2,
						   .n_deaths = 5,
						   .deaths_ms = { 1, 2, 3 } };
	ours->seats[1].retry_at_ms = 99999;
	ours->seats[1].bereaved = true;
	ours->seats[2].state = SEAT_serving;
	ours->seats[2].process = &ours->children[4];
	ours->mourning[3] = (struct mourning){ 8, 4000, 17, 1 };
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	ours = calloc(1, sizeof *ours);
	theirs = calloc(1, sizeof *theirs);
	assert_true(ours && theirs);
	fill();
	assert_int_equal(handover_write(ours, &fd, &why), 0);
	len = (size_t)pread(fd, text, sizeof text - 1, 0);
	text[len] = 0;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(ours);
	free(theirs);
	return 0;
}

static void what_is_written_is_read(void **state)
{
	const struct seat *seat = &theirs->seats[1];

	(void)state;
	if (handover_parse(text, len, theirs, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(theirs->n_slots, 5);
	assert_int_equal(theirs->generation, 12);
	assert_int_equal(theirs->started_ms, 1234);
	assert_memory_equal(theirs->key_fds, ours->key_fds, sizeof ours->key_fds);
	assert_memory_equal(theirs->wake_fds, ours->wake_fds, 5 * sizeof(int));
	assert_memory_equal(&theirs->listeners, &ours->listeners, sizeof ours->listeners);
	assert_memory_equal(theirs->ready_fds, ours->ready_fds, 5 * sizeof(int));
	assert_memory_equal(theirs->mourning, ours->mourning, sizeof ours->mourning);
	assert_memory_equal(theirs->children, ours->children, sizeof ours->children);
	assert_ptr_equal(theirs->seats[0].process, &theirs->children[0]);
	assert_ptr_equal(theirs->seats[0].coming, &theirs->children[1]);
	assert_null(seat->process);
	assert_int_equal(seat->state, SEAT_backoff);
	assert_memory_equal(&seat->backoff, &ours->seats[1].backoff,
			    sizeof seat->backoff);
	assert_memory_equal(seat->deaths, ours->seats[1].deaths, sizeof seat->deaths);
	assert_int_equal(seat->last.signal, 9);
	assert_int_equal(seat->restarts, 4);
	assert_int_equal(seat->retry_at_ms, 99999);
	assert_true(seat->bereaved);
}

/* Whoever has it, nobody changes it. */
static void what_is_written_is_sealed(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(handover_write(ours, &fd, &why), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 10), -1);
	assert_int_equal(handover_read(fd, theirs, &why), 0);
	close(fd);
}

static void wherever_it_is_cut_it_is_refused(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < len; cut += cut < 200 ? 1 : 17)
		assert_int_equal(handover_parse(text, cut, theirs, &why), -EPROTO);
}

static void refused(const char *from, const char *to, const char *what)
{
	char changed[sizeof text + 64], *at = strstr(text, from);

	assert_non_null(at);
	snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to,
		 at + strlen(from));
	assert_int_equal(handover_parse(changed, strlen(changed), theirs, &why), -EPROTO);
	if (!strstr(why.text, what))
		fail_msg("\"%s\" does not say \"%s\"", why.text, what);
}

static void what_is_foreign_is_refused(void **state)
{
	(void)state;
	assert_int_equal(handover_parse("[]", 2, theirs, &why), -EPROTO);
	assert_int_equal(handover_parse("{\"format\":\"1\"}", 14, theirs, &why), -EPROTO);
	refused("\"format\":1", "\"format\":2", "is of format 2");
	refused("\"bus_fd\":11", "\"bus_fd\":\"11\"", "bus_fd");
	refused("\"bus_fd\":11", "\"bus\":11", "bus_fd");
	refused("\"started_ms\":1234", "\"started_ms\":-1", "started_ms");
}

static void too_many_or_too_much_is_refused(void **state)
{
	(void)state;
	refused("\"n_workers\":2", "\"n_workers\":3", "wake_fds");
	refused("\"n_workers\":2", "\"n_workers\":65", "n_workers");
	refused("\"n_workers\":2", "\"n_workers\":4294967298", "n_workers");
	refused("\"listeners.n\":2", "\"listeners.n\":64", "listeners.fds");
	refused("\"wake_fds\":[20,", "\"wake_fds\":[20,20,", "wake_fds");
	refused("\"wake_fds\":[20,", "\"wake_fds\":[2,", "wake_fds");
	refused("\"seats\":[", "\"seats\":[{},", "seats");
	refused("\"children\":[", "\"children\":[{},", "children");
	refused("\"key_fds\":[", "\"key_fds\":[1,2,3,4,5,6,7,8,9,", "key_fds");
}

static void what_does_not_agree_is_refused(void **state)
{
	(void)state;
	refused("\"pid\":1000", "\"pid\":1", "children");
	refused("\"pid\":1000", "\"pid\":0", "children");
	refused("\"generation\":9", "\"generation\":13", "children");
	refused("\"process\":1", "\"process\":0", "seats");
	refused("\"process\":1", "\"process\":3", "seats");
	refused("\"process\":1", "\"process\":6", "process");
	refused("\"process\":0", "\"process\":1", "seats");
	refused("\"coming\":2", "\"coming\":1", "seats");
	refused("\"ready_fds\":[-1", "\"ready_fds\":[0", "ready_fds");
	refused("\"listeners.shared\":0", "\"listeners.shared\":1", "listeners.n");
}

/* The one before did not know all the files that we have keys in. */
static void fewer_files_with_keys_are_taken(void **state)
{
	char *at = strstr(text, "\"key_fds\":["), changed[sizeof text];

	(void)state;
	assert_non_null(at);
	snprintf(changed, sizeof changed, "%.*s\"key_fds\":[15]%s", (int)(at - text),
		 text, strchr(at, ']') + 1);
	assert_int_equal(handover_parse(changed, strlen(changed), theirs, &why), 0);
	assert_int_equal(theirs->key_fds[0], 15);
	assert_int_equal(theirs->key_fds[KEYS_FILES - 1], -1);
}

static unsigned n_seen;

static int count(int fd)
{
	assert_true(fd >= 10 && fd <= 40);
	n_seen++;
	return 0;
}

static int fail_once(int fd)
{
	(void)fd;
	n_seen++;
	return -EBADF;
}

static void every_descriptor_is_named_once(void **state)
{
	(void)state;
	n_seen = 0;
	assert_int_equal(handover_fds(ours, count), 0);
	assert_int_equal(n_seen, 3 + 2 + KEYS_FILES + 5 + 2 + 1);
	n_seen = 0;
	assert_int_equal(handover_fds(ours, fail_once), -EBADF);
	assert_int_equal(n_seen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		TEST(what_is_written_is_read),
		TEST(what_is_written_is_sealed),
		TEST(wherever_it_is_cut_it_is_refused),
		TEST(what_is_foreign_is_refused),
		TEST(too_many_or_too_much_is_refused),
		TEST(what_does_not_agree_is_refused),
		TEST(fewer_files_with_keys_are_taken),
		TEST(every_descriptor_is_named_once),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
