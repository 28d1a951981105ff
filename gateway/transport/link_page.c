#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/transport/link.h"

/*
 * A page loads nothing from elsewhere, talks to nobody else, and is in nobody's frame.
 * It is asked for anew each time, which costs a 304.
 */
#define HEADERS                                                                   \
	"Cache-Control: no-cache\r\n"                                             \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; "        \
	"style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " \
	"form-action 'none'; frame-ancestors 'none'\r\n"                          \
	"X-Content-Type-Options: nosniff\r\n"                                     \
	"Referrer-Policy: no-referrer\r\n"

enum {
	HEAD_SIZE = 1024
};

/* Whether the client has this very page already (RFC 9110 13.1.2, weakly compared). */
static bool is_known(const struct http_request *request, const struct page *page)
{
	char weak[64];

	(void)snprintf(weak, sizeof weak, "W/%s", page->etag);
	return http_header_has(request, "If-None-Match", page->etag) ||
	       http_header_has(request, "If-None-Match", weak) ||
	       http_header_has(request, "If-None-Match", "*");
}

void page_serve(struct link *link, const struct page *page,
		const struct http_request *request, bool close)
{
	bool known = is_known(request, page);
	bool has_body = !known && strcmp(request->method, "HEAD") != 0;
	char extra[HEAD_SIZE];
	struct http_answer answer = {
		.status = known ? 304 : 200,
		.type = known ? NULL : page->type,
		.extra = extra,
		.close = close,
		.body_len = page->len,
	};
	char *whole = malloc(HEAD_SIZE + page->len);
	int len;

	(void)snprintf(extra, sizeof extra, "ETag: %s\r\n" HEADERS, page->etag);
	if (!whole) {
		socket_kill(link->socket);
		return;
	}
	len = http_answer_head(&answer, whole, HEAD_SIZE);
	CHECK(len > 0);
	if (has_body)
		memcpy(whole + len, page->body, page->len);
	/* A dead socket closes by itself. */
	(void)socket_write(link->socket, whole, (size_t)len + (has_body ? page->len : 0));
	free(whole);
	if (close)
		link_finish(link);
}
