#include <inttypes.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

enum {
	EVENTS_SHOWN = 6 /* the last of each */
};

static void write_who(const struct snapshot_death *death, struct html *html)
{
	if (death->role == ROLE_SEQUENCER)
		html_raw(html, "sequencer");
	else
		html_format(html, "worker %u", death->seat);
	html_format(html, " %s", exit_reason_name(death->reason));
	if (death->signal)
		html_format(html, ", signal %" PRIu64, death->signal);
	else if (death->code)
		html_format(html, ", code %" PRIu64, death->code);
	html_format(html, ", in %s", phase_name(death->phase));
}

static void write_links(const struct snapshot_death *death, struct html *html)
{
	char lost[WORDS_SIZE], back[WORDS_SIZE], whole[WORDS_SIZE];

	if (death->links == 0) {
		html_raw(html, "no client was lost");
		return;
	}
	html_format(html, "%s of %s clients are back, %s of them whole",
		    words_count(death->back, back), words_count(death->links, lost),
		    words_count(death->whole, whole));
	if (death->trimmed)
		html_format(html, ", for %s history had been trimmed",
			    words_count(death->trimmed, back));
}

/* "slow_loop 1200, 0.4 s before" */
static void write_event(const struct snapshot_death *death,
			const struct snapshot_event *event, struct html *html)
{
	uint64_t before_ms = death->lived_ms > event->at_ms
				     ? death->lived_ms - event->at_ms
				     : 0;
	char words[WORDS_SIZE];

	html_raw(html, "<li>");
	html_text(html, segment_event_name(event->kind));
	if (event->a || event->b)
		html_format(html, " %" PRIu64, event->a);
	if (event->b)
		html_format(html, " %" PRIu64, event->b);
	html_format(html, ", %s before", words_lasting(before_ms, words));
	html_raw(html, "</li>");
}

static void write_recorder(const struct snapshot_death *death, struct html *html)
{
	unsigned n = death->n_events < EVENTS_SHOWN ? death->n_events : EVENTS_SHOWN;

	if (n == 0)
		return;
	html_raw(html, "<details><summary>Its last events</summary><ol>");
	for (unsigned i = death->n_events - n; i < death->n_events; i++)
		write_event(death, &death->events[i], html);
	html_raw(html, "</ol></details>");
}

static void write_death(const struct view *view, const struct snapshot_death *death,
			struct html *html)
{
	char words[WORDS_SIZE];

	html_raw(html, "<li><div class=\"when\">");
	html_time(html, (int64_t)death->wall_ms, view->wall_ms);
	html_raw(html, "<span class=\"lasting\">");
	html_format(html, "lived %s", words_lasting(death->lived_ms, words));
	html_raw(html, "</span></div><div class=\"story\"><p>");
	write_who(death, html);
	html_raw(html, "</p><p class=\"then\">");
	write_links(death, html);
	html_raw(html, "</p>");
	write_recorder(death, html);
	html_raw(html, "</div></li>");
}

void page_deaths(const struct view *view, struct html *html)
{
	const struct snapshot *s = view->snapshot;

	html_raw(html, "<section id=\"deaths\" class=\"card\" "
		       "aria-labelledby=\"deaths-title\">"
		       "<h2 id=\"deaths-title\">Last deaths</h2>");
	if (s->n_deaths == 0) {
		html_raw(html,
			 s->look == LOOK_ok
				 ? "<p class=\"nothing\">No process of this gateway "
				   "has died unasked.</p></section>"
				 : "<p class=\"nothing\">None can be seen.</p>"
				   "</section>");
		return;
	}
	html_raw(html, "<ol class=\"deaths\">");
	for (unsigned i = 0; i < s->n_deaths; i++)
		write_death(view, &s->deaths[i], html);
	html_raw(html, "</ol></section>");
}
