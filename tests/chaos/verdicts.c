#include "tests/chaos/verdicts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum {
	PRINTED_MAX = 20
};

static const char *const path_names[] = {
#define X(name, at) [PATH_##name] = at,
	PATHS(X)
#undef X
};

static const char *const wrong_names[] = {
#define X(name) [WRONG_##name] = #name,
	WRONGS(X)
#undef X
};

static const char *const says_names[] = { "ok", "degraded", "error" };

void verdicts_init(struct verdicts *v, unsigned tolerance)
{
	*v = (struct verdicts){ .begin_us = asker_now_us() };
	v->faults.tolerance = tolerance;
	v->waiting = calloc(SAID_MAX, sizeof(*v->waiting));
	CHECK(v->waiting);
}

void verdicts_release(struct verdicts *v)
{
	faults_release(&v->faults);
	free(v->waiting);
	free(v->took_us);
}

/* ---- one answer ------------------------------------------------------------------- */

static void tell(struct verdicts *v, const struct said *said, enum wrong wrong,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
static void tell(struct verdicts *v, const struct said *said, enum wrong wrong,
		 const char *format, ...)
{
	char names[512];
	va_list args;

	if (v->n_wrong[wrong]++ >= PRINTED_MAX)
		return;
	faults_name(&v->faults, said->answered_us, names, sizeof(names));
	printf("wrong after %.3f s: %s: %s: ",
	       (double)(said->answered_us - v->begin_us) / 1e6, wrong_names[wrong],
	       path_names[said->path]);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("; %s\n", names);
}

static void judge_words(struct verdicts *v, const struct said *said)
{
	struct demand asked = faults_demand(&v->faults, said->path, said->asked_us);
	struct demand answered = faults_demand(&v->faults, said->path, said->answered_us);
	uint8_t least = asked.says.least < answered.says.least ? asked.says.least
							       : answered.says.least;
	uint8_t most = asked.says.most > answered.says.most ? asked.says.most
							    : answered.says.most;

	if (said->says < least)
		tell(v, said, WRONG_claimed_well, "said %s, must say %s for %s %s",
		     says_names[said->says], says_names[least],
		     answered.because ? answered.because->row->name : "",
		     answered.because ? answered.because->id : "");
	else if (said->says > most)
		tell(v, said, WRONG_claimed_ill, "said %s, may say %s at worst",
		     says_names[said->says], says_names[most]);
}

static void judge_counts(struct verdicts *v, const struct said *said)
{
	unsigned kind = faults_demand(&v->faults, said->path, said->asked_us).kind &
			faults_demand(&v->faults, said->path, said->answered_us).kind;

	if (said->has_active && v->most && said->active > v->most)
		tell(v, said, WRONG_counts, "active=%" PRIu64 ", there are only %" PRIu64,
		     said->active, v->most);
	if (kind & ROW_NOBODY && !(said->has_active && said->active == 0))
		tell(v, said, WRONG_counts, "active=%" PRIu64 "%s of a dead gateway",
		     said->active, said->has_active ? "" : " (unknown)");
	if (kind & ROW_NEW_LIFE)
		v->total = 0;
	if (!said->has_total || kind & ROW_NEW_LIFE)
		return;
	if (said->total < v->total && said->asked_us > v->total_us)
		tell(v, said, WRONG_counts, "total=%" PRIu64 " was %" PRIu64 " before",
		     said->total, v->total);
	if (said->total >= v->total) {
		v->total = said->total;
		v->total_us = said->answered_us;
	}
}

static void judge_one(struct verdicts *v, const struct said *said)
{
	unsigned kind = faults_demand(&v->faults, said->path, said->asked_us).kind |
			faults_demand(&v->faults, said->path, said->answered_us).kind;

	v->n_answers[said->path]++;
	if (said->answered_us >= v->excused_from_us &&
	    said->asked_us <= v->excused_to_us) {
		v->n_excused++;
	} else if (!said->answered) {
		if (!(kind & ROW_UNANSWERED))
			tell(v, said, WRONG_unanswered, "%s", said->why);
	} else if (!said->makes_sense) {
		tell(v, said, WRONG_nonsense, "%s", said->why);
	} else {
		judge_words(v, said);
		if (said->path == PATH_websocket)
			judge_counts(v, said);
	}
	if (said->makes_sense || !said->answered)
		faults_heard(&v->faults, said->path,
			     said->answered ? said->says : SAYS_error, said->answered_us);
}

/* ---- all of them ------------------------------------------------------------------ */

static void note_time(struct verdicts *v, const struct said *said)
{
	if (!said->answered)
		return;
	if (v->n_took == v->size_took) {
		v->size_took = v->size_took * 2 + 4096;
		v->took_us = realloc(v->took_us, v->size_took * sizeof(*v->took_us));
		CHECK(v->took_us);
	}
	v->took_us[v->n_took++] = (uint32_t)(said->answered_us - said->asked_us);
}

static void note(struct verdicts *v, const struct said *said)
{
	if (!v->journal)
		return;
	fprintf(v->journal, "%.3f %s %s",
		(double)(said->answered_us - v->begin_us) / 1000, path_names[said->path],
		said->answered && said->makes_sense ? says_names[said->says] : said->why);
	if (said->has_active)
		fprintf(v->journal, " active=%" PRIu64, said->active);
	fprintf(v->journal, " took_us=%" PRIu64 "\n", said->answered_us - said->asked_us);
}

void verdicts_heard(struct verdicts *v, const struct answer *answer)
{
	struct said said = said_read(answer);

	if (v->n_come - v->n_judged == SAID_MAX)
		judge_one(v, &v->waiting[v->n_judged++ % SAID_MAX]);
	v->waiting[v->n_come++ % SAID_MAX] = said;
	note_time(v, &said);
	note(v, &said);
}

void verdicts_excuse(struct verdicts *v, uint64_t now_us, uint64_t late_us)
{
	if (!late_us)
		return;
	v->late_us += late_us;
	v->excused_from_us = now_us - late_us;
	v->excused_to_us = now_us;
	faults_excuse(&v->faults, now_us, late_us);
}

void verdicts_judge(struct verdicts *v, uint64_t until_us)
{
	while (v->n_judged < v->n_come &&
	       v->waiting[v->n_judged % SAID_MAX].answered_us < until_us)
		judge_one(v, &v->waiting[v->n_judged++ % SAID_MAX]);
	faults_tell(&v->faults, until_us);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint64_t verdicts_tell(struct verdicts *v)
{
	uint64_t wrong = 0, answers = 0;
	size_t n = v->n_took;

	for (unsigned i = 0; i < PATH_COUNT; i++)
		answers += v->n_answers[i];
	printf("probes=%" PRIu64, answers);
	for (unsigned i = 0; i < WRONG_COUNT; i++) {
		printf(" %s=%" PRIu64, wrong_names[i], v->n_wrong[i]);
		wrong += v->n_wrong[i];
	}
	if (n)
		qsort(v->took_us, n, sizeof(*v->took_us), by_size);
	printf(" p50_us=%u p99_us=%u max_us=%u late_ms=%" PRIu64 " excused=%" PRIu64 "\n",
	       n ? v->took_us[n / 2] : 0, n ? v->took_us[n * 99 / 100] : 0,
	       n ? v->took_us[n - 1] : 0, v->late_us / 1000, v->n_excused);
	return wrong;
}
