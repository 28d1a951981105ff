#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

const char *page_class(enum verdict_status status)
{
	return status < STATUS_COUNT ? verdict_status_name(status) : "unknown";
}

static bool is_of_store_alone(const struct verdict *verdict)
{
	return verdict->websocket_ok && verdict_worst(verdict) == STATUS_error;
}

const char *page_headline(const struct view *view)
{
	const struct verdict *v = view->verdict;
	const bool is_readable = view->snapshot->look == LOOK_ok;

	switch (v->server) {
	case SERVER_starting: return "Starting";
	case SERVER_draining: return "Draining: the gateway is leaving";
	case SERVER_hung: return "Hung: nobody is served";
	case SERVER_stopped:
		return is_readable || view->snapshot->look == LOOK_missing
			       ? "Stopped: there is no gateway"
			       : "Unknown: the gateway cannot be seen";
	default: break;
	}
	if (!is_readable)
		return "Unknown: the gateway lives and cannot be read";
	if (is_of_store_alone(v))
		return "The store is away";
	switch (verdict_worst(v)) {
	case STATUS_ok: return "All is well";
	case STATUS_degraded: return "Degraded: clients are served";
	default: return "Down: nobody is served";
	}
}

/* A sign of its own shape for each, beside the colour. */
static void write_sign(struct html *html, enum verdict_status status)
{
	static const char *const shapes[] = {
		[STATUS_ok] = "<circle cx=\"16\" cy=\"16\" r=\"15\"/>"
			      "<path class=\"cut\" d=\"M9 16.5l5 5 9-11\"/>",
		[STATUS_degraded] = "<path d=\"M16 1.5 31.5 29h-31z\"/>"
				    "<path class=\"cut\" d=\"M16 11v8m0 5v.1\"/>",
		[STATUS_error] =
			"<path d=\"M10 1h12l9 9v12l-9 9H10l-9-9V10z\"/>"
			"<path class=\"cut\" d=\"m10.5 10.5 11 11m0-11-11 11\"/>",
	};

	html_raw(html, "<svg class=\"sign\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">");
	html_raw(html, shapes[status]);
	html_raw(html, "</svg>");
}

static void write_since(const struct view *view, struct html *html)
{
	char words[WORDS_SIZE];
	int64_t wall_ms;
	uint64_t ns;
	bool known = incidents_since(view->incidents, &wall_ms, &ns);

	html_raw(html, "<p class=\"since\">");
	html_raw(html, known ? "For " : "For at least ");
	html_text(html, words_lasting((view->mono_ns - ns) / MS_NS, words));
	html_raw(html, known ? ", since " : ": healthd watches since ");
	html_time(html, wall_ms, view->wall_ms);
	html_raw(html, "</p>");
}

static void write_reasons(const struct view *view, struct html *html)
{
	const struct verdict *v = view->verdict;
	const bool has_store = v->n_reasons == 0 && v->store.reason[0] &&
			       verdict_worst(v) != STATUS_ok;

	if (v->n_reasons == 0 && !has_store)
		return;
	html_raw(html, "<ul class=\"reasons\">");
	for (unsigned i = 0; i < v->n_reasons; i++) {
		html_raw(html, "<li>");
		html_text(html, v->reasons[i]);
		html_raw(html, "</li>");
	}
	if (v->n_reasons_left_off) {
		html_raw(html, "<li>");
		html_format(html, "and %u more", v->n_reasons_left_off);
		html_raw(html, "</li>");
	}
	if (has_store) {
		html_raw(html, "<li>");
		html_text(html, v->store.reason);
		html_raw(html, "</li>");
	}
	html_raw(html, "</ul>");
}

/* The reason says it in words, too. */
static void write_drain(const struct verdict_drain *drain, struct html *html)
{
	char done[WORDS_SIZE], all[WORDS_SIZE], words[WORDS_SIZE];

	if (!drain->under_way || !drain->left_known || drain->began == 0)
		return;
	html_raw(html, "<div class=\"progress\"><progress aria-label=\"Drain\" max=\"");
	html_format(html, "%" PRIu64, drain->began);
	html_raw(html, "\" value=\"");
	html_format(html, "%" PRIu64, drain->began - drain->left);
	html_raw(html, "\"></progress><p>");
	html_format(html, "%s of %s clients gone, ",
		    words_count(drain->began - drain->left, done),
		    words_count(drain->began, all));
	html_format(html, "about %s to go, ", words_lasting(drain->left_ms, words));
	html_format(html, "%s at most", words_lasting(drain->most_ms, words));
	html_raw(html, "</p></div>");
}

static void write_roll(const struct verdict_roll *roll, struct html *html)
{
	char words[WORDS_SIZE];

	if (!roll->under_way)
		return;
	html_raw(html, "<div class=\"progress\"><progress aria-label=\"Rolling restart\" "
		       "max=\"");
	html_format(html, "%u", roll->workers);
	html_raw(html, "\" value=\"");
	html_format(html, "%u", roll->rolled);
	html_raw(html, "\"></progress><p>");
	html_format(html, "Rolling restart: %u of %u workers replaced, about %s to go",
		    roll->rolled, roll->workers, words_lasting(roll->left_ms, words));
	html_raw(html, "</p></div>");
}

/* Unless it stands above already. */
static void write_why(const struct verdict *verdict, const char *what, const char *reason,
		      struct html *html)
{
	for (unsigned i = 0; i < verdict->n_reasons; i++)
		if (strcmp(verdict->reasons[i], reason) == 0)
			return;
	if (!*reason)
		return;
	html_raw(html, "<p class=\"why\">");
	html_raw(html, what);
	html_text(html, reason);
	html_raw(html, "</p>");
}

/* What the balancer and the one who restarts things are told. */
static void write_facts(const struct view *view, struct html *html)
{
	const struct verdict *v = view->verdict;
	const bool readable = view->snapshot->look == LOOK_ok;
	char words[WORDS_SIZE] = "unknown";

	html_raw(html, "<dl class=\"facts\">");
	html_fact(html, "New clients may come", v->ready ? "yes" : "no");
	html_fact(html, "A restart would help", v->live ? "no" : "yes");
	if (readable)
		snprintf(words, sizeof words, "%u of %u", v->workers_serving,
			 v->workers_wanted);
	html_fact(html, "Workers that serve", words);
	html_fact(html, "Up for",
		  !v->uptime_known    ? "unknown"
		  : v->uptime_ms == 0 ? "not up"
				      : words_lasting(v->uptime_ms, words));
	html_fact_count(html, "Clients ever", v->total_known, v->total);
	html_fact_count(html, "Restarts of processes", readable, v->restarts);
	html_raw(html, "</dl>");
	write_why(v, "No new clients: ", v->ready ? "" : v->ready_reason, html);
	write_why(v, "A restart would help: ", v->live ? "" : v->live_reason, html);
}

void page_verdict(const struct view *view, struct html *html)
{
	enum verdict_status worst = verdict_worst(view->verdict);

	html_raw(html, "<section id=\"verdict\" class=\"verdict ");
	html_raw(html, page_class(worst));
	html_raw(html, "\" aria-labelledby=\"headline\"><div class=\"head\">");
	write_sign(html, worst);
	html_raw(html, "<div><h2 id=\"headline\">");
	html_raw(html, page_headline(view));
	html_raw(html, "</h2>");
	write_since(view, html);
	html_raw(html, "</div></div>");
	write_reasons(view, html);
	write_drain(&view->verdict->drain, html);
	write_roll(&view->verdict->roll, html);
	write_facts(view, html);
	html_raw(html, "</section>");
}
