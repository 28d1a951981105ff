/*
 * html - writes HTML into a buffer of fixed size.
 *
 * html_raw writes what this program itself has written down; everything that comes from
 * elsewhere goes through html_text or html_format, which leave nothing in it that means
 * anything in text or in a quoted attribute. What is no UTF-8, controls, and marks that
 * turn the direction of text around are shown as U+FFFD. What does not fit is left
 * out whole, and is_full says so.
 */
#ifndef HTML_H
#define HTML_H

#include <stdbool.h>
#include <stddef.h>

struct html {
	char *out; /* not terminated; `len` bytes are in use */
	size_t size, len;
	bool is_full;
};

void html_raw(struct html *html, const char *markup);
void html_text(struct html *html, const char *text);
__attribute__((format(printf, 2, 3))) void html_format(struct html *html,
						       const char *format, ...);

#endif
