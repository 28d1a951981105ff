/*
 * publish - what it costs to publish a number, and to look at all of them.
 *
 * The publishing loops run in a child under seccomp's strict mode, which kills it at
 * any system call but read, write and exit: a loop that ends has made none. Prints
 * lines of `name value unit`; exit 1 when a counter or a histogram costs more than
 * NS_MAX.
 */
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_reader.h"
#include "common/segment_writer.h"

enum {
	ROUNDS = 9,
	PUBLISHED = 4000000, /* times a round */
	LOOKS = 2000,        /* times a round */
	NS_MAX = 10,
};

/* What the child is told to do; each is answered with the same byte. */
enum order {
	ORDER_add,
	ORDER_set,
	ORDER_observe,
	ORDER_record,
	ORDER_call, /* a system call: it must not come back from it */
};

static void publish(struct segment_slot *slot, enum order order)
{
	switch (order) {
	case ORDER_add:
		for (unsigned i = 0; i < PUBLISHED; i++)
			counter_add(slot, COUNTER_bytes_in, 1);
		break;
	case ORDER_set:
		for (unsigned i = 0; i < PUBLISHED; i++)
			counter_set(slot, COUNTER_bytes_in, i);
		break;
	case ORDER_observe:
		for (unsigned i = 0; i < PUBLISHED; i++)
			histogram_observe(slot, HISTOGRAM_send_to_ack, i);
		break;
	case ORDER_record:
		for (unsigned i = 0; i < PUBLISHED; i++)
			segment_record(slot, EVENT_opened, i, i, i);
		break;
	case ORDER_call: (void)syscall(SYS_getppid); break;
	}
}

static void worker(int fd, int orders, int answers)
{
	struct segment *segment;
	char order;

	CHECK(segment_attach(fd, 0, 1, ROLE_WORKER, 0, &segment, NULL) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	while (read(orders, &order, 1) == 1) {
		publish(segment_slot(segment, 0), (enum order)order);
		(void)!write(answers, &order, 1);
	}
	syscall(SYS_exit, 0); /* exit_group, which _exit calls, is not allowed */
}

struct child {
	pid_t pid;
	int orders, answers;
};

static struct child start(struct segment *segment)
{
	int orders[2], answers[2];
	struct child child;

	CHECK(pipe(orders) == 0 && pipe(answers) == 0);
	child = (struct child){ fork(), orders[1], answers[0] };
	CHECK(child.pid >= 0);
	if (child.pid == 0) {
		close(orders[1]);
		worker(segment_fd(segment), orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	return child;
}

static double now_ns(clockid_t clock)
{
	struct timespec now;

	CHECK(clock_gettime(clock, &now) == 0);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static bool obey(const struct child *child, enum order order)
{
	char byte = (char)order;

	CHECK(write(child->orders, &byte, 1) == 1);
	return read(child->answers, &byte, 1) == 1;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double of[ROUNDS])
{
	qsort(of, ROUNDS, sizeof *of, by_value);
	return of[ROUNDS / 2];
}

/* Processor time of the child, read from outside: it may not ask itself. */
static double measure(const struct child *child, enum order order)
{
	double rounds[ROUNDS];
	clockid_t clock;

	CHECK(clock_getcpuclockid(child->pid, &clock) == 0);
	CHECK(obey(child, order)); /* once to warm up */
	for (int i = 0; i < ROUNDS; i++) {
		double before = now_ns(clock);

		CHECK(obey(child, order));
		rounds[i] = (now_ns(clock) - before) / PUBLISHED;
	}
	return median(rounds);
}

/* In a process of its own: opening the file a second time would drop our lock. */
static bool look_in_a_child(const char *name)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		struct snapshot *seen = calloc(1, sizeof *seen);
		struct segment_reader *reader;
		double rounds[ROUNDS];

		CHECK(seen && segment_reader_new(name, &reader) == 0);
		for (int i = 0; i < ROUNDS; i++) {
			double before = now_ns(CLOCK_PROCESS_CPUTIME_ID);

			for (unsigned k = 0; k < LOOKS; k++)
				segment_reader_look(reader, k, seen);
			rounds[i] = (now_ns(CLOCK_PROCESS_CPUTIME_ID) - before) / LOOKS;
		}
		CHECK(seen->look == LOOK_ok && seen->slots[0].alive);
		printf("look %.2f us\n", median(rounds) / 1000);
		fflush(stdout);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* The control: strict mode was really on. */
static bool a_call_kills(const struct child *child)
{
	int status;

	return !obey(child, ORDER_call) &&
	       waitpid(child->pid, &status, 0) == child->pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL;
}

int main(void)
{
	struct segment_shape shape = { .n_workers = 2, .group = "" };
	struct segment *segment;
	struct child child;
	double add, set, observe;
	struct why why;
	char name[64];
	bool ok;

	snprintf(name, sizeof name, "parley-bench-%ld", (long)getpid());
	if (segment_create(name, &shape, &segment, &why) < 0) {
		fprintf(stderr, "publish: %s\n", why.text);
		return 1;
	}
	child = start(segment);
	add = measure(&child, ORDER_add);
	set = measure(&child, ORDER_set);
	printf("counter_add %.2f ns\n", add);
	observe = measure(&child, ORDER_observe);
	printf("counter_set %.2f ns\n", set);
	printf("histogram_observe %.2f ns\n", observe);
	printf("segment_record %.2f ns\n", measure(&child, ORDER_record));
	fflush(stdout);
	ok = look_in_a_child(name);
	if (!a_call_kills(&child)) {
		fprintf(stderr, "publish: a system call was not punished\n");
		ok = false;
	}
	segment_close(segment, true);
	ok = ok && add <= NS_MAX && set <= NS_MAX && observe <= NS_MAX;
	return ok ? 0 : 1;
}
