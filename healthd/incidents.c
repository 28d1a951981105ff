#include "healthd/incidents.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* What is the same verdict. */
struct key {
	enum verdict_status worst, status;
	enum verdict_server server;
	enum store_status store;
	bool live, ready;
	unsigned serving, hung;
};

struct incidents {
	bool started, since_known;
	struct key key; /* of the last look */
	int64_t since_wall_ms;
	uint64_t since_ns;
	uint64_t instance[2]; /* of the last gateway that could be read */
	bool seen;
	uint64_t n_ever;
	struct incident *trouble, *roll; /* that last, or the last trouble; in `ring` */
	struct incident ring[INCIDENTS_MAX];
};

struct now {
	const struct snapshot *snapshot;
	const struct verdict *verdict;
	enum verdict_status worst;
	uint64_t ns;
	int64_t wall_ms;
};

struct incidents *incidents_new(void)
{
	return calloc(1, sizeof(struct incidents));
}

void incidents_free(struct incidents *incidents)
{
	free(incidents);
}

static struct incident *begin(struct incidents *incidents, enum incident_kind kind,
			      const struct now *now)
{
	struct incident *incident = &incidents->ring[incidents->n_ever++ % INCIDENTS_MAX];

	/* The oldest goes, also if it lasts still. */
	if (incidents->trouble == incident)
		incidents->trouble = NULL;
	if (incidents->roll == incident)
		incidents->roll = NULL;
	*incident = (struct incident){
		.kind = kind,
		.began_wall_ms = now->wall_ms,
		.began_ns = now->ns,
		.times = 1,
	};
	return incident;
}

/* ---- trouble ------------------------------------------------------------------- */

/* Whether two sentences differ in their numbers at most, up to what stands in brackets:
 * that may become better known. */
static bool is_same_but_numbers(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, "0123456789.");
		b += strspn(b, "0123456789.");
		if (*a != *b)
			return false;
		if (!*a || *a == '(')
			return true;
		a++;
		b++;
	}
}

static const char *weightiest(const struct verdict *verdict)
{
	if (verdict->n_reasons > 0)
		return verdict->reasons[0];
	return verdict->store.reason;
}

/* The number of the process that a sentence begins with is no measure: "worker 1". */
static size_t subject_len(const char *reason)
{
	size_t len = strcspn(reason, " ");

	if (reason[len] == ' ' && isdigit((unsigned char)reason[len + 1]))
		len += 1 + strspn(reason + len + 1, "0123456789");
	return len;
}

static bool is_told_by(const char *told, const char *reason)
{
	size_t len = subject_len(reason);

	return subject_len(told) == len && memcmp(told, reason, len) == 0 &&
	       is_same_but_numbers(told + len, reason + len);
}

static void tell(struct incident *incident, const char *reason)
{
	unsigned i = 0;

	while (i < incident->n_reasons && !is_told_by(incident->reasons[i], reason))
		i++;
	if (!*reason || i == INCIDENT_REASONS)
		return;
	incident->n_reasons += i == incident->n_reasons;
	memccpy(incident->reasons[i], reason, '\0', VERDICT_REASON_SIZE - 1);
}

static bool is_soon(const struct incident *last, const struct now *now)
{
	return !last->ended_ns || now->ns - last->ended_ns < INCIDENT_JOIN_MS * MS_NS;
}

static void look_for_trouble(struct incidents *incidents, const struct now *now)
{
	struct incident *trouble = incidents->trouble;

	if (now->worst == STATUS_ok) {
		if (trouble && !trouble->ended_ns)
			trouble->ended_ns = now->ns;
		return;
	}
	if (!trouble || !is_soon(trouble, now))
		trouble = incidents->trouble = begin(incidents, INCIDENT_trouble, now);
	trouble->times += trouble->ended_ns != 0;
	trouble->ended_ns = 0;
	if (now->worst > trouble->worst) {
		trouble->worst = now->worst;
		trouble->server = now->verdict->server;
	}
	tell(trouble, weightiest(now->verdict));
}

/* ---- rolls and restarts -------------------------------------------------------- */

static void look_for_roll(struct incidents *incidents, const struct now *now)
{
	const bool under_way = now->verdict->roll.under_way;

	if (under_way && !incidents->roll) {
		incidents->roll = begin(incidents, INCIDENT_roll, now);
	} else if (!under_way && incidents->roll) {
		incidents->roll->ended_ns = now->ns;
		incidents->roll = NULL;
	}
}

static void look_for_restart(struct incidents *incidents, const struct now *now)
{
	const struct snapshot *s = now->snapshot;

	if (s->look != LOOK_ok)
		return;
	if (incidents->seen &&
	    memcmp(incidents->instance, s->instance, sizeof s->instance) != 0)
		begin(incidents, INCIDENT_restart, now)->ended_ns = now->ns;
	memcpy(incidents->instance, s->instance, sizeof incidents->instance);
	incidents->seen = true;
}

/* ---- all of it ----------------------------------------------------------------- */

static bool is_same_key(const struct key *a, const struct key *b)
{
	return a->worst == b->worst && a->status == b->status && a->server == b->server &&
	       a->store == b->store && a->live == b->live && a->ready == b->ready &&
	       a->serving == b->serving && a->hung == b->hung;
}

bool incidents_look(struct incidents *incidents, const struct snapshot *snapshot,
		    const struct verdict *verdict, uint64_t now_ns, int64_t wall_ms)
{
	const struct now now = { snapshot, verdict, verdict_worst(verdict), now_ns,
				 wall_ms };
	const struct key key = {
		.worst = now.worst,
		.status = verdict->status,
		.server = verdict->server,
		.store = verdict->store.status,
		.live = verdict->live,
		.ready = verdict->ready,
		.serving = verdict->workers_serving,
		.hung = verdict->workers_hung,
	};
	bool is_other = !incidents->started || !is_same_key(&key, &incidents->key);

	if (!incidents->started || key.worst != incidents->key.worst ||
	    key.server != incidents->key.server) {
		incidents->since_known = incidents->started;
		incidents->since_wall_ms = wall_ms;
		incidents->since_ns = now_ns;
	}
	look_for_roll(incidents, &now);
	look_for_restart(incidents, &now);
	look_for_trouble(incidents, &now);
	incidents->key = key;
	incidents->started = true;
	return is_other;
}

const struct incident *incidents_at(const struct incidents *incidents, unsigned i)
{
	if (i >= INCIDENTS_MAX || i >= incidents->n_ever)
		return NULL;
	return &incidents->ring[(incidents->n_ever - 1 - i) % INCIDENTS_MAX];
}

uint64_t incidents_ever(const struct incidents *incidents)
{
	return incidents->n_ever;
}

bool incidents_since(const struct incidents *incidents, int64_t *ret_wall_ms,
		     uint64_t *ret_ns)
{
	*ret_wall_ms = incidents->since_wall_ms;
	*ret_ns = incidents->since_ns;
	return incidents->since_known;
}
