#include "healthd/metrics_seats.h"

#include <stdio.h>

#include "healthd/judge.h"

const char *metrics_seat_label(const struct snapshot *snapshot, unsigned seat,
			       char labels[LABELS_SIZE])
{
	char name[24] = "sequencer";

	if (snapshot->seats[seat].role == ROLE_WORKER)
		snprintf(name, sizeof name, "%u", seat);
	exposition_label(labels, LABELS_SIZE, "worker", name);
	return labels;
}

static void write_restarts(struct exposition *e, const struct snapshot *s, unsigned i)
{
	for (unsigned reason = EXIT_none + 1; reason < EXIT_REASON_COUNT; reason++) {
		char labels[LABELS_SIZE] = "";

		metrics_seat_label(s, i, labels);
		exposition_label(labels, sizeof labels, "reason",
				 exit_reason_name(reason));
		exposition_uint(e, labels, s->seats[i].deaths[reason]);
	}
}

static void write_age(struct exposition *e, const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *slot = judge_serving(s, &s->seats[i]);
	char labels[LABELS_SIZE] = "";

	if (slot)
		exposition_seconds(e, metrics_seat_label(s, i, labels),
				   (double)slot->beat_age_ns / 1e9);
}

static void write_state(struct exposition *e, const struct snapshot *s, unsigned i)
{
	char labels[LABELS_SIZE] = "";

	metrics_seat_label(s, i, labels);
	for (unsigned state = 0; state < SEAT_STATE_COUNT; state++)
		exposition_one_of(e, labels, "state", seat_state_name(state),
				  state == s->seats[i].state);
}

static void write_store_up(struct exposition *e, const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *slot = judge_serving(s, &s->seats[i]);
	char labels[LABELS_SIZE] = "";

	if (slot && slot->counters[COUNTER_store_state] != STORE_STATE_unknown)
		exposition_uint(e, metrics_seat_label(s, i, labels),
				slot->counters[COUNTER_store_state] == STORE_STATE_up);
}

static void write_phase(struct exposition *e, const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *slot = judge_serving(s, &s->seats[i]);
	char labels[LABELS_SIZE] = "";

	if (slot)
		exposition_one_of(e, metrics_seat_label(s, i, labels), "phase",
				  phase_name(slot->phase), true);
}

/* From both ends, since one that hangs does not say how much it has not read. */
static void write_bus_lag(struct exposition *e, const struct snapshot *s, unsigned i)
{
	const struct snapshot_slot *worker = judge_serving(s, &s->seats[i]), *sequencer;
	char labels[LABELS_SIZE] = "";
	uint64_t head, at;

	sequencer = judge_serving(s, &s->seats[s->n_seats - 1]);
	if (!worker || !sequencer || worker == sequencer || !s->has[COUNTER_bus_head] ||
	    !s->has[COUNTER_bus_at])
		return;
	head = sequencer->counters[COUNTER_bus_head];
	at = worker->counters[COUNTER_bus_at];
	exposition_uint(e, metrics_seat_label(s, i, labels), head > at ? head - at : 0);
}

void metrics_seats(struct exposition *e, const struct snapshot *snapshot)
{
	const struct snapshot *s = snapshot;
	static const struct {
		const char *name;
		enum exposition_kind kind;
		const char *unit, *help;
		void (*write)(struct exposition *, const struct snapshot *, unsigned);
	} families[] = {
		{ "parley_worker_state", EXPOSITION_GAUGE, "",
		  "1 for the state of a worker's seat", write_state },
		{ "parley_worker_restarts_total", EXPOSITION_COUNTER, "",
		  "Processes of a seat that ended, by reason", write_restarts },
		{ "parley_heartbeat_age_seconds", EXPOSITION_GAUGE, "seconds",
		  "Time since the last beat of the process that serves a seat",
		  write_age },
		{ "parley_worker_store_up", EXPOSITION_GAUGE, "",
		  "1 while the process that serves a seat reaches the store",
		  write_store_up },
		{ "parley_worker_phase", EXPOSITION_GAUGE, "",
		  "1, with what the process that serves a seat is doing", write_phase },
		{ "parley_bus_lag_bytes", EXPOSITION_GAUGE, "bytes",
		  "What a worker has not read yet of what the sequencer said",
		  write_bus_lag },
	};

	for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
		exposition_family(e, families[f].name, families[f].kind, families[f].unit,
				  families[f].help);
		for (unsigned i = 0; i < s->n_seats; i++)
			families[f].write(e, s, i);
	}
}
