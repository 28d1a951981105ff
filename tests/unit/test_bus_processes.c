/* test_bus_processes - the bus between processes that race, sleep and die. */
#include "tests/unit/bus_bench.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "common/check.h"
#include "common/clock.h"

enum {
	RING = 1 << 20,
	FILLING_MAX = 8192,
	WATCHDOG_S = 30, /* what hangs is ended by SIGALRM, and so fails */
	N_FAST = 20000,
	N_KILLS = 200,
	N_WAKES = 1000000,
	WAKES_S = 5,
	UNANSWERED_MAX = 1000,
};
#define LAST UINT64_MAX
/* A cheap sequence of numbers, the same in each run. */
static uint32_t pick(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(WATCHDOG_S);
	}
	return pid;
}

/* ---- records that tell by themselves whether they are whole ---- */
struct numbered {
	uint64_t n;
	uint8_t filling[FILLING_MAX];
};

static size_t filling_len(uint64_t n)
{
	return (size_t)(n * 2654435761u >> 7) % FILLING_MAX;
}

static void write_numbered(struct bus *bus, uint64_t n)
{
	static struct numbered numbered;
	size_t len = filling_len(n);

	numbered.n = n;
	memset(numbered.filling, (int)(n & 255), len);
	CHECK(write_bytes(bus, 1, &numbered, sizeof numbered.n + len) == 0);
}

static uint64_t expect_whole(const struct bus_record *record)
{
	static struct numbered expected;
	size_t len;

	assert_true(record->len >= sizeof expected.n);
	memcpy(&expected.n, record->data, sizeof expected.n);
	len = filling_len(expected.n);
	assert_int_equal(record->len, sizeof expected.n + len);
	memset(expected.filling, (int)(expected.n & 255), len);
	assert_memory_equal(record->data, &expected, record->len);
	return expected.n;
}

/* Reading while it is overwritten: waits until the writer has come round, or has ended.
 */
static void fall_behind(struct bus *bus, const struct bus_reader *reader, pid_t writer)
{
	struct bus_reader newest;

	do
		bus_reader_from_now(&newest, bus, reader->end);
	while (newest.at - reader->at <= RING && !has_ended(writer));
}

static void a_slow_reader_gets_whole_records_in_order_or_is_told(void **state)
{
	struct bus_bench bench;
	struct bus *bus;
	struct bus_reader reader;
	struct bus_record record;
	uint64_t last = 0, n_read = 0, n_lapped = 0;
	bool ended;
	pid_t pid;
	int r;

	bench_make(&bench, RING);
	bus = bench_open(&bench, 1);
	bus_reader_from_now(&reader, bus, 0);
	pid = start_child();
	if (pid == 0) {
		bus = bench_open(&bench, 0);
		for (uint64_t n = 1;; n++)
			write_numbered(bus, n);
	}
	for (;;) { /* until both have happened, however the machine shares its time */
		if (n_read >= N_FAST && n_lapped > 0)
			(void)kill(pid, SIGKILL);
		ended = has_ended(pid);
		r = bus_read(bus, &reader, &record);
		if (r == 0 && ended)
			break;
		assert_true(r >= 0 || r == -EOVERFLOW);
		n_lapped += r < 0;
		if (r <= 0)
			continue;
		assert_true(expect_whole(&record) > last);
		last = expect_whole(&record);
		if (++n_read % 5000 == 0)
			fall_behind(bus, &reader, pid);
	}
	assert_int_equal(reap(pid), SIGKILL);
	bus_close(bus);
	bench_close(&bench);
}

/* ---- writers that are killed ---- */

/* Now and then it makes room for its reader, should they share a processor. */
static void write_until_killed(struct bus_bench *bench, uint64_t life)
{
	struct bus *bus = bench_open(bench, 0);
	uint32_t seed = (uint32_t)life;

	for (uint64_t n = 0;; n++) {
		write_numbered(bus, life << 32 | n);
		if (pick(&seed, 64) == 0)
			sched_yield();
	}
}

struct witness {
	struct bus *bus;
	struct bus_reader reader;
	uint64_t next;
	bool lapped;
};

/* Reads at most `max`; each is whole, and the next one unless it was told of a loss. */
static unsigned witness_read(struct witness *w, unsigned max)
{
	struct bus_record record;
	unsigned n = 0;
	int r;

	while (n < max && (r = bus_read(w->bus, &w->reader, &record)) != 0) {
		if (r == -EOVERFLOW) {
			w->lapped = true;
			continue;
		}
		assert_int_equal(r, 1);
		if (w->lapped)
			w->next = expect_whole(&record);
		assert_true(expect_whole(&record) == w->next);
		w->next++;
		w->lapped = false;
		n++;
	}
	return n;
}

static void a_killed_writer_leaves_whole_records_and_its_successor_goes_on(void **state)
{
	struct bus_bench bench;
	struct witness w = { .next = 0 };
	uint32_t seed = 1;

	(void)state;
	bench_make(&bench, RING);
	w.bus = bench_open(&bench, 1);
	bus_reader_from_now(&w.reader, w.bus, 0);
	for (uint64_t life = 1; life <= N_KILLS; life++) {
		pid_t pid = start_child();
		unsigned n_wanted = 1 + pick(&seed, 50), n = 0;

		if (pid == 0)
			write_until_killed(&bench, life);
		w.next = life << 32;
		while (n < n_wanted) {
			n += witness_read(&w, n_wanted - n);
			sched_yield();
		}
		kill(pid, SIGKILL);
		assert_int_equal(reap(pid), SIGKILL);
		witness_read(&w, UINT32_MAX);
		w.lapped = false; /* at the newest: the successor's first is the next */
	}
	bus_close(w.bus);
	bench_close(&bench);
}

/* ---- sleeping and waking ---- */

struct sleeper {
	struct bus *bus;
	struct bus_reader reader;
	int wake_fd;
	uint32_t seed;
	bool over;
};

static bool has_news(const struct sleeper *s)
{
	struct bus_reader newest;

	bus_reader_from_now(&newest, s->bus, s->reader.end);
	return newest.at != s->reader.at;
}

/* Blocks for ever if a wake is lost. Waits a little first, for times of every size:
 * mostly the news comes while it is awake, and often just as it falls asleep. */
static void sleep_unless_news(struct sleeper *s)
{
	struct pollfd poll_fd = { .fd = s->wake_fd, .events = POLLIN };
	uint64_t count;

	for (uint32_t i = pick(&s->seed, 1u << (5 + pick(&s->seed, 8))); i; i--)
		if (has_news(s))
			return;
	if (!bus_sleep(s->bus, &s->reader, 1))
		return;
	CHECK(poll(&poll_fd, 1, -1) == 1);
	if (pick(&s->seed, 100)) /* left for later, it wakes once in vain */
		CHECK(read(s->wake_fd, &count, sizeof count) == sizeof count);
	bus_awake(s->bus);
}

/* Reads all; returns how many. Each carries its number; the last one is LAST. */
static uint64_t take_all(struct sleeper *s, uint64_t next)
{
	struct bus_record record;
	uint64_t n = 0, number;
	int r;

	while ((r = bus_read(s->bus, &s->reader, &record)) != 0) {
		CHECK(r == 1 && record.len == sizeof number);
		memcpy(&number, record.data, sizeof number);
		s->over = number == LAST;
		CHECK(s->over || number == next + n);
		n++;
	}
	return n;
}

static void tell(struct sleeper *s, uint64_t number)
{
	CHECK(write_bytes(s->bus, 1, &number, sizeof number) == 0);
}

/* One answer to each. */
static void answer_all(struct sleeper *s)
{
	uint64_t n_asked = 0, n_answered = 0;

	while (!s->over) {
		n_asked += take_all(s, n_asked);
		if (n_answered == n_asked)
			sleep_unless_news(s);
		for (; n_answered < n_asked; n_answered++)
			tell(s, n_answered);
		bus_wake(s->bus, 0);
	}
}

/* All of N_WAKES, or what a busy machine manages in WAKES_S; returns how many. */
static uint64_t ask_all(struct sleeper *s)
{
	uint64_t n = 0, n_answered = 0, n_max = N_WAKES, burst, allowed;
	uint64_t end_ns = clock_mono_ns() + WAKES_S * 1000 * MS_NS;

	while (n_answered < n_max) {
		/* Mostly one at a time: nothing but its wake helps it. */
		allowed = n_answered + 1;
		if (pick(&s->seed, 8) == 0)
			allowed += pick(&s->seed, UNANSWERED_MAX);
		burst = 1 + pick(&s->seed, 64);
		for (; burst && n < n_max && n < allowed; burst--, n++)
			tell(s, n);
		bus_wake(s->bus, 1);
		if (n == n_max || n >= allowed)
			sleep_unless_news(s);
		n_answered += take_all(s, n_answered);
		if (clock_mono_ns() > end_ns)
			n_max = n;
	}
	tell(s, LAST);
	bus_wake(s->bus, 1);
	return n;
}

/* The two on processors of their own, where there are two: else they take turns, and
 * nothing is ever at the same time. */
static void take_processor(unsigned which)
{
	cpu_set_t all, one;

	CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
	for (int cpu = 0, n = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || n++ % 2 != (int)which)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
		return;
	}
}

static struct sleeper open_sleeper(struct bus_bench *bench, unsigned own)
{
	struct sleeper s = { .wake_fd = bench->wake_fds[own], .seed = own + 1 };

	s.bus = bench_open(bench, own);
	/* From the start: the other may have written already. */
	s.reader = (struct bus_reader){ .end = 1 - own, .at = 0 };
	return s;
}

static void no_wake_is_lost(void **state)
{
	struct bus_bench bench;
	struct sleeper s;
	pid_t pid;

	(void)state;
	bench_make(&bench, RING);
	pid = start_child();
	take_processor(pid == 0);
	s = open_sleeper(&bench, pid == 0);
	if (pid == 0) {
		answer_all(&s);
		_exit(0);
	}
	assert_true(ask_all(&s) > 1000);
	assert_int_equal(reap(pid), 0);
	bus_close(s.bus);
	bench_close(&bench);
}

/* In strict mode the kernel kills whoever calls it for more than read, write and exit. */
static void nobody_asleep_costs_no_system_call(void **state)
{
	struct bus_bench bench;
	struct bus_record record;
	struct bus_reader reader;
	struct bus *bus;
	pid_t pid;

	(void)state;
	bench_make(&bench, RING);
	pid = start_child();
	if (pid == 0) {
		bus = bench_open(&bench, 0);
		bus_reader_from_now(&reader, bus, 0);
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
		for (uint64_t n = 0; n < 10000; n++) {
			write_numbered(bus, n);
			bus_wake(bus, 1);
			CHECK(bus_read(bus, &reader, &record) == 1);
			CHECK(bus_sleep(bus, &reader, 1));
			bus_awake(bus);
		}
		syscall(SYS_exit, 0);
	}
	assert_int_equal(reap(pid), 0);
	assert_false(bench_woken(&bench, 1));
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_gets_whole_records_in_order_or_is_told),
		cmocka_unit_test(
			a_killed_writer_leaves_whole_records_and_its_successor_goes_on),
		cmocka_unit_test(no_wake_is_lost),
		cmocka_unit_test(nobody_asleep_costs_no_system_call),
	};

	alarm(WATCHDOG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
