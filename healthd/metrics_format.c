#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "healthd/metrics.h"

/* How much each of the two is wanted; 0 is not at all. */
struct wanted {
	double text, openmetrics;
};

static bool is_word(const char *text, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(text, name, len) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without blanks at both ends. */
static const char *trim(const char *text, size_t *len)
{
	while (*len > 0 && is_blank(*text)) {
		text++;
		--*len;
	}
	while (*len > 0 && is_blank(text[*len - 1]))
		--*len;
	return text;
}

/* The q of a media range's parameters; 0 also for a version that is not spoken here. */
static double quality(const char *at, const char *end, bool is_openmetrics)
{
	double q = 1;

	while (at < end) {
		const char *semicolon = memchr(at, ';', (size_t)(end - at));
		size_t len = (size_t)((semicolon ? semicolon : end) - at);
		const char *name = trim(at, &len);

		if (len > 2 && strncasecmp(name, "q=", 2) == 0)
			q = strtod(name + 2, NULL);
		else if (is_openmetrics && len > 8 &&
			 strncasecmp(name, "version=", 8) == 0 &&
			 !is_word(name, len, "version=1.0.0") &&
			 !is_word(name, len, "version=0.0.1"))
			return 0;
		at = semicolon ? semicolon + 1 : end;
	}
	return q;
}

static void take_range(const char *at, const char *end, struct wanted *wanted)
{
	const char *semicolon = memchr(at, ';', (size_t)(end - at));
	const char *parameters = semicolon ? semicolon + 1 : end;
	size_t len = (size_t)((semicolon ? semicolon : end) - at);
	const char *type = trim(at, &len);
	bool is_openmetrics = is_word(type, len, "application/openmetrics-text");
	double q = quality(parameters, end, is_openmetrics);

	if (is_openmetrics && q > wanted->openmetrics)
		wanted->openmetrics = q;
	if ((is_word(type, len, "text/plain") || is_word(type, len, "text/*") ||
	     is_word(type, len, "*/*")) &&
	    q > wanted->text)
		wanted->text = q;
}

enum metrics_format metrics_format(const struct http_request *request)
{
	struct wanted wanted = { 0, 0 };

	for (unsigned i = 0; i < request->n_headers; i++) {
		const char *at = request->headers[i].value;

		if (strcasecmp(request->headers[i].name, "accept") != 0)
			continue;
		while (*at) {
			size_t len = strcspn(at, ",");

			take_range(at, at + len, &wanted);
			at += len + (at[len] == ',');
		}
	}
	return wanted.openmetrics > 0 && wanted.openmetrics >= wanted.text
		       ? METRICS_OPENMETRICS
		       : METRICS_TEXT;
}

const char *metrics_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
