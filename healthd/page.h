/*
 * page - the status page: one document that needs nothing else, and its parts.
 *
 * Style and script stand in the document, which a Content-Security-Policy knows by their
 * sums; nothing else is run or loaded. Without scripts the page comes again by itself.
 * With them its parts are replaced by those that /events sends: every element of
 * page_live and page_charts has an id, that of its place in the document.
 */
#ifndef PAGE_H
#define PAGE_H

#include "healthd/html.h"
#include "healthd/view.h"

enum {
	PAGE_SIZE_MAX = 256 *
			1024 /* holds the page of 64 workers that are all in trouble */
};

/* The whole document, and the header lines that go with it. */
void page_write(const struct view *view, struct html *html);
const char *page_headers(void);

/* What changes from second to second, and what changes with each sample of history. */
void page_live(const struct view *view, struct html *html);
void page_charts(const struct view *view, struct html *html);

#endif
