#include "healthd/accept.h"
#include "healthd/metrics.h"

enum metrics_format metrics_format(const struct http_request *request)
{
	static const char *const versions[] = { "1.0.0", "0.0.1", NULL };
	static const char *const texts[] = { "text/plain", "text/*", "*/*" };
	double openmetrics = accept_quality(request, "application/openmetrics-text",
					    versions);
	double text = -1;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		double q = accept_quality(request, texts[i], NULL);

		if (q > text)
			text = q;
	}
	return openmetrics > 0 && openmetrics >= text ? METRICS_OPENMETRICS
						      : METRICS_TEXT;
}

const char *metrics_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
