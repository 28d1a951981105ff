#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "healthd/page_parts.h"

enum {
	HEIGHT = 60, /* of a chart's drawing, whose width is the number of samples */
	LINE_HEIGHT = 12,
	STEP_SIZE = 32
};

/* How a series is called, and what its numbers are. */
static const struct {
	const char *id, *title, *unit;
} about[HISTORY_SERIES_COUNT] = {
	[HISTORY_connections] = { "connections", "Connections", "" },
	[HISTORY_messages] = { "messages", "Messages", "a second" },
	[HISTORY_deliveries] = { "deliveries", "Deliveries", "a second" },
};

struct range {
	double least, most; /* 0 where nothing is known */
	unsigned n_known;
};

static struct range range_of(const struct view *view, enum history_series series)
{
	struct range range = { 0, 0, 0 };

	for (unsigned i = 0; i < HISTORY_SAMPLES; i++) {
		double value = history_at(view->history, series, i);

		if (isnan(value))
			continue;
		if (range.n_known == 0 || value < range.least)
			range.least = value;
		if (range.n_known == 0 || value > range.most)
			range.most = value;
		range.n_known++;
	}
	return range;
}

/* The next of 1, 2, 5, 10, 20, 50 … that is not less. */
static double scale_of(double most)
{
	double power = 1;

	while (power * 10 <= most && power < 1e18)
		power *= 10;
	return most <= power       ? power
	       : most <= 2 * power ? 2 * power
	       : most <= 5 * power ? 5 * power
				   : 10 * power;
}

/* How long a number of samples is, in words. */
static const char *span_of(const struct view *view, unsigned n, char out[WORDS_SIZE])
{
	uint64_t ms = n * history_span_ms(view->history) / HISTORY_SAMPLES;

	if (ms % 60000 == 0 && ms >= 60000)
		snprintf(out, WORDS_SIZE, "%" PRIu64 " min", ms / 60000);
	else
		words_lasting(ms, out);
	return out;
}

/* ---- the drawing --------------------------------------------------------------- */

/* One run of known samples as a path: a line, or the area below it. */
static void draw_run(const struct view *view, enum history_series series, unsigned from,
		     unsigned to, double scale, bool is_area, struct html *html)
{
	char step[STEP_SIZE];

	if (is_area) {
		snprintf(step, sizeof step, "M%u %dV", from, HEIGHT);
		html_raw(html, step);
	}
	for (unsigned i = from; i < to; i++) {
		double part = history_at(view->history, series, i) / scale;
		double y = HEIGHT - 1 - (part < 1 ? part : 1) * (HEIGHT - 3);

		if (is_area && i == from)
			snprintf(step, sizeof step, "%.1f", y);
		else
			snprintf(step, sizeof step, "%s%u %.1f", i == from ? "M" : "L", i,
				 y);
		html_raw(html, step);
	}
	/* A single sample is a line too, as long as one. */
	snprintf(step, sizeof step, is_area ? "H%uV%dZ" : "H%u", to, HEIGHT);
	html_raw(html, step);
}

static void draw(const struct view *view, enum history_series series, double scale,
		 bool is_area, struct html *html)
{
	unsigned i = 0;

	html_raw(html,
		 is_area ? "<path class=\"area\" d=\"" : "<path class=\"line\" d=\"");
	while (i < HISTORY_SAMPLES) {
		unsigned from = i;

		while (i < HISTORY_SAMPLES &&
		       !isnan(history_at(view->history, series, i)))
			i++;
		if (i > from)
			draw_run(view, series, from, i, scale, is_area, html);
		else
			i++;
	}
	html_raw(html, "\"/>");
}

/* What is said of it to those who do not see it. */
static void write_label(const struct view *view, enum history_series series,
			const struct range *range, struct html *html)
{
	char words[WORDS_SIZE];
	unsigned n_unknown = HISTORY_SAMPLES - range->n_known;

	html_raw(html, about[series].title);
	if (*about[series].unit)
		html_format(html, " %s", about[series].unit);
	html_format(html, ", the last %s: ", span_of(view, HISTORY_SAMPLES, words));
	if (range->n_known == 0) {
		html_raw(html, "nothing is known yet");
		return;
	}
	html_format(html, "lowest %s, ", words_rate(range->least, words));
	html_format(html, "highest %s", words_rate(range->most, words));
	if (n_unknown > 0)
		html_format(html, ", unknown for %s", span_of(view, n_unknown, words));
}

void page_chart(const struct view *view, enum history_series series, struct html *html)
{
	struct range range = range_of(view, series);
	double scale = scale_of(range.most);
	char words[WORDS_SIZE];

	html_raw(html, "<figure id=\"chart-");
	html_raw(html, about[series].id);
	html_raw(html, "\" class=\"chart\"><svg viewBox=\"0 0 360 60\" "
		       "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
	write_label(view, series, &range, html);
	html_raw(html, "\"><path class=\"grid\" d=\"M0 1.5H360M0 30H360M0 59.5H360\"/>");
	draw(view, series, scale, true, html);
	draw(view, series, scale, false, html);
	html_raw(html, "</svg><span class=\"scale\" aria-hidden=\"true\">");
	html_text(html, words_count((uint64_t)scale, words));
	html_raw(html, "</span></figure>");
}

/* ---- the line of the last hour --------------------------------------------------- */

/* The worse, the higher, for those who do not tell the colours. */
static void draw_bar(struct html *html, unsigned from, unsigned to,
		     enum verdict_status status)
{
	static const int heights[STATUS_COUNT] = {
		[STATUS_ok] = 4, [STATUS_degraded] = 8, [STATUS_error] = LINE_HEIGHT
	};
	int height = heights[status];
	char text[96];

	snprintf(text, sizeof text,
		 "<rect class=\"%s\" x=\"%u\" y=\"%d\" width=\"%u\" height=\"%d\"/>",
		 page_class(status), from, LINE_HEIGHT - height, to - from, height);
	html_raw(html, text);
}

static void draw_line(const struct view *view, unsigned n_of[STATUS_COUNT + 1],
		      struct html *html)
{
	for (unsigned i = 0; i < HISTORY_SAMPLES;) {
		enum verdict_status status = history_status(view->history, i);
		unsigned from = i;

		while (i < HISTORY_SAMPLES && history_status(view->history, i) == status)
			i++;
		n_of[status] += i - from;
		if (status != STATUS_COUNT)
			draw_bar(html, from, i, status);
	}
}

void page_timeline(const struct view *view, struct html *html)
{
	unsigned n_of[STATUS_COUNT + 1] = { 0 };
	char words[WORDS_SIZE];

	html_raw(html, "<figure id=\"timeline\" class=\"timeline\">"
		       "<svg viewBox=\"0 0 360 12\" preserveAspectRatio=\"none\" "
		       "aria-hidden=\"true\"><path class=\"grid\" d=\"M0 11.5H360\"/>");
	draw_line(view, n_of, html);
	html_raw(html, "</svg><figcaption><span>");
	html_format(html, "%s ago", span_of(view, HISTORY_SAMPLES, words));
	html_raw(html, "</span><span class=\"shares\">");
	for (unsigned status = 0; status <= STATUS_COUNT; status++) {
		if (n_of[status] == 0 || n_of[STATUS_COUNT] == HISTORY_SAMPLES)
			continue;
		html_raw(html, "<span class=\"share ");
		html_raw(html, page_class((enum verdict_status)status));
		html_raw(html, "\">");
		html_format(html, "%s %s", page_class((enum verdict_status)status),
			    span_of(view, n_of[status], words));
		html_raw(html, "</span> ");
	}
	html_raw(html, "</span><span>now</span></figcaption></figure>");
}

/* ---- numbers ------------------------------------------------------------------- */

/* What healthd says of connections elsewhere, not a mean. */
static void write_number(const struct view *view, enum history_series series,
			 struct html *html)
{
	const struct verdict *v = view->verdict;
	char words[WORDS_SIZE];

	html_raw(html, "<p id=\"now-");
	html_raw(html, about[series].id);
	html_raw(html, "\" class=\"now\"><b>");
	if (series != HISTORY_connections)
		html_text(html, words_rate(history_now(view->history, series), words));
	else
		html_text(html,
			  v->active_known ? words_count(v->active, words) : "unknown");
	html_raw(html, "</b> ");
	if (series != HISTORY_connections)
		html_raw(html, about[series].unit);
	else if (view->snapshot->look == LOOK_ok && view->snapshot->connections_max)
		html_format(html, "of %s",
			    words_count(view->snapshot->connections_max, words));
	html_raw(html, "</p>");
}

void page_numbers(const struct view *view, struct html *html)
{
	for (unsigned i = 0; i < HISTORY_SERIES_COUNT; i++)
		write_number(view, (enum history_series)i, html);
}

void page_tiles(const struct view *view, struct html *html)
{
	html_raw(html, "<div class=\"tiles\">");
	for (unsigned i = 0; i < HISTORY_SERIES_COUNT; i++) {
		html_raw(html, "<section class=\"card tile\"><h2>");
		html_raw(html, about[i].title);
		html_raw(html, "</h2>");
		write_number(view, (enum history_series)i, html);
		page_chart(view, (enum history_series)i, html);
		html_raw(html, "</section>");
	}
	html_raw(html, "</div>");
}
