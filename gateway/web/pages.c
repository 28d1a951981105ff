#include "gateway/web/pages.h"

#include <string.h>

/* PAGE(name, path, type, etag, bytes…): once for the bytes, once for the table. */
#define PAGE(name, path, type, etag, ...) \
	static const uint8_t body_of_##name[] = { __VA_ARGS__ };
#include "build/web/pages.def"
#undef PAGE

#define PAGE(name, path, type, etag, ...) \
	{ path, type, etag, body_of_##name, sizeof body_of_##name },
static const struct page pages[] = {
#include "build/web/pages.def"
};
#undef PAGE

#define ABOUT(auth)                                                   \
	{                                                             \
		"/about.json", "application/json", "\"" auth "\"",    \
			(const uint8_t *)"{\"auth\":\"" auth "\"}\n", \
			sizeof "{\"auth\":\"" auth "\"}\n" - 1        \
	}
static const struct page about_open = ABOUT("open"), about_jwt = ABOUT("jwt");

const struct page *web_page(const char *path, const char *auth)
{
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	if (strcmp(path, about_open.path) != 0)
		return NULL;
	return strcmp(auth, "open") == 0 ? &about_open : &about_jwt;
}
