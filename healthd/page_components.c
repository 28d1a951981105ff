#include <inttypes.h>
#include <stdio.h>

#include "healthd/page_parts.h"

void page_card(struct html *html, const char *name, const char *class_name,
	       const char *state)
{
	html_raw(html, "<section class=\"card\"><h2>");
	html_raw(html, name);
	html_raw(html, " <span class=\"state ");
	html_raw(html, class_name);
	html_raw(html, "\">");
	html_raw(html, state);
	html_raw(html, "</span></h2>");
}

void page_why(struct html *html, const char *reason)
{
	if (!*reason)
		return;
	html_raw(html, "<p class=\"why\">");
	html_text(html, reason);
	html_raw(html, "</p>");
}

static void write_store(const struct view *view, struct html *html)
{
	const struct verdict_store *store = &view->verdict->store;
	char words[WORDS_SIZE] = "unknown";

	page_card(html, "Store", store_status_name(store->status),
		  store_status_name(store->status));
	page_why(html, store->reason);
	html_raw(html, "<dl>");
	html_fact(html, "Kind", store->driver ? store->driver : "unknown");
	if (store->latency_known)
		snprintf(words, sizeof words, "%.2f ms", (double)store->latency_us / 1e3);
	html_fact(html, "Last commit took", words);
	html_fact_count(html, "Waiting for commit", store->queue_known, store->queue);
	if (store->last_ok_known) {
		html_raw(html, "<div><dt>Last answer</dt><dd>");
		html_time(html, (int64_t)store->last_ok_ms, view->wall_ms);
		html_raw(html, "</dd></div>");
	}
	html_raw(html, "</dl></section>");
}

/* Whether a counter can be told. */
static bool is_told(const struct view *view, enum counter id)
{
	return view->snapshot->look == LOOK_ok && view->snapshot->has[id];
}

static void write_counter(const struct view *view, struct html *html, const char *name,
			  enum counter id)
{
	bool known = is_told(view, id);

	html_fact_count(html, name, known, known ? judge_counter(view->snapshot, id) : 0);
}

/* A reader that was lapped reads the store instead: it costs time, and loses nothing. */
static void write_bus(const struct view *view, struct html *html)
{
	const bool known = view->verdict->active_known &&
			   view->verdict->server != SERVER_stopped &&
			   is_told(view, COUNTER_bus_read);

	page_card(html, "Bus", known ? "ok" : "unknown", known ? "ok" : "unknown");
	html_raw(html, "<dl>");
	write_counter(view, html, "Records written", COUNTER_bus_written);
	write_counter(view, html, "Records read", COUNTER_bus_read);
	write_counter(view, html, "Readers lapped", COUNTER_bus_overruns);
	write_counter(view, html, "Holes read again", COUNTER_gaps);
	html_raw(html, "</dl></section>");
}

void page_components(const struct view *view, struct html *html)
{
	html_raw(html, "<div id=\"components\" class=\"components\">");
	write_store(view, html);
	write_bus(view, html);
	if (view->findings) {
		page_canary(view, html);
		page_audit(view, html);
	}
	html_raw(html, "</div>");
}
