#include "healthd/metrics_findings.h"

#include <stdio.h>

enum {
	LABELS_SIZE = 64
};

static const char *label(const char *name, const char *value, char labels[LABELS_SIZE])
{
	labels[0] = 0;
	exposition_label(labels, LABELS_SIZE, name, value);
	return labels;
}

static const char *worker_label(unsigned seat, char labels[LABELS_SIZE])
{
	char name[16];

	snprintf(name, sizeof name, "%u", seat);
	return label("worker", name, labels);
}

/* ---- canary --------------------------------------------------------------------- */

static void write_state(struct exposition *e, const struct canary_found *found)
{
	exposition_family(e, "parley_canary_state", EXPOSITION_GAUGE, "",
			  "1 for what the canary finds of the gateway");
	for (unsigned i = 0; i < CANARY_STATE_COUNT; i++)
		exposition_one_of(e, "", "state", canary_state_name(i),
				  i == (unsigned)found->state);
}

static void write_visits(struct exposition *e, const struct canary_found *found)
{
	char labels[LABELS_SIZE];

	exposition_counter(e, "parley_canary_passed_total", "",
			   "Messages of the canary that came back", found->n_passed);
	exposition_family(e, "parley_canary_failed_total", EXPOSITION_COUNTER, "",
			  "Failures of the canary, by where it waited in vain");
	for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++)
		exposition_uint(e, label("stage", canary_stage_name(i), labels),
				found->n_failed[i]);
	exposition_gauge(e, "parley_canary_failures", "",
			 "Failures of the canary in a row", found->failures);
}

static void write_times(struct exposition *e, const struct canary_found *found)
{
	char labels[LABELS_SIZE], bound[32];
	uint64_t n = 0;

	exposition_family(e, "parley_canary_round_trip_seconds", EXPOSITION_HISTOGRAM,
			  "seconds",
			  "From sending a message of the canary to its coming back");
	for (unsigned i = 0; i < CANARY_BUCKETS; i++) {
		n += found->buckets[i];
		if (i < CANARY_BUCKETS - 1)
			snprintf(bound, sizeof bound, "%.9g",
				 (double)(1ull << (CANARY_FIRST_BITS + i)) / 1e6);
		else
			snprintf(bound, sizeof bound, "+Inf");
		exposition_bucket(e, label("le", bound, labels), n);
	}
	exposition_sum(e, "", (double)found->sum_us / 1e6);
	exposition_count(e, "", n);
}

static void write_workers(struct exposition *e, const struct canary_found *found)
{
	char labels[LABELS_SIZE];

	exposition_family(e, "parley_canary_worker_round_trip_seconds", EXPOSITION_GAUGE,
			  "seconds", "The last that came back, by worker");
	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++)
		if (found->seats[i].passed)
			exposition_seconds(e, worker_label(i, labels),
					   (double)found->seats[i].delivered_us / 1e6);
	exposition_family(e, "parley_canary_worker_failures", EXPOSITION_GAUGE, "",
			  "Failures of the canary in a row, by worker");
	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++)
		if (found->seats[i].passed || found->seats[i].failures)
			exposition_uint(e, worker_label(i, labels),
					found->seats[i].failures);
}

/* ---- audit ---------------------------------------------------------------------- */

static void write_drift(struct exposition *e, const struct audit_found *found)
{
	char labels[LABELS_SIZE];

	exposition_gauge(e, "parley_audit_sockets", "",
			 "Connections on the gateway's port that the kernel knows",
			 found->sockets);
	exposition_family(e, "parley_audit_drift", EXPOSITION_GAUGE, "",
			  "Connections of the kernel less those counted; 0 unless it "
			  "stays");
	exposition_int(e, "", found->drift);
	exposition_family(e, "parley_audit_worker_drift", EXPOSITION_GAUGE, "",
			  "The same by worker, where its descriptors may be seen");
	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++)
		if (found->seats[i].known)
			exposition_int(e, worker_label(i, labels), found->seats[i].drift);
	exposition_family(e, "parley_audit_duration_seconds", EXPOSITION_GAUGE, "seconds",
			  "How long the last look at the kernel's list took");
	exposition_seconds(e, "", (double)found->took_us / 1e6);
}

static void write_audit(struct exposition *e, const struct audit_found *found)
{
	exposition_family(e, "parley_audit_state", EXPOSITION_GAUGE, "",
			  "1 for what the audit finds of the counts");
	for (unsigned i = 0; i < AUDIT_STATE_COUNT; i++)
		exposition_one_of(e, "", "state", audit_state_name(i),
				  i == (unsigned)found->state);
	exposition_counter(e, "parley_audit_looks_total", "",
			   "Comparisons of the counts with the kernel's list",
			   found->n_looks);
	if (found->known)
		write_drift(e, found);
}

void metrics_findings(struct exposition *e, const struct findings *findings)
{
	if (!findings)
		return;
	write_state(e, findings->canary);
	write_visits(e, findings->canary);
	write_times(e, findings->canary);
	write_workers(e, findings->canary);
	write_audit(e, findings->audit);
}
