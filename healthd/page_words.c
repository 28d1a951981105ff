#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

enum {
	DAY_MS = 86400 * 1000
};

const char *words_lasting(uint64_t ms, char out[WORDS_SIZE])
{
	uint64_t s = ms / 1000;

	if (s < 10)
		snprintf(out, WORDS_SIZE, "%" PRIu64 ".%" PRIu64 " s", s, ms / 100 % 10);
	else if (s < 60)
		snprintf(out, WORDS_SIZE, "%" PRIu64 " s", s);
	else if (s < 3600)
		snprintf(out, WORDS_SIZE, "%" PRIu64 " min %02" PRIu64 " s", s / 60,
			 s % 60);
	else if (s < 86400)
		snprintf(out, WORDS_SIZE, "%" PRIu64 " h %02" PRIu64 " min", s / 3600,
			 s / 60 % 60);
	else
		snprintf(out, WORDS_SIZE, "%" PRIu64 " d %" PRIu64 " h", s / 86400,
			 s / 3600 % 24);
	return out;
}

const char *words_count(uint64_t n, char out[WORDS_SIZE])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
	char *at = out;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return out;
}

const char *words_rate(double rate, char out[WORDS_SIZE])
{
	if (isnan(rate))
		snprintf(out, WORDS_SIZE, "unknown");
	else if (rate >= 100 && rate < 1e18)
		words_count((uint64_t)(rate + 0.5), out);
	else if (rate == 0 || rate >= 10)
		snprintf(out, WORDS_SIZE, "%.*f", rate == 0 ? 0 : 1, rate);
	else
		snprintf(out, WORDS_SIZE, "%.*f", rate < 1 ? 2 : 1, rate);
	return out;
}

void html_time(struct html *html, int64_t wall_ms, int64_t now_wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	clock_wall_text(wall_ms, text); /* 2026-08-26T06:04:59.000Z */
	html_raw(html, "<time datetime=\"");
	html_text(html, text);
	html_raw(html, "\">");
	if (wall_ms / DAY_MS != now_wall_ms / DAY_MS)
		html_format(html, "%.10s ", text);
	html_format(html, "%.8s UTC", text + 11);
	html_raw(html, "</time>");
}

void html_fact(struct html *html, const char *name, const char *value)
{
	html_raw(html, "<div><dt>");
	html_raw(html, name);
	html_raw(html, "</dt><dd>");
	html_text(html, value);
	html_raw(html, "</dd></div>");
}

void html_fact_count(struct html *html, const char *name, bool known, uint64_t n)
{
	char words[WORDS_SIZE];

	html_fact(html, name, known ? words_count(n, words) : "unknown");
}
