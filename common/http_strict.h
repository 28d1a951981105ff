/*
 * http_strict - what a request must look like, beyond what llhttp insists on.
 *
 * Pure checks for http.c; each returns 0 or the status to refuse with. Lines come
 * without their CRLF and hold no control character but the tab.
 */
#ifndef HTTP_STRICT_H
#define HTTP_STRICT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http.h"

/* "GET /path HTTP/1.1": syntax, then version, then method, then target. */
int http_check_request_line(const char *line, size_t len);

/* "Name: value", of a head or a trailer. */
int http_check_field_line(const char *line, size_t len);

/* "1f;name=value"; *ret_digits is how many of its bytes are the size. */
int http_check_chunk_line(const char *line, size_t len, size_t *ret_digits);

/* How the body of a request is delimited, and whether it is waited for. */
struct http_framing {
	bool chunked;
	size_t body_len; /* if not chunked */
	bool expects_continue;
};

/* The fields of a whole head taken together: Host, framing, Expect. */
int http_check_head(const struct http_request *request, const struct http_limits *limits,
		    struct http_framing *ret_framing);

/* The part of a target that is path and query: all of it but for "http://host/path".
 * May be empty. */
const char *http_target_path(const char *target);

/* A checked head as a request with its strings behind it in one block, which the caller
 * frees. NULL when out of memory. */
struct http_request *http_split_head(const char *head, size_t len);

#endif
