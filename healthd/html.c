#include "healthd/html.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
	FORMAT_SIZE = 512 /* of one html_format; what is longer is cut */
};

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static void put(struct html *html, const char *bytes, size_t len)
{
	if (html->is_full || len > html->size - html->len) {
		html->is_full = true;
		return;
	}
	memcpy(html->out + html->len, bytes, len);
	html->len += len;
}

void html_raw(struct html *html, const char *markup)
{
	put(html, markup, strlen(markup));
}

/* The number of bytes of the character there, as RFC 3629 has it; 0 if it is none. */
static size_t character(const unsigned char *at, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	uint32_t code = len == 1 ? *at : *at & (0xffu >> (len + 1));

	if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80) /* also where the text ends */
			return 0;
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return len;
}

/* Nothing to be seen, or something that changes how its neighbours look. */
static bool is_odd(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

static const char *escape_of(uint32_t code)
{
	switch (code) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return is_odd(code) ? REPLACEMENT : NULL;
	}
}

void html_text(struct html *html, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at && !html->is_full) {
		uint32_t code = 0;
		size_t len = character(at, &code);
		const char *escape = len ? escape_of(code) : REPLACEMENT;

		if (escape)
			html_raw(html, escape);
		else
			put(html, (const char *)at, len);
		at += len ? len : 1;
	}
}

void html_format(struct html *html, const char *format, ...)
{
	char text[FORMAT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	html_text(html, text);
}
