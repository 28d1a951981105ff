#include "healthd/accept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* What stands before the next semicolon, trimmed; *at is set behind that. */
static const char *next_part(const char **at, const char *end, size_t *ret_len)
{
	const char *from = *at, *semicolon = memchr(from, ';', (size_t)(end - from));

	*ret_len = (size_t)((semicolon ? semicolon : end) - from);
	*at = semicolon ? semicolon + 1 : end;
	return trim(from, ret_len);
}

static bool is_one_of(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (is_word(text, len, *words))
			return true;
	return false;
}

/* The q of one range, "text/html;level=1;q=0.5"; -1 for a range of another type. */
static double quality(const char *at, const char *end, const char *type,
		      const char *const *versions)
{
	size_t len;
	const char *part = next_part(&at, end, &len);
	double q = 1;

	if (!is_word(part, len, type))
		return -1;
	while (at < end) {
		part = next_part(&at, end, &len);
		/* A header ends in a NUL, so that strtod ends, too. */
		if (len > 2 && strncasecmp(part, "q=", 2) == 0)
			q = strtod(part + 2, NULL);
		else if (versions && len > 8 && strncasecmp(part, "version=", 8) == 0 &&
			 !is_one_of(part + 8, len - 8, versions))
			return 0;
	}
	return q;
}

double accept_quality(const struct http_request *request, const char *type,
		      const char *const *versions)
{
	double best = -1;

	for (unsigned i = 0; i < request->n_headers; i++) {
		const char *at = request->headers[i].value;

		if (strcasecmp(request->headers[i].name, "accept") != 0)
			continue;
		while (*at) {
			size_t len = strcspn(at, ",");
			double q = quality(at, at + len, type, versions);

			if (q > best)
				best = q;
			at += len + (at[len] == ',');
		}
	}
	return best;
}
