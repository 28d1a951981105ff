#include "healthd/exposition.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	TEXT_MAX = 256 /* an escaped help or label value */
};

__attribute__((format(printf, 2, 3))) static void put(struct exposition *e,
						      const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(e->out + e->len, e->size - e->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= e->size - e->len)
		e->overflowed = true;
	else
		e->len += (size_t)n;
}

/* Backslash and newline, and where asked the quote, as both formats want it. */
static const char *escape(const char *text, bool with_quote, char out[TEXT_MAX])
{
	char *at = out;

	for (; *text && at < out + TEXT_MAX - 2; text++) {
		if (*text == '\\' || *text == '\n' || (with_quote && *text == '"'))
			*at++ = '\\';
		*at++ = *text == '\n' ? 'n' : *text;
	}
	*at = '\0';
	return out;
}

void exposition_init(struct exposition *e, char *out, size_t size, bool openmetrics)
{
	memset(e, 0, sizeof *e);
	e->out = out;
	e->size = size;
	e->openmetrics = openmetrics;
}

static bool ends_in(const char *name, size_t len, const char *unit)
{
	size_t unit_len = strlen(unit);

	return unit_len > 0 && len > unit_len && name[len - unit_len - 1] == '_' &&
	       memcmp(name + len - unit_len, unit, unit_len) == 0;
}

void exposition_family(struct exposition *e, const char *name, enum exposition_kind kind,
		       const char *unit, const char *help)
{
	static const char *const kinds[] = { "gauge", "counter", "histogram" };
	size_t len = strlen(name);
	char text[TEXT_MAX];

	/* In OpenMetrics a counter's family has its name without the _total. */
	if (e->openmetrics && kind == EXPOSITION_COUNTER)
		len -= strlen("_total");
	e->name = name;
	put(e, "# TYPE %.*s %s\n", (int)len, name, kinds[kind]);
	if (e->openmetrics && ends_in(name, len, unit))
		put(e, "# UNIT %.*s %s\n", (int)len, name, unit);
	put(e, "# HELP %.*s %s\n", (int)len, name, escape(help, e->openmetrics, text));
}

/* `part` is what follows the family's name. */
static void put_name(struct exposition *e, const char *part, const char *labels)
{
	if (*labels)
		put(e, "%s%s{%s} ", e->name, part, labels);
	else
		put(e, "%s%s ", e->name, part);
}

static void put_uint(struct exposition *e, const char *part, const char *labels,
		     uint64_t value)
{
	put_name(e, part, labels);
	put(e, "%" PRIu64 "\n", value);
}

static void put_seconds(struct exposition *e, const char *part, const char *labels,
			double value)
{
	put_name(e, part, labels);
	put(e, "%.6f\n", value);
}

void exposition_uint(struct exposition *e, const char *labels, uint64_t value)
{
	put_uint(e, "", labels, value);
}

void exposition_int(struct exposition *e, const char *labels, int64_t value)
{
	put_name(e, "", labels);
	put(e, "%" PRId64 "\n", value);
}

void exposition_seconds(struct exposition *e, const char *labels, double value)
{
	put_seconds(e, "", labels, value);
}

void exposition_gauge(struct exposition *e, const char *name, const char *unit,
		      const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_GAUGE, unit, help);
	exposition_uint(e, "", value);
}

void exposition_counter(struct exposition *e, const char *name, const char *unit,
			const char *help, uint64_t value)
{
	exposition_family(e, name, EXPOSITION_COUNTER, unit, help);
	exposition_uint(e, "", value);
}

void exposition_bucket(struct exposition *e, const char *labels, uint64_t n)
{
	put_uint(e, "_bucket", labels, n);
}

void exposition_sum(struct exposition *e, const char *labels, double seconds)
{
	put_seconds(e, "_sum", labels, seconds);
}

void exposition_count(struct exposition *e, const char *labels, uint64_t n)
{
	put_uint(e, "_count", labels, n);
}

void exposition_label(char *labels, size_t size, const char *name, const char *value)
{
	char text[TEXT_MAX];
	size_t len = strlen(labels);
	int n = snprintf(labels + len, size - len, "%s%s=\"%s\"", len ? "," : "", name,
			 escape(value, true, text));

	if (n < 0 || (size_t)n >= size - len)
		labels[len] = '\0';
}

void exposition_one_of(struct exposition *e, const char *labels, const char *label,
		       const char *value, bool is)
{
	char all[TEXT_MAX];

	snprintf(all, sizeof all, "%s", labels);
	exposition_label(all, sizeof all, label, value);
	exposition_uint(e, all, is);
}

int exposition_end(struct exposition *e)
{
	if (e->openmetrics)
		put(e, "# EOF\n");
	return e->overflowed ? -ENOSPC : (int)e->len;
}
