/*
 * report - what is known of the gateway, as JSON.
 *
 * Each returns new, or NULL without memory. A number that cannot be known is null.
 */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>

#include "healthd/view.h"

/* How reports are printed: compact, and times without a tail of digits. */
#define REPORT_FORMAT (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* The object of /health/websocket: five members that its users know, in their order,
 * and `reason` when all is not well. `verbose` adds what is known of each process. */
json_t *report_websocket(const struct view *view, bool verbose);

/* The object of /health/database: of numbers that nobody vouches for now there is
 * null; `reason` when all is not well. */
json_t *report_database(const struct view *view);

/* The worst of all components, and each of them; and what is under way. */
json_t *report_health(const struct view *view, bool verbose);

/* Adds `drain` and `rolling` while there is one: how many are left, how long it takes.
 * -1 without memory. */
int report_progress(const struct verdict *verdict, json_t *object);

/* The object of a yes-or-no probe; the reason stands only with a no. */
json_t *report_probe(const struct view *view, bool yes, const char *reason);

/* Everything, for parley-stat: the verdict, every counter, seats, slots and the last
 * events of each process. */
json_t *report_all(const struct view *view);

#endif
