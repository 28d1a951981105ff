#include "healthd/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "healthd/audit_list.h"

enum {
	AUDIT_MAGIC = 0x61756469,
	AGAIN_MS = 300, /* after a drift that is not told yet, or a look in vain */
	VAIN_MAX = 10,  /* looks in vain in a row until it is said so */
	TOTAL = SEGMENT_SEATS_MAX, /* place of all together among the seats */
};

/* What the thread finds out. */
struct asked {
	uint16_t port;
	unsigned n_pids;
	pid_t pids[SEGMENT_SLOTS_MAX];
	int64_t of_pid[SEGMENT_SLOTS_MAX]; /* negative errno: not to be seen */
	int rc;
	const char *source;
	int64_t n;
	unsigned n_listeners;
	uint64_t took_ns;
};

/* How often in a row a drift was to the same side. */
struct run {
	int64_t drift;
	unsigned looks;
};

struct audit {
	unsigned magic;
	uv_loop_t *loop;
	uint64_t interval_ms, hang_ms;
	uint64_t next_ns;
	bool working, worked, closing;
	atomic_bool stop;
	uv_work_t work;
	struct audit_found found;
	/* Of the look under way. The thread has `asked` while it works. */
	struct asked asked;
	uint64_t instance[2];
	unsigned n_slots;
	struct audit_count before[SEGMENT_SLOTS_MAX];
	struct run runs[SEGMENT_SEATS_MAX + 1];
	unsigned in_vain;
};

/* ---- in the thread -------------------------------------------------------------- */

static void list_sockets(struct audit *a, struct audit_list *list)
{
	struct asked *asked = &a->asked;

	audit_list_init(list, asked->port, &a->stop);
	asked->source = "sock_diag";
	asked->rc = audit_list_diag(list);
	if (asked->rc == 0 || asked->rc == -ECANCELED)
		return;
	audit_list_release(list);
	audit_list_init(list, asked->port, &a->stop);
	asked->source = "proc";
	asked->rc = audit_list_proc(list);
}

static void on_work(uv_work_t *work)
{
	struct audit *a = work->data;
	struct asked *asked = &a->asked;
	uint64_t begun_ns = clock_mono_ns();
	struct audit_list list;

	list_sockets(a, &list);
	audit_list_sort(&list);
	asked->n = (int64_t)list.n;
	asked->n_listeners = list.n_listeners;
	for (unsigned i = 0; asked->rc == 0 && i < asked->n_pids; i++)
		asked->of_pid[i] = audit_list_of(&list, asked->pids[i]);
	audit_list_release(&list);
	asked->took_ns = clock_mono_ns() - begun_ns;
}

/* ---- counts --------------------------------------------------------------------- */

/* The segment may say anything: what cannot be is as wrong as what is too much. */
static int64_t bounded(uint64_t count)
{
	return count < INT32_MAX ? (int64_t)count : INT32_MAX;
}

static struct audit_count count_of(const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *slot = &s->slots[i];
	const uint64_t *n = slot->counters;

	if (i >= s->n_slots || !slot->alive || slot->role != ROLE_WORKER ||
	    slot->seat >= SEGMENT_SEATS_MAX)
		return (struct audit_count){ 0 };
	return (struct audit_count){
		.alive = true,
		.seat = slot->seat,
		.generation = slot->generation,
		.pid = slot->pid,
		.links = bounded(n[COUNTER_links_handshaking]) +
			 bounded(n[COUNTER_links_active]) +
			 bounded(n[COUNTER_links_canary]) +
			 bounded(n[COUNTER_links_closing]),
		.accepted = (int64_t)(n[COUNTER_accepted] & INT64_MAX),
	};
}

/* At least those are there that were before and were not closed, at most those that were
 * before and those that came. */
int64_t audit_drift(int64_t sockets, const struct audit_count *before,
		    const struct audit_count *after, unsigned n)
{
	int64_t least = 0, most = 0;

	for (unsigned i = 0; i < n; i++) {
		int64_t came = after[i].accepted - before[i].accepted;

		came = came > 0 ? came : 0;
		least += after[i].links > came ? after[i].links - came : 0;
		most += before[i].links + came;
	}
	if (least > most) /* more than came: somebody writes there just now */
		return 0;
	return sockets < least ? sockets - least : sockets > most ? sockets - most : 0;
}

/* ---- the verdict ---------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void become(struct audit *a,
							 enum audit_state state,
							 const char *format, ...)
{
	va_list args;

	a->found.state = state;
	va_start(args, format);
	vsnprintf(a->found.reason, sizeof a->found.reason, format, args);
	va_end(args);
}

static void know_nothing(struct audit *a, const char *why)
{
	a->found.known = a->found.per_worker = false;
	memset(a->runs, 0, sizeof a->runs);
	become(a, AUDIT_unknown, "%s", why);
}

/* One more look at one number; what is to be told of it. */
static int64_t told(struct run *run, int64_t drift)
{
	bool same_side = (drift > 0) == (run->drift > 0) && drift != 0;

	run->looks = same_side && run->drift ? run->looks + 1 : drift != 0;
	run->drift = drift;
	return run->looks >= AUDIT_TO_TELL ? drift : 0;
}

/* Of which worker no more can be said: NULL, or why the look was in vain. */
static const char *in_vain(const struct audit *a, const struct snapshot *s,
			   struct audit_count after[SEGMENT_SLOTS_MAX])
{
	if (s->n_slots != a->n_slots)
		return "the gateway is another one";
	for (unsigned i = 0; i < a->n_slots; i++) {
		after[i] = count_of(s, i);
		if (after[i].alive != a->before[i].alive ||
		    after[i].generation != a->before[i].generation)
			return "workers come and go";
		if (after[i].alive && s->slots[i].beat_age_ns >= a->hang_ms * MS_NS)
			return "a worker hangs, and what it counts is old";
	}
	return NULL;
}

/* Each worker by itself, as far as it can be seen. */
static void judge_workers(struct audit *a, const struct audit_count *after)
{
	int64_t drifts[SEGMENT_SEATS_MAX] = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++) {
		a->found.seats[i].known = false;
		a->found.seats[i].sockets = 0;
	}
	a->found.per_worker = true;
	for (unsigned i = 0; i < a->n_slots; i++) {
		unsigned seat = after[i].seat;
		int64_t sockets = after[i].alive ? a->asked.of_pid[n++] : 0;

		if (sockets < 0)
			a->found.per_worker = false;
		if (!after[i].alive || sockets < 0)
			continue;
		a->found.seats[seat].known = true;
		a->found.seats[seat].sockets += (uint64_t)sockets;
		drifts[seat] += audit_drift(sockets, &a->before[i], &after[i], 1);
	}
	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++)
		a->found.seats[i].drift = told(&a->runs[i], drifts[i]);
}

static void say_drift(struct audit *a)
{
	int64_t drift = a->found.drift;
	char worker[32] = "";

	for (unsigned i = 0; i < SEGMENT_SEATS_MAX && !*worker; i++)
		if (a->found.seats[i].drift) {
			drift = a->found.seats[i].drift;
			snprintf(worker, sizeof worker, "worker %u: ", i);
		}
	if (drift)
		become(a, AUDIT_degraded,
		       "%sthe kernel has %" PRId64 " connections %s than are counted",
		       worker, drift > 0 ? drift : -drift, drift > 0 ? "more" : "fewer");
	else if (a->found.per_worker)
		become(a, AUDIT_ok, "%s", "");
	else
		become(a, AUDIT_ok,
		       "only all workers together: their descriptors may "
		       "not be seen");
}

static bool is_suspicious(const struct audit *a)
{
	for (unsigned i = 0; i <= TOTAL; i++)
		if (a->runs[i].looks && a->runs[i].looks < AUDIT_TO_TELL)
			return true;
	return false;
}

static void judge_look(struct audit *a, const struct snapshot *s, uint64_t now_ns)
{
	struct audit_count after[SEGMENT_SLOTS_MAX] = { 0 };
	const char *vain = in_vain(a, s, after);

	a->next_ns = now_ns + AGAIN_MS * MS_NS;
	if (vain) {
		if (++a->in_vain >= VAIN_MAX)
			know_nothing(a, vain);
		return;
	}
	a->in_vain = 0;
	a->found.n_looks++;
	a->found.source = a->asked.source;
	a->found.took_us = a->asked.took_ns / 1000;
	a->found.sockets = (uint64_t)a->asked.n;
	a->found.known = true;
	judge_workers(a, after);
	a->found.drift = told(&a->runs[TOTAL],
			      audit_drift(a->asked.n, a->before, after, a->n_slots));
	say_drift(a);
	if (!is_suspicious(a))
		a->next_ns = now_ns + a->interval_ms * MS_NS;
}

static void take(struct audit *a, const struct snapshot *s, uint64_t now_ns)
{
	char text[FINDING_REASON_SIZE];

	a->worked = false;
	a->next_ns = now_ns + a->interval_ms * MS_NS;
	if (a->asked.rc < 0) {
		snprintf(text, sizeof text, "the kernel does not tell its sockets: %s",
			 strerror(-a->asked.rc));
		know_nothing(a, text);
	} else if (a->asked.n_listeners == 0) {
		snprintf(text, sizeof text,
			 "nothing listens on port %u here: this is another network "
			 "namespace",
			 a->asked.port);
		know_nothing(a, text);
	} else {
		judge_look(a, s, now_ns);
	}
}

/* ---- looking -------------------------------------------------------------------- */

static const char *hindrance(const struct snapshot *s)
{
	if (s->look != LOOK_ok || !s->supervisor_known || !s->supervisor_alive)
		return "there is no gateway to count";
	if (s->port == 0 || s->port > UINT16_MAX)
		return "the gateway tells no port";
	if (!s->has[COUNTER_links_active] || !s->has[COUNTER_links_handshaking] ||
	    !s->has[COUNTER_links_closing] || !s->has[COUNTER_accepted])
		return "the gateway does not count all that is needed";
	return NULL;
}

static void on_worked(uv_work_t *work, int status)
{
	struct audit *a = work->data;

	CHECK_OBJ(a, AUDIT_MAGIC);
	a->working = false;
	a->worked = status == 0; /* judged with the next look, which is after it */
}

static void begin(struct audit *a, const struct snapshot *s)
{
	a->asked = (struct asked){ .port = (uint16_t)s->port };
	a->n_slots = s->n_slots;
	memcpy(a->instance, s->instance, sizeof a->instance);
	for (unsigned i = 0; i < s->n_slots; i++) {
		a->before[i] = count_of(s, i);
		if (a->before[i].alive)
			a->asked.pids[a->asked.n_pids++] = (pid_t)a->before[i].pid;
	}
	a->work.data = a;
	a->working = uv_queue_work(a->loop, &a->work, on_work, on_worked) == 0;
}

void audit_look(struct audit *a, const struct snapshot *snapshot, uint64_t now_ns)
{
	const char *why;

	CHECK_OBJ(a, AUDIT_MAGIC);
	if (a->closing || !a->interval_ms || a->working)
		return;
	why = hindrance(snapshot);
	if (why || memcmp(a->instance, snapshot->instance, sizeof a->instance) != 0) {
		know_nothing(a, why ? why : "not looked at yet");
		a->worked = false;
		a->next_ns = 0;
		memcpy(a->instance, snapshot->instance, sizeof a->instance);
	}
	if (why)
		return;
	if (a->worked)
		take(a, snapshot, now_ns);
	else if (now_ns >= a->next_ns)
		begin(a, snapshot);
}

const struct audit_found *audit_found(const struct audit *a)
{
	return &a->found;
}

/* ---- life ----------------------------------------------------------------------- */

struct audit *audit_new(uv_loop_t *loop, uint64_t interval_ms, uint64_t hang_ms)
{
	struct audit *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->magic = AUDIT_MAGIC;
	a->loop = loop;
	a->interval_ms = interval_ms;
	a->hang_ms = hang_ms;
	if (interval_ms)
		become(a, AUDIT_unknown, "not looked at yet");
	else
		become(a, AUDIT_off, "PARLEY_AUDIT_INTERVAL_MS is 0");
	return a;
}

void audit_close(struct audit *a)
{
	if (!a || a->closing)
		return;
	a->closing = true;
	atomic_store(&a->stop, true);
	if (a->working)
		(void)uv_cancel((uv_req_t *)&a->work); /* or it ends by itself, soon */
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	CHECK_OBJ(a, AUDIT_MAGIC);
	a->magic = 0;
	free(a);
}
