#include "healthd/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum {
	N_RATES = HISTORY_SERIES_COUNT - HISTORY_messages,
	LATE_MS = 1000,  /* between two looks: how it grew meanwhile is not known */
	WATCHED_MIN = 4, /* a rate needs this part of its time watched: one fourth */
	N_SECONDS = HISTORY_NOW_MS / 1000,
	N_PLACES = HISTORY_SAMPLES + 1 /* one is being filled */
};

/* What was seen in some span of time. */
struct bucket {
	double level_sum;
	unsigned n_levels, n_looks;
	enum verdict_status worst;
	double growth[N_RATES];
	uint64_t watched_ns[N_RATES];
};

struct sample {
	float values[HISTORY_SERIES_COUNT];
	unsigned char status;
};

struct total {
	bool known;
	uint64_t value;
};

struct history {
	uint64_t span_ms, sample_ns;
	bool started;
	uint64_t looked_ns, instance[2];
	struct total totals[N_RATES]; /* as of the last look */
	uint64_t second, place;       /* which are being filled, since the clock's zero */
	struct bucket seconds[N_SECONDS];
	struct bucket current;
	struct sample samples[N_PLACES]; /* at `place` modulo their number */
};

static const enum counter counter_of[HISTORY_SERIES_COUNT] = {
	[HISTORY_messages] = COUNTER_store_commit_sends,
	[HISTORY_deliveries] = COUNTER_deliveries,
};

static const struct sample unknown = { { NAN, NAN, NAN }, STATUS_COUNT };

struct history *history_new(uint64_t span_ms)
{
	struct history *history = calloc(1, sizeof *history);

	if (!history)
		return NULL;
	history->span_ms = span_ms;
	history->sample_ns = span_ms * MS_NS / HISTORY_SAMPLES;
	for (unsigned i = 0; i < N_PLACES; i++)
		history->samples[i] = unknown;
	return history;
}

void history_free(struct history *history)
{
	free(history);
}

/* ---- buckets ------------------------------------------------------------------- */

static void add(struct bucket *to, const struct bucket *from)
{
	to->level_sum += from->level_sum;
	to->n_levels += from->n_levels;
	to->n_looks += from->n_looks;
	if (from->worst > to->worst)
		to->worst = from->worst;
	for (unsigned i = 0; i < N_RATES; i++) {
		to->growth[i] += from->growth[i];
		to->watched_ns[i] += from->watched_ns[i];
	}
}

/* Over a span of which enough was seen. */
static double value_of(const struct bucket *bucket, enum history_series series,
		       uint64_t span_ns)
{
	unsigned i = series - HISTORY_messages;

	if (series == HISTORY_connections)
		return bucket->n_levels ? bucket->level_sum / bucket->n_levels : NAN;
	if (bucket->watched_ns[i] < span_ns / WATCHED_MIN || bucket->watched_ns[i] == 0)
		return NAN;
	return bucket->growth[i] * 1e9 / (double)bucket->watched_ns[i];
}

/* ---- one look ------------------------------------------------------------------ */

/* Of a gateway that is gone it is known that nothing grows. */
static bool is_gone(const struct verdict *verdict)
{
	return verdict->server == SERVER_stopped && verdict->active_known &&
	       verdict->active == 0;
}

static void grow(struct history *history, unsigned i, struct total total,
		 uint64_t passed_ns, bool may_count, struct bucket *ret)
{
	struct total *last = &history->totals[i];

	if (may_count && last->known && total.known && total.value >= last->value) {
		ret->growth[i] = (double)(total.value - last->value);
		ret->watched_ns[i] = passed_ns;
	}
	*last = total;
}

static struct bucket bucket_of(struct history *history, const struct snapshot *s,
			       const struct verdict *verdict, uint64_t now_ns)
{
	uint64_t passed_ns = now_ns - history->looked_ns;
	bool is_same = memcmp(history->instance, s->instance, sizeof s->instance) == 0;
	bool in_time = history->started && passed_ns <= LATE_MS * MS_NS;
	struct bucket bucket = { .n_looks = 1, .worst = verdict_worst(verdict) };

	if (verdict->active_known) {
		bucket.level_sum = (double)verdict->active;
		bucket.n_levels = 1;
	}
	for (unsigned i = 0; i < N_RATES; i++) {
		enum counter id = counter_of[HISTORY_messages + i];
		struct total total = { s->look == LOOK_ok && s->has[id], 0 };

		if (total.known)
			total.value = judge_counter(s, id);
		grow(history, i, total, passed_ns, is_same && in_time, &bucket);
		if (in_time && is_gone(verdict))
			bucket.watched_ns[i] = passed_ns;
	}
	memcpy(history->instance, s->instance, sizeof history->instance);
	history->looked_ns = now_ns;
	return bucket;
}

/* ---- time goes on -------------------------------------------------------------- */

static void keep_sample(struct history *history)
{
	struct sample *sample = &history->samples[history->place % N_PLACES];
	const struct bucket *bucket = &history->current;

	for (unsigned i = 0; i < HISTORY_SERIES_COUNT; i++)
		sample->values[i] = (float)value_of(bucket, (enum history_series)i,
						    history->sample_ns);
	sample->status = bucket->n_looks ? bucket->worst : STATUS_COUNT;
	history->current = (struct bucket){ 0 };
}

/* Of what was passed over nothing is known. */
static void pass(struct history *history, uint64_t now_ns)
{
	uint64_t second = now_ns / (1000 * MS_NS);
	uint64_t place = now_ns / history->sample_ns;

	if (!history->started) {
		history->second = second;
		history->place = place;
	}
	for (unsigned n = 0; history->second < second; n++) {
		history->second = n < N_SECONDS ? history->second + 1 : second;
		history->seconds[history->second % N_SECONDS] = (struct bucket){ 0 };
	}
	if (history->place < place)
		keep_sample(history);
	for (unsigned n = 0; history->place < place; n++) {
		history->place = n < N_PLACES ? history->place + 1 : place;
		history->samples[history->place % N_PLACES] = unknown;
	}
}

void history_look(struct history *history, const struct snapshot *snapshot,
		  const struct verdict *verdict, uint64_t now_ns)
{
	struct bucket bucket;

	pass(history, now_ns);
	bucket = bucket_of(history, snapshot, verdict, now_ns);
	add(&history->seconds[history->second % N_SECONDS], &bucket);
	add(&history->current, &bucket);
	history->started = true;
}

/* ---- reading ------------------------------------------------------------------- */

uint64_t history_span_ms(const struct history *history)
{
	return history->span_ms;
}

/* The one behind the place that is being filled is the oldest. */
static const struct sample *sample_at(const struct history *history, unsigned i)
{
	return &history->samples[(history->place + 1 + i) % N_PLACES];
}

double history_at(const struct history *history, enum history_series series, unsigned i)
{
	return (double)sample_at(history, i)->values[series];
}

enum verdict_status history_status(const struct history *history, unsigned i)
{
	return (enum verdict_status)sample_at(history, i)->status;
}

double history_now(const struct history *history, enum history_series series)
{
	struct bucket all = { 0 };

	for (unsigned i = 0; i < N_SECONDS; i++)
		add(&all, &history->seconds[i]);
	return value_of(&all, series, 0);
}
