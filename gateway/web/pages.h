/*
 * pages - the chat page and what belongs to it, built into the program.
 *
 * The files lie beside this one; gateway/web/embed makes bytes of them when the
 * program is built. /about.json is not among them: it tells the page what it cannot
 * find out by itself, {"auth":"open"}: names are believed, or {"auth":"jwt"}: the page
 * has to ask for a token.
 */
#ifndef PAGES_H
#define PAGES_H

#include "gateway/page.h"

/* NULL when there is none. `auth` is the setting of that name. */
const struct page *web_page(const char *path, const char *auth);

#endif
