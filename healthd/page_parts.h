/*
 * page_parts - the parts of the status page, one by one, and words for what they say.
 *
 * For the page's own files. Each part writes one element with its id, or several. A part
 * of which nothing is known says so.
 */
#ifndef PAGE_PARTS_H
#define PAGE_PARTS_H

#include "healthd/html.h"
#include "healthd/view.h"

/* ---- parts ---------------------------------------------------------------------- */

void page_verdict(const struct view *view, struct html *html);
void page_processes(const struct view *view, struct html *html);
void page_components(const struct view *view, struct html *html);
void page_incidents(const struct view *view, struct html *html);
void page_deaths(const struct view *view, struct html *html);

/* Parts of the components, where somebody looks for what they tell. */
void page_canary(const struct view *view, struct html *html);
void page_audit(const struct view *view, struct html *html);

/* Begins a <section>: its name, and how it is in a word. Then its reason, unless "". */
void page_card(struct html *html, const char *name, const char *class_name,
	       const char *state);
void page_why(struct html *html, const char *reason);

/* The numbers of now beside the charts, the charts, and the line of the last hour. */
void page_numbers(const struct view *view, struct html *html);
void page_tiles(const struct view *view, struct html *html); /* both, in their frames */
void page_timeline(const struct view *view, struct html *html);
void page_chart(const struct view *view, enum history_series series, struct html *html);

/* ---- how it all is --------------------------------------------------------------- */

/* "All is well"; lent for ever. */
const char *page_headline(const struct view *view);

/* The class of a status, which colours it: "ok", "degraded", "error", "unknown". */
const char *page_class(enum verdict_status status);

/* ---- words ----------------------------------------------------------------------- */

enum {
	WORDS_SIZE = 48
};

/* "0.4 s", "12 s", "4 min 12 s", "3 h 05 min", "2 d 4 h". Returns `out`. */
const char *words_lasting(uint64_t ms, char out[WORDS_SIZE]);

/* "1,234". Returns `out`. */
const char *words_count(uint64_t n, char out[WORDS_SIZE]);

/* "0.25", "12.3", "1,234", "unknown" for NAN. Returns `out`. */
const char *words_rate(double rate, char out[WORDS_SIZE]);

/* <time> with the time of the day, and the day where it is another than that of now. */
void html_time(struct html *html, int64_t wall_ms, int64_t now_wall_ms);

/* <dt> and <dd>: `name` is ours, `value` is shown as text. */
void html_fact(struct html *html, const char *name, const char *value);
void html_fact_count(struct html *html, const char *name, bool known, uint64_t n);

#endif
