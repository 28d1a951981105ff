#include "tests/chaos/faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum {
	WELL_US = 300000 /* for so long, to be called well again */
};

#define OK                       \
	{                        \
		SAYS_ok, SAYS_ok \
	}
#define MAY_DEGRADE                    \
	{                              \
		SAYS_ok, SAYS_degraded \
	}
#define MAY_FAIL                    \
	{                           \
		SAYS_ok, SAYS_error \
	}
#define DEGRADES                             \
	{                                    \
		SAYS_degraded, SAYS_degraded \
	}
#define NOT_OK                            \
	{                                 \
		SAYS_degraded, SAYS_error \
	}
#define FAILS                          \
	{                              \
		SAYS_error, SAYS_error \
	}

static const struct row rows[] = {
#define ROW(name, websocket, live, ready, database, metrics, shows, told, lasts, after, \
	    kind)                                                                       \
	{ #name,        { websocket, live, ready, database, metrics },                  \
	  PATH_##shows, told,                                                           \
	  lasts,        after,                                                          \
	  kind },
#include "tests/chaos/rows.def"
#undef ROW
};

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

void faults_release(struct faults *faults)
{
	free(faults->list);
}

static uint64_t us(const struct faults *faults, unsigned ms)
{
	return (uint64_t)ms * faults->tolerance * 1000;
}

int faults_begin(struct faults *faults, const char *id, const char *name, uint64_t at_us,
		 unsigned lasts_ms)
{
	const struct row *row = find_row(name);
	struct fault *fault;

	if (!row)
		return -ENOENT;
	if (faults->n == faults->size) {
		faults->size = faults->size * 2 + 64;
		faults->list = realloc(faults->list,
				       faults->size * sizeof(*faults->list));
		CHECK(faults->list);
	}
	fault = &faults->list[faults->n++];
	*fault = (struct fault){
		.row = row,
		.begin_us = at_us,
		.done_us = at_us,
		.end_us = UINT64_MAX,
		.told_us = us(faults, row->told_ms),
		.lasts_us = us(faults, lasts_ms ? lasts_ms : row->lasts_ms),
		.after_us = us(faults, row->after_ms),
	};
	(void)snprintf(fault->id, sizeof(fault->id), "%s", id);
	return 0;
}

static struct fault *find_lasting(struct faults *faults, const char *id)
{
	for (size_t i = faults->n; i-- > 0;)
		if (!strcmp(faults->list[i].id, id) &&
		    faults->list[i].end_us == UINT64_MAX)
			return &faults->list[i];
	return NULL;
}

int faults_done(struct faults *faults, const char *id, uint64_t at_us)
{
	struct fault *fault = find_lasting(faults, id);

	if (!fault)
		return -ENOENT;
	fault->done_us = at_us;
	return 0;
}

int faults_end(struct faults *faults, const char *id, uint64_t at_us)
{
	struct fault *fault = find_lasting(faults, id);

	if (!fault)
		return -ENOENT;
	fault->end_us = at_us;
	return 0;
}

/* ---- what holds at a time --------------------------------------------------------- */

static uint64_t end_of(const struct fault *fault)
{
	uint64_t mended = fault->lasts_us ? fault->begin_us + fault->lasts_us
					  : UINT64_MAX;

	return fault->end_us < mended ? fault->end_us : mended;
}

/* Whether it may still be told. */
static bool lingers(const struct fault *fault, uint64_t at_us)
{
	uint64_t end_us = end_of(fault);

	return at_us >= fault->begin_us &&
	       (at_us < end_us || at_us - end_us < fault->after_us);
}

void faults_excuse(struct faults *faults, uint64_t now_us, uint64_t late_us)
{
	for (size_t i = 0; i < faults->n; i++) {
		struct fault *fault = &faults->list[i];

		if (!lingers(fault, now_us - late_us))
			continue;
		fault->told_us += late_us;
		fault->after_us += late_us;
		if (fault->lasts_us)
			fault->lasts_us += late_us;
	}
}

struct demand faults_demand(const struct faults *faults, enum path path, uint64_t at_us)
{
	struct demand demand = { .because = NULL };

	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *fault = &faults->list[i];
		struct range range = fault->row->of[path];
		bool due = at_us >= fault->begin_us + fault->told_us &&
			   at_us < end_of(fault);

		if (!lingers(fault, at_us))
			continue;
		if (range.most > demand.says.most)
			demand.says.most = range.most;
		if (due && range.least > demand.says.least) {
			demand.says.least = range.least;
			demand.because = fault;
		}
		demand.kind |= fault->row->kind & ~(due ? 0u : (unsigned)ROW_NOBODY);
	}
	return demand;
}

/* ---- what is measured ------------------------------------------------------------- */

void faults_heard(struct faults *faults, enum path path, enum says says, uint64_t at_us)
{
	for (size_t i = 0; i < faults->n; i++) {
		struct fault *fault = &faults->list[i];
		uint8_t least = fault->row->of[path].least;

		if (fault->row->shows != path || fault->measured ||
		    at_us < fault->begin_us)
			continue;
		if (!fault->seen_us && says >= (least ? least : SAYS_degraded))
			fault->seen_us = at_us;
		if (says != SAYS_ok)
			fault->well_us = 0;
		else if (!fault->well_us && fault->seen_us)
			fault->well_us = at_us;
		else if (fault->well_us && at_us > end_of(fault) &&
			 at_us - fault->well_us > WELL_US)
			fault->measured = true;
	}
}

static void tell_ms(const char *name, uint64_t at_us, uint64_t from_us)
{
	if (!at_us)
		printf(" %s=-", name);
	else
		printf(" %s=%.1f", name, ((double)at_us - (double)from_us) / 1000);
}

void faults_tell(struct faults *faults, uint64_t now_us)
{
	for (size_t i = 0; i < faults->n; i++) {
		struct fault *fault = &faults->list[i];

		if (fault->told || lingers(fault, now_us) || fault->begin_us > now_us)
			continue;
		fault->told = fault->measured = true;
		printf("fault %s %s", fault->row->name, fault->id);
		tell_ms("told_ms", fault->seen_us, fault->done_us);
		tell_ms("well_ms", fault->well_us,
			fault->row->lasts_ms ? fault->begin_us : fault->end_us);
		printf("\n");
	}
}

void faults_name(const struct faults *faults, uint64_t at_us, char *text, size_t size)
{
	size_t len = 0;

	(void)snprintf(text, size, "no fault");
	for (size_t i = 0; i < faults->n && len < size; i++) {
		const struct fault *fault = &faults->list[i];

		if (!lingers(fault, at_us))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s %s (%.3f s%s)",
					len ? ", " : "", fault->row->name, fault->id,
					(double)(at_us - fault->begin_us) / 1e6,
					at_us < end_of(fault) ? "" : ", over");
	}
}
