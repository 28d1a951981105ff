#include "healthd/page.h"

#include <inttypes.h>

#include "healthd/page_parts.h"

/* PART(name, sum, bytes…): style and script of the page. */
#define PART(name, sum, ...) static const char text_of_##name[] = { __VA_ARGS__, '\0' };
#include "build/web/status.def"
#undef PART

#define PART(name, sum, ...) static const char sum_of_##name[] = "'" sum "'";
#include "build/web/status.def"
#undef PART

const char *page_headers(void)
{
	static char text[768];

	if (!*text)
		snprintf(text, sizeof text,
			 "Content-Security-Policy: default-src 'none'; style-src %s; "
			 "script-src %s; connect-src 'self'; img-src data:; "
			 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
			 "X-Content-Type-Options: nosniff\r\n"
			 "Referrer-Policy: no-referrer\r\n"
			 "Vary: Accept\r\n",
			 sum_of_status_css, sum_of_status_js);
	return text;
}

/* The title and the picture in a browser's tab say how it is. */
static void write_tab(const struct view *view, struct html *html)
{
	static const char *const colours[] = { [STATUS_ok] = "%231f7a5c",
					       [STATUS_degraded] = "%23d98a1b",
					       [STATUS_error] = "%23c2362b" };
	static const char *const signs[] = {
		[STATUS_ok] = "M9 16.5l5 5 9-11",
		[STATUS_degraded] = "M16 8v10m0 5v.1",
		[STATUS_error] = "m10.5 10.5 11 11m0-11-11 11",
	};
	enum verdict_status worst = verdict_worst(view->verdict);

	html_raw(html, "<title id=\"title\">");
	html_raw(html, page_headline(view));
	html_raw(html, " – Parley</title><link id=\"icon\" rel=\"icon\" "
		       "href=\"data:image/svg+xml,"
		       "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
		       "%3Crect width='32' height='32' rx='9' fill='");
	html_raw(html, colours[worst]);
	html_raw(html, "'/%3E%3Cpath fill='none' stroke='%23fff' stroke-width='4' "
		       "stroke-linecap='round' stroke-linejoin='round' d='");
	html_raw(html, signs[worst]);
	html_raw(html, "'/%3E%3C/svg%3E\">");
}

static void write_as_of(const struct view *view, struct html *html)
{
	html_raw(html, "<span id=\"as-of\">");
	html_time(html, view->wall_ms, view->wall_ms);
	html_raw(html, "</span>");
}

static void write_foot(const struct view *view, struct html *html)
{
	html_raw(html,
		 "<footer><p>The same for programs: <a "
		 "href=\"/health?verbose\">/health</a>, "
		 "<a href=\"/health/websocket?verbose\">/health/websocket</a>, "
		 "<a href=\"/health/database\">/health/database</a>, "
		 "<a href=\"/metrics\">/metrics</a>, <a href=\"/events\">/events</a></p>"
		 "<p>parley-healthd " PARLEY_VERSION ", since ");
	html_time(html, view->started_ms, view->wall_ms);
	html_raw(html, "</p></footer>");
}

void page_live(const struct view *view, struct html *html)
{
	write_tab(view, html);
	write_as_of(view, html);
	page_verdict(view, html);
	page_numbers(view, html);
	page_components(view, html);
	page_processes(view, html);
	page_incidents(view, html);
	page_deaths(view, html);
}

void page_charts(const struct view *view, struct html *html)
{
	page_timeline(view, html);
	for (unsigned i = 0; i < HISTORY_SERIES_COUNT; i++)
		page_chart(view, (enum history_series)i, html);
}

static void write_head(const struct view *view, struct html *html)
{
	html_raw(html,
		 "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		 "<meta name=\"viewport\" content=\"width=device-width, "
		 "initial-scale=1\">"
		 "<meta name=\"color-scheme\" content=\"light dark\">"
		 "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>");
	write_tab(view, html);
	html_raw(html, "<style>");
	html_raw(html, text_of_status_css);
	html_raw(html, "</style></head>");
}

void page_write(const struct view *view, struct html *html)
{
	write_head(view, html);
	html_raw(html, "<body><header class=\"top\"><h1>Parley <span>status</span></h1>"
		       "<p class=\"seen\"><span id=\"link\">As of</span> ");
	write_as_of(view, html);
	html_raw(html, "</p></header>"
		       "<p id=\"said\" class=\"hidden\" role=\"status\"></p>"
		       "<p id=\"lost\" class=\"lost\" hidden></p><main>");
	page_verdict(view, html);
	page_timeline(view, html);
	page_tiles(view, html);
	page_components(view, html);
	page_processes(view, html);
	page_incidents(view, html);
	page_deaths(view, html);
	html_raw(html, "</main>");
	write_foot(view, html);
	html_raw(html,
		 "<noscript><p class=\"under\">Without scripts this page comes again "
		 "every 5 s.</p></noscript><script>");
	html_raw(html, text_of_status_js);
	html_raw(html, "</script></body></html>\n");
}
