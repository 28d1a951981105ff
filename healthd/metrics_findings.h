/*
 * metrics_findings - what canary and audit have found, for metrics.c only.
 */
#ifndef METRICS_FINDINGS_H
#define METRICS_FINDINGS_H

#include "healthd/exposition.h"
#include "healthd/findings.h"

/* parley_canary_* and parley_audit_*; what is not known now is left out. Nothing for
 * NULL. */
void metrics_findings(struct exposition *e, const struct findings *findings);

#endif
