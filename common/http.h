/*
 * http - HTTP/1.1 requests from bytes, strictly; the one user of llhttp.
 *
 * Bytes in, whole requests out, one at a time: body included, headers and
 * target split and bounded. No leniency of any kind (RFC 9112): exactly one Host
 * in HTTP/1.1, no Content-Length beside Transfer-Encoding, no bare CR or LF, no
 * obs-fold, HTTP/1.0 and 1.1 only, no coding but chunked. How the bytes are split
 * over calls changes nothing. Chunk extensions and trailers are checked, bounded
 * by head_max together, and dropped. A parser is reused for the next request of
 * its connection. Memory: what of a request has arrived, bounded by the limits; none
 * between requests after http_release.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_HEADERS_MAX = 64
};

struct http_limits {
	size_t head_max; /* request line and headers, bytes; beyond: 431 (414 for the
			    target) */
	size_t body_max; /* bytes; beyond: 413 */
};

struct http_header {
	const char *name, *value; /* terminated; value without surrounding blanks */
};

/* Lent until the next http_feed or http_release. All strings are terminated. */
struct http_request {
	const char *method; /* "GET" */
	const char *target; /* as sent */
	const char *path;   /* target up to '?', not decoded; of "http://host/path" what
			       follows the host, which equals Host */
	const char *query;  /* after '?', "" if none, not decoded */
	unsigned minor;     /* 1 for HTTP/1.1, 0 for HTTP/1.0 */
	bool keep_alive;    /* the client wants another one on this connection */
	bool upgrade;       /* asks for an upgrade; what follows is no longer HTTP */
	struct http_header headers[HTTP_HEADERS_MAX];
	unsigned n_headers;
	const char *body;
	size_t body_len;
};

struct http_parser;

/* NULL when out of memory. */
struct http_parser *http_parser_new(const struct http_limits *limits);
void http_parser_free(struct http_parser *parser);

/* Gives back the memory of a whole request early; else the next http_feed does. */
void http_release(struct http_parser *parser);

enum http_result {
	HTTP_MORE,     /* all bytes taken, the request is not complete */
	HTTP_REQUEST,  /* *ret_request is whole; bytes behind *ret_used belong to the next
			*/
	HTTP_CONTINUE, /* the client waits for "100 Continue" before its body; feed the
			  bytes behind *ret_used after it */
	HTTP_BAD, /* answer http_status() and close: the connection cannot be used on */
};

/* Takes bytes up to the end of one request. *ret_request is written only with
 * HTTP_REQUEST. After HTTP_BAD every further call says HTTP_BAD. */
enum http_result http_feed(struct http_parser *parser, const char *data, size_t len,
			   size_t *ret_used, const struct http_request **ret_request);

/* After HTTP_BAD: 400, 413, 414, 417, 431, 501, 503 (no memory) or 505. */
int http_status(const struct http_parser *parser);

/* True once the first byte of a request is in and its end is not. Empty lines before
 * a request are no part of one. */
bool http_in_request(const struct http_parser *parser);

/* The only header of that name (case does not count); NULL if absent; if there are
 * several, *ret_n > 1 and the first is returned. ret_n may be NULL. */
const char *http_header(const struct http_request *request, const char *name,
			unsigned *ret_n);

/* Whether a comma-separated header (all of that name) has `token`, case does not count.
 */
bool http_header_has(const struct http_request *request, const char *name,
		     const char *token);

/* One parameter of a query, percent-decoded and `+` as a blank, into `out`. Returns its
 * length, -ENOENT, -ENAMETOOLONG, or -EINVAL (bad escape, NUL). The first of several
 * counts; names are compared as sent. */
int http_query(const char *query, const char *name, char *out, size_t size);

/* What stands between two slashes of a path, percent-decoded, into `out`. Returns its
 * length, -ENAMETOOLONG, or -EINVAL (bad escape, NUL). */
int http_path_part(const char *part, size_t len, char *out, size_t size);

const char *http_reason(int status); /* "Not Found"; "Unknown" for others */

/* What an answer needs; NULL and 0 leave a header out. */
struct http_answer {
	int status;
	const char *type;       /* Content-Type */
	const char *allow;      /* Allow */
	const char *extra;      /* whole header lines, each with CRLF */
	unsigned retry_after_s; /* Retry-After */
	bool close;             /* Connection: close; else keep-alive is silent */
	bool keep_alive;        /* Connection: keep-alive, which HTTP/1.0 needs to hear */
	bool no_store;          /* Cache-Control: no-store */
	bool no_len;            /* no Content-Length: the body ends with the connection */
	size_t body_len;        /* Content-Length, except with 1xx, 204 and 304 */
};

/* Writes status line and headers (Date included) and the blank line, not terminated;
 * returns the length, or -ENOSPC. The body, if any and not HEAD, is the caller's next
 * bytes. */
int http_answer_head(const struct http_answer *answer, char *out, size_t size);

#endif
