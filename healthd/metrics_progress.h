/*
 * metrics_progress - drains and rolls, for metrics.c only.
 */
#ifndef METRICS_PROGRESS_H
#define METRICS_PROGRESS_H

#include "healthd/exposition.h"
#include "healthd/judge.h"

/* Whether there is one is always told, the rest while there is. */
void metrics_progress(struct exposition *e, const struct verdict *verdict);

#endif
