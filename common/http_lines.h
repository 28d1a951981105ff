/*
 * http_lines - collects lines of a head or between chunks, and a body.
 *
 * Lines end in CRLF and hold text only; how long they may be together is `room`.
 * Everything is decided byte by byte, so that no split of the input can change it.
 * Errors are minus the status to refuse with.
 */
#ifndef HTTP_LINES_H
#define HTTP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct http_lines {
	char *bytes; /* one more than `len` is always there for a terminator */
	size_t len, size;
	size_t line_at; /* where the last line begins */
	size_t room;    /* bytes that lines may still take */
};

void http_lines_release(struct http_lines *lines);

/* Bytes of a body: no line, and not counted in `room`. */
int http_lines_append(struct http_lines *lines, const char *data, size_t len);

/* Collects up to the end of a line; returns how many bytes were taken. */
ssize_t http_lines_take(struct http_lines *lines, const char *data, size_t len);

/* Whether the last line has its end; then it is, without its CRLF, http_lines_last(). */
bool http_lines_is_whole(const struct http_lines *lines);
const char *http_lines_last(const struct http_lines *lines, size_t *ret_len);

/* The next line begins behind the last, or in its place. */
void http_lines_keep(struct http_lines *lines);
void http_lines_drop(struct http_lines *lines);

#endif
