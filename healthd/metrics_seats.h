/*
 * metrics_seats - how each worker and the sequencer are.
 */
#ifndef METRICS_SEATS_H
#define METRICS_SEATS_H

#include "common/segment_reader.h"
#include "healthd/exposition.h"

enum {
	LABELS_SIZE = 128
};

/* Appends the label of a seat, a worker's number or the sequencer; returns `labels`. */
const char *metrics_seat_label(const struct snapshot *snapshot, unsigned seat,
			       char labels[LABELS_SIZE]);

void metrics_seats(struct exposition *e, const struct snapshot *snapshot);

#endif
