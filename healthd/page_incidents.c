#include <inttypes.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

static const char *what_of(const struct incident *incident)
{
	switch (incident->kind) {
	case INCIDENT_roll: return "rolling restart";
	case INCIDENT_restart: return "new gateway";
	default: break;
	}
	switch (incident->server) {
	case SERVER_starting:
	case SERVER_draining:
	case SERVER_hung:
	case SERVER_stopped: return verdict_server_name(incident->server);
	default: return verdict_status_name(incident->worst);
	}
}

static const char *class_of(const struct incident *incident)
{
	return incident->kind == INCIDENT_trouble ? page_class(incident->worst) : "plain";
}

static void write_lasting(const struct view *view, const struct incident *incident,
			  struct html *html)
{
	uint64_t end_ns = incident->ended_ns ? incident->ended_ns : view->mono_ns;
	char words[WORDS_SIZE];

	html_raw(html, "<span class=\"lasting\">");
	if (incident->kind != INCIDENT_restart)
		html_format(html, "%s%s",
			    words_lasting((end_ns - incident->began_ns) / MS_NS, words),
			    incident->ended_ns ? "" : ", still");
	if (incident->times > 1)
		html_format(html, ", %u times", incident->times);
	html_raw(html, "</span>");
}

static void write_story(const struct incident *incident, struct html *html)
{
	html_raw(html, "<ol class=\"story\">");
	if (incident->kind == INCIDENT_roll)
		html_raw(html, incident->ended_ns
				       ? "<li>the workers were replaced one by one</li>"
				       : "<li>the workers are replaced one by one</li>");
	if (incident->kind == INCIDENT_restart)
		html_raw(html, "<li>another gateway than before is there</li>");
	for (unsigned i = 0; i < incident->n_reasons; i++) {
		html_raw(html, "<li>");
		html_text(html, incident->reasons[i]);
		html_raw(html, "</li>");
	}
	html_raw(html, "</ol>");
}

static void write_incident(const struct view *view, const struct incident *incident,
			   struct html *html)
{
	html_raw(html, incident->ended_ns ? "<li>" : "<li class=\"lasts\">");
	html_raw(html, "<div class=\"when\">");
	html_time(html, incident->began_wall_ms, view->wall_ms);
	write_lasting(view, incident, html);
	html_raw(html, "</div><span class=\"state ");
	html_raw(html, class_of(incident));
	html_raw(html, "\">");
	html_raw(html, what_of(incident));
	html_raw(html, "</span>");
	write_story(incident, html);
	html_raw(html, "</li>");
}

void page_incidents(const struct view *view, struct html *html)
{
	const struct incident *incident;

	html_raw(html, "<section id=\"incidents\" class=\"card\" "
		       "aria-labelledby=\"incidents-title\">"
		       "<h2 id=\"incidents-title\">Last incidents</h2>");
	if (!incidents_at(view->incidents, 0)) {
		html_raw(html, "<p class=\"nothing\">None since healthd began at ");
		html_time(html, view->started_ms, view->wall_ms);
		html_raw(html, ".</p></section>");
		return;
	}
	html_raw(html, "<ol class=\"incidents\">");
	for (unsigned i = 0; (incident = incidents_at(view->incidents, i)); i++)
		write_incident(view, incident, html);
	html_raw(html, "</ol>");
	if (incidents_ever(view->incidents) > INCIDENTS_MAX) {
		html_raw(html, "<p class=\"under\">");
		html_format(html, "The last %d of %" PRIu64 ".", (int)INCIDENTS_MAX,
			    incidents_ever(view->incidents));
		html_raw(html, "</p>");
	}
	html_raw(html, "</section>");
}
