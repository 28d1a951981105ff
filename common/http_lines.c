#include "common/http_lines.h"

#include <stdlib.h>
#include <string.h>

enum {
	SIZE_MIN = 256
};

void http_lines_release(struct http_lines *lines)
{
	free(lines->bytes);
	*lines = (struct http_lines){ 0 };
}

int http_lines_append(struct http_lines *lines, const char *data, size_t len)
{
	size_t size = lines->size ? lines->size : SIZE_MIN;

	while (size <= lines->len + len)
		size *= 2;
	if (size != lines->size) {
		char *bytes = realloc(lines->bytes, size);

		if (!bytes)
			return -503;
		lines->bytes = bytes;
		lines->size = size;
	}
	memcpy(lines->bytes + lines->len, data, len);
	lines->len += len;
	return 0;
}

/* What may stand in a line besides its end: no control character but the tab. */
static bool is_text(char c)
{
	return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

ssize_t http_lines_take(struct http_lines *lines, const char *data, size_t len)
{
	const size_t max = len < lines->room ? len : lines->room;
	char last = lines->len > lines->line_at ? lines->bytes[lines->len - 1] : '\0';
	size_t n = 0;
	int rc;

	while (n < max && data[n] != '\n') {
		if (last == '\r' || (data[n] != '\r' && !is_text(data[n])))
			return -400;
		last = data[n++];
	}
	if (n < max && last != '\r')
		return -400;
	n += n < max;
	rc = http_lines_append(lines, data, n);
	if (rc < 0)
		return rc;
	lines->room -= n;
	if (n < len && !http_lines_is_whole(lines))
		return -431;
	return (ssize_t)n;
}

bool http_lines_is_whole(const struct http_lines *lines)
{
	return lines->len > lines->line_at && lines->bytes[lines->len - 1] == '\n';
}

const char *http_lines_last(const struct http_lines *lines, size_t *ret_len)
{
	*ret_len = lines->len - lines->line_at - 2;
	return lines->bytes + lines->line_at;
}

void http_lines_keep(struct http_lines *lines)
{
	lines->line_at = lines->len;
}

void http_lines_drop(struct http_lines *lines)
{
	lines->len = lines->line_at;
}
