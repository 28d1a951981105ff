/*
 * report_findings - what canary and audit have found, as JSON; for report.c only.
 */
#ifndef REPORT_FINDINGS_H
#define REPORT_FINDINGS_H

#include <jansson.h>

#include "healthd/findings.h"

/* Adds `canary` and `audit` to the components; nothing where nobody looks (NULL).
 * `verbose` adds each worker. 0, or -1 without memory. */
int report_findings(const struct findings *findings, bool verbose, json_t *components);

#endif
