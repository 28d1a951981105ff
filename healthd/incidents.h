/*
 * incidents - what happened of late: times that were not ok, rolls and restarts.
 *
 * Fed with every look; keeps the last INCIDENTS_MAX, also of gateways that are gone.
 * *Trouble* lasts from the first verdict that is not ok to the next that is; one that
 * comes again within INCIDENT_JOIN_MS goes on with it, so that what flaps is one entry.
 * It keeps the worst verdict and its story: the weightiest reasons, one after another.
 */
#ifndef INCIDENTS_H
#define INCIDENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/segment_reader.h"
#include "healthd/judge.h"

enum {
	INCIDENTS_MAX = 32,
	INCIDENT_REASONS = 4, /* of one; further ones are left out */
	INCIDENT_JOIN_MS = 5000
};

/* `roll`: workers replaced one by one, after HUP or an upgrade. `restart`: another
 * gateway than before. */
#define INCIDENT_KINDS(X) X(trouble) X(roll) X(restart)
enum incident_kind {
#define X(s) INCIDENT_##s,
	INCIDENT_KINDS(X)
#undef X
	INCIDENT_KIND_COUNT
};

struct incident {
	enum incident_kind kind;
	enum verdict_status worst;  /* of trouble */
	enum verdict_server server; /* when it was worst */
	int64_t began_wall_ms;
	uint64_t began_ns, ended_ns; /* ended: 0 while it lasts */
	unsigned times;              /* how often it came */
	unsigned n_reasons;
	char reasons[INCIDENT_REASONS][VERDICT_REASON_SIZE];
};

struct incidents;

/* NULL without memory. */
struct incidents *incidents_new(void);
void incidents_free(struct incidents *incidents);

/* now_ns is the monotonic clock. True when the verdict is another than with the last
 * look. */
bool incidents_look(struct incidents *incidents, const struct snapshot *snapshot,
		    const struct verdict *verdict, uint64_t now_ns, int64_t wall_ms);

/* The i-th, 0 the newest; NULL if there are not so many. Lent until the next look. */
const struct incident *incidents_at(const struct incidents *incidents, unsigned i);

/* How many there ever were. */
uint64_t incidents_ever(const struct incidents *incidents);

/* Since when status and server are what they are. False: since before the first look,
 * whose time is told. Of no look yet all is 0. */
bool incidents_since(const struct incidents *incidents, int64_t *ret_wall_ms,
		     uint64_t *ret_ns);

#endif
