#include "healthd/accept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The q of one range, "text/html;level=1;q=0.5"; -1 for a range of another type. */
static double quality(const char *range, size_t len, const char *type)
{
	const size_t type_len = strlen(type);
	const char *end = range + len, *at;

	while (range < end && (*range == ' ' || *range == '\t'))
		range++;
	if ((size_t)(end - range) < type_len || strncasecmp(range, type, type_len) != 0)
		return -1;
	at = range + type_len;
	if (at < end && !strchr("; \t", *at))
		return -1;
	for (; at < end; at++) {
		if (*at != ';')
			continue;
		while (at + 1 < end && (at[1] == ' ' || at[1] == '\t'))
			at++;
		/* A header ends in a NUL, so that strtod ends, too. */
		if (end - at > 3 && strncasecmp(at + 1, "q=", 2) == 0)
			return strtod(at + 3, NULL);
	}
	return 1;
}

double accept_quality(const struct http_request *request, const char *type)
{
	double best = -1;

	for (unsigned i = 0; i < request->n_headers; i++) {
		const char *at = request->headers[i].value;

		if (strcasecmp(request->headers[i].name, "accept") != 0)
			continue;
		while (*at) {
			size_t len = strcspn(at, ",");
			double q = quality(at, len, type);

			if (q > best)
				best = q;
			at += len + (at[len] == ',');
		}
	}
	return best;
}
