/*
 * metrics - what is known of the gateway, and of healthd itself, for Prometheus.
 *
 * Names, kinds and help of what the gateway counts come from counters.def: gauges once
 * per seat (label worker; 0 where nobody lives), totals once, over the living and
 * the gone, so that they never go back. Where the segment cannot be read, parley_up is
 * 0 and nothing is said of what is in it.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>

#include "common/http.h"
#include "healthd/view.h"

enum metrics_format {
	METRICS_TEXT,       /* Prometheus text 0.0.4 */
	METRICS_OPENMETRICS /* OpenMetrics 1.0 */
};

enum {
	METRICS_SIZE = 1 << 19 /* enough for 64 workers */
};

/* What a scraper would rather have, by its Accept; text for who does not say. */
enum metrics_format metrics_format(const struct http_request *request);

const char *metrics_type(enum metrics_format format); /* Content-Type */

/* Writes all of it; returns the length, or -ENOSPC. */
int metrics_write(const struct view *view, enum metrics_format format, char *out,
		  size_t size);

#endif
