#include "healthd/canary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/settings.h"
#include "healthd/canary_visit.h"
#include "healthd/judge.h"

enum {
	CANARY_MAGIC = 0x63616e61,
	AGAIN_SHARE = 4, /* of the interval, after a failure */
	TRIES_SPARE = 8, /* connections of a round, and so many more for each worker: */
	TRIES_EACH = 8,  /* of 64 one is missed in a round of 50 */
	HOST_SIZE = 64,
};

struct canary {
	unsigned magic;
	uv_loop_t *loop;
	struct canary_limits limits;
	char host[HOST_SIZE]; /* numeric */
	uint16_t port;        /* 0: the segment's */
	struct canary_found found;
	/* The gateway that it is about, as of the last look. */
	uint64_t instance[2], reloads;
	unsigned seat_port;
	uint64_t serving;     /* bits of workers */
	bool runs, tokenless; /* it can be tried; it wants a token, and there is none */
	/* The round. */
	uint64_t next_ns, begun_ns;
	uint64_t left; /* bits of workers that were not reached yet; 0: no round */
	unsigned n_tries;
	bool failed;
	/* In this gateway's life, or since it read its settings again: */
	bool reached;  /* somebody has accepted a connection there */
	bool answered; /* and has said something in HTTP, */
	bool tls;      /* behind TLS; until then what is tried next */
	/* The visit. */
	bool visiting, closing;
	char header_host[HOST_SIZE + 16], key[33];
	struct visit visit;
};

/* ---- what is found -------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void become(struct canary *c,
							 enum canary_state state,
							 const char *format, ...)
{
	va_list args;

	c->found.state = state;
	va_start(args, format);
	vsnprintf(c->found.reason, sizeof c->found.reason, format, args);
	va_end(args);
}

/* Forgets what is about processes that are not there any more. */
static void forget_all(struct canary *c)
{
	memset(c->found.seats, 0, sizeof c->found.seats);
	memset(&c->found.last, 0, sizeof c->found.last);
	c->found.failures = 0;
	c->left = 0;
}

static bool too_many(const struct canary *c)
{
	bool many = c->found.failures >= c->limits.failures;

	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++)
		many = many || c->found.seats[i].failures >= c->limits.failures;
	return many;
}

static void count_time(struct canary_found *found, uint64_t us)
{
	unsigned i = 0;

	while (i < CANARY_BUCKETS - 1 && us > 1ull << (CANARY_FIRST_BITS + i))
		i++;
	found->buckets[i]++;
	found->sum_us += us;
}

static void passed(struct canary *c, const struct visit_result *result)
{
	struct canary_seat *seat = &c->found.seats[result->worker];

	seat->failures = 0;
	seat->passed = true;
	seat->ok_ns = clock_mono_ns();
	seat->sent_us = result->sent_us;
	seat->delivered_us = result->delivered_us;
	c->found.last = *seat;
	c->found.failures = 0;
	c->found.n_passed++;
	count_time(&c->found, result->delivered_us);
	if (!too_many(c))
		become(c, CANARY_ok, "%s", "");
}

static void failed(struct canary *c, const struct visit_result *result)
{
	unsigned failures;
	char worker[32] = "";

	c->failed = true;
	if (result->stage == CANARY_AT_connect && !c->reached) {
		/* It may well listen, but elsewhere. */
		become(c, CANARY_unknown,
		       "nobody answers at %s (%s); PARLEY_CANARY_CONNECT says where",
		       c->header_host, result->why);
		return;
	}
	failures = ++c->found.failures;
	c->found.n_failed[result->stage]++;
	if (result->worker >= 0) {
		struct canary_seat *seat = &c->found.seats[result->worker];

		seat->last = result->stage;
		if (++seat->failures > failures)
			failures = seat->failures;
		snprintf(worker, sizeof worker, "worker %d, ", result->worker);
	}
	if (too_many(c))
		become(c, CANARY_degraded, "failed at %s %u times in a row: %s%s",
		       canary_stage_name(result->stage), failures, worker, result->why);
}

/* ---- rounds --------------------------------------------------------------------- */

static void end_round(struct canary *c)
{
	uint64_t interval_ns = c->limits.interval_ms * MS_NS;

	c->left = 0;
	c->next_ns = c->begun_ns + interval_ns;
	if (c->failed)
		c->next_ns = clock_mono_ns() + interval_ns / AGAIN_SHARE;
}

/* Whether it is TLS is found out by trying: plain first. */
static bool may_be_tls(struct canary *c, const struct visit_result *result)
{
	if (result->answered)
		c->answered = true;
	if (c->answered || result->end == VISIT_untried)
		return false;
	if (!c->tls && result->end == VISIT_tls) {
		c->tls = true;
		return true;
	}
	c->tls = false;
	return false;
}

/* Whether the round goes on after this visit. */
static bool take(struct canary *c, const struct visit_result *result)
{
	c->reached = c->reached || result->stage != CANARY_AT_connect;
	if (may_be_tls(c, result))
		return c->n_tries > 0;
	switch (result->end) {
	case VISIT_passed: passed(c, result); break;
	case VISIT_tls:
	case VISIT_failed: failed(c, result); break;
	case VISIT_known: break;
	case VISIT_no_token:
		c->tokenless = true;
		become(c, CANARY_off, "no token: PARLEY_CANARY_TOKEN_FILE is not set");
		return false;
	case VISIT_untried:
		become(c, CANARY_unknown, "cannot be tried: %s", result->why);
		return false;
	}
	if (result->worker >= 0)
		c->left &= ~(1ull << result->worker);
	else if (result->end != VISIT_known)
		return false;
	return c->left && c->n_tries && c->found.failures < c->limits.failures;
}

static void visit_next(struct canary *c);

static void on_visited(void *app, const struct visit_result *result)
{
	struct canary *c = app;

	CHECK_OBJ(c, CANARY_MAGIC);
	c->visiting = false;
	if (c->closing || !c->left)
		return; /* what it found is about nobody any more */
	if (take(c, result))
		visit_next(c);
	else
		end_round(c);
}

static int fill_address(const struct canary *c, unsigned port,
			struct sockaddr_storage *ret_address)
{
	if (strchr(c->host, ':'))
		return uv_ip6_addr(c->host, (int)port,
				   (struct sockaddr_in6 *)ret_address);
	return uv_ip4_addr(c->host, (int)port, (struct sockaddr_in *)ret_address);
}

static void visit_next(struct canary *c)
{
	unsigned port = c->port ? c->port : c->seat_port;
	struct visit_wish wish = {
		.host = c->header_host,
		.instance = c->key,
		.room = c->limits.room,
		.token_file = c->limits.token_file,
		.tls = c->tls,
		.timeout_ms = c->limits.timeout_ms,
		.known = ~c->left,
	};
	int rc = fill_address(c, port, &wish.address);

	snprintf(c->header_host, sizeof c->header_host,
		 strchr(c->host, ':') ? "[%s]:%u" : "%s:%u", c->host, port);
	snprintf(c->key, sizeof c->key, "%016" PRIx64 "%016" PRIx64, c->instance[0],
		 c->instance[1]);
	if (rc == 0)
		rc = visit_start(&c->visit, c->loop, &wish, on_visited, c);
	if (rc < 0) {
		become(c, CANARY_unknown, "cannot be tried: %s", uv_strerror(rc));
		end_round(c);
		return;
	}
	c->n_tries--;
	c->visiting = true;
}

static void begin_round(struct canary *c, uint64_t now_ns)
{
	c->begun_ns = now_ns;
	c->left = c->serving;
	c->failed = false;
	c->n_tries = TRIES_SPARE;
	for (uint64_t left = c->left; left; left &= left - 1)
		c->n_tries += TRIES_EACH;
	visit_next(c);
}

/* ---- looking -------------------------------------------------------------------- */

/* Why the gateway cannot be tried now; NULL if it can. */
static const char *hindrance(const struct snapshot *s)
{
	if (s->look != LOOK_ok || !s->supervisor_known || !s->supervisor_alive)
		return "there is no gateway to try";
	if (s->state != GATEWAY_running)
		return "the gateway is not running";
	if (!s->has[COUNTER_links_canary])
		return "the gateway is of a version that knows no canary";
	if (s->port == 0 || s->port > UINT16_MAX)
		return "the gateway tells no port";
	return NULL;
}

/* Which workers serve; what is known of others is forgotten. */
static void see_seats(struct canary *c, const struct snapshot *s)
{
	c->serving = 0;
	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++) {
		struct canary_seat *seat = &c->found.seats[i];
		const struct snapshot_slot *slot = NULL;

		if (i < s->n_seats && s->seats[i].role == ROLE_WORKER)
			slot = judge_serving(s, &s->seats[i]);
		if (!slot || slot->generation != seat->generation)
			memset(seat, 0, sizeof *seat);
		if (!slot || i >= 64)
			continue;
		seat->generation = slot->generation;
		c->serving |= 1ull << i;
	}
	c->left &= c->serving;
}

static void see_gateway(struct canary *c, const struct snapshot *s)
{
	bool same = c->runs && memcmp(c->instance, s->instance, sizeof c->instance) == 0;

	if (!same || c->reloads != s->reloads)
		c->tokenless = c->answered = false;
	if (!same) {
		forget_all(c);
		c->reached = c->tls = false;
		c->next_ns = 0;
		become(c, CANARY_unknown, "not tried yet");
	}
	memcpy(c->instance, s->instance, sizeof c->instance);
	c->reloads = s->reloads;
	c->seat_port = (unsigned)s->port;
	c->runs = true;
	see_seats(c, s);
}

void canary_look(struct canary *c, const struct snapshot *snapshot, uint64_t now_ns)
{
	const char *why;

	CHECK_OBJ(c, CANARY_MAGIC);
	c->found.now_ns = now_ns;
	if (c->closing || !c->limits.interval_ms || !*c->limits.room)
		return;
	why = hindrance(snapshot);
	if (why) {
		c->runs = false;
		forget_all(c);
		become(c, CANARY_unknown, "%s", why);
		return;
	}
	see_gateway(c, snapshot);
	if (c->found.state == CANARY_degraded && !too_many(c))
		become(c, CANARY_unknown, "its processes are new");
	if (c->visiting || c->left || c->tokenless || !c->serving || now_ns < c->next_ns)
		return;
	begin_round(c, now_ns);
}

const struct canary_found *canary_found(const struct canary *c)
{
	return &c->found;
}

/* ---- life ----------------------------------------------------------------------- */

int canary_new(uv_loop_t *loop, const struct canary_limits *limits,
	       struct canary **ret_canary, struct why *why)
{
	struct canary *c = calloc(1, sizeof *c);

	if (!c)
		return why_set(why, -ENOMEM, "no memory for the canary");
	c->magic = CANARY_MAGIC;
	c->loop = loop;
	c->limits = *limits;
	if (settings_address(limits->connect, c->host, sizeof c->host, &c->port) < 0) {
		free(c);
		return why_set(why, -EINVAL, "PARLEY_CANARY_CONNECT is no address");
	}
	if (!limits->interval_ms)
		become(c, CANARY_off, "PARLEY_CANARY_INTERVAL_MS is 0");
	else if (!*limits->room)
		become(c, CANARY_off, "PARLEY_CANARY_ROOM is empty");
	else
		become(c, CANARY_unknown, "not tried yet");
	*ret_canary = c;
	return 0;
}

void canary_close(struct canary *c)
{
	if (!c || c->closing)
		return;
	c->closing = true;
	if (c->visiting)
		visit_stop(&c->visit);
}

void canary_free(struct canary *c)
{
	if (!c)
		return;
	CHECK_OBJ(c, CANARY_MAGIC);
	c->magic = 0;
	free(c);
}
