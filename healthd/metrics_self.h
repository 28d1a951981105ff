/*
 * metrics_self - healthd's own metrics; for metrics.c only.
 */
#ifndef METRICS_SELF_H
#define METRICS_SELF_H

#include "healthd/exposition.h"
#include "healthd/view.h"

/* What the HTTP server counts (parley_healthd_*), and what the kernel counts for this
 * process (process_*); what the kernel does not tell now is left out. */
void metrics_self(struct exposition *e, const struct view *view);

#endif
