#include "common/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/clock.h"

const char *http_header(const struct http_request *request, const char *name,
			unsigned *ret_n)
{
	const char *value = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < request->n_headers; i++) {
		if (strcasecmp(request->headers[i].name, name) != 0)
			continue;
		if (n++ == 0)
			value = request->headers[i].value;
	}
	if (ret_n)
		*ret_n = n;
	return value;
}

static bool list_has(const char *list, const char *token)
{
	const size_t token_len = strlen(token);

	for (;;) {
		size_t len;

		list += strspn(list, ", \t");
		if (!*list)
			return false;
		len = strcspn(list, ",");
		if (strncasecmp(list, token, token_len) == 0 &&
		    token_len + strspn(list + token_len, " \t") == len)
			return true;
		list += len;
	}
}

bool http_header_has(const struct http_request *request, const char *name,
		     const char *token)
{
	for (unsigned i = 0; i < request->n_headers; i++) {
		if (strcasecmp(request->headers[i].name, name) == 0 &&
		    list_has(request->headers[i].value, token))
			return true;
	}
	return false;
}

/* ---- queries ------------------------------------------------------------------- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

/* The byte that "%41" stands for; a NUL would end the text too early. */
static int unescape(const char *at, const char *end)
{
	int high, low;

	if (end - at < 3)
		return -EINVAL;
	high = hex_value(at[1]);
	low = hex_value(at[2]);
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -EINVAL;
	return high * 16 + low;
}

static int decode(const char *at, const char *end, bool plus_is_blank, char *out,
		  size_t size)
{
	size_t len = 0;

	while (at < end) {
		int c = *at == '+' && plus_is_blank ? ' ' : (unsigned char)*at;

		if (*at == '%') {
			c = unescape(at, end);
			if (c < 0)
				return c;
			at += 2;
		}
		if (len + 1 >= size)
			return -ENAMETOOLONG;
		out[len++] = (char)c;
		at++;
	}
	out[len] = '\0';
	return (int)len;
}

int http_query(const char *query, const char *name, char *out, size_t size)
{
	const size_t name_len = strlen(name);

	while (*query) {
		size_t len = strcspn(query, "&");
		size_t key_len = strcspn(query, "=&");

		if (key_len == name_len && memcmp(query, name, name_len) == 0) {
			const char *end = query + len;
			const char *value = query + key_len;

			return decode(value < end ? value + 1 : end, end, true, out,
				      size);
		}
		query += len;
		query += *query == '&';
	}
	return -ENOENT;
}

int http_path_part(const char *part, size_t len, char *out, size_t size)
{
	return decode(part, part + len, false, out, size);
}

/* ---- answers ------------------------------------------------------------------- */

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].status == status)
			return rows[i].reason;
	}
	return "Unknown";
}

/* Written by hand: printf and strftime would be the dearest part of a small answer. */
struct text {
	char *at, *end;
	bool is_full;
};

static void put(struct text *text, const char *bytes)
{
	size_t len = strlen(bytes);

	if (len > (size_t)(text->end - text->at)) {
		text->is_full = true;
		return;
	}
	memcpy(text->at, bytes, len);
	text->at += len;
}

static void put_number(struct text *text, uint64_t number, unsigned n_digits_min)
{
	char digits[24];
	char *at = digits + sizeof digits;

	*--at = '\0';
	while (number > 0 || n_digits_min > 0) {
		*--at = (char)('0' + number % 10);
		number /= 10;
		n_digits_min -= n_digits_min > 0;
	}
	put(text, at);
}

static void put_field(struct text *text, const char *name, const char *value)
{
	if (!value)
		return;
	put(text, name);
	put(text, ": ");
	put(text, value);
	put(text, "\r\n");
}

static void put_number_field(struct text *text, const char *name, uint64_t number)
{
	put(text, name);
	put(text, ": ");
	put_number(text, number, 1);
	put(text, "\r\n");
}

static void put_date(struct text *text)
{
	static const char days[][8] = { "Sun, ", "Mon, ", "Tue, ", "Wed, ",
					"Thu, ", "Fri, ", "Sat, " };
	static const char months[][8] = { " Jan ", " Feb ", " Mar ", " Apr ",
					  " May ", " Jun ", " Jul ", " Aug ",
					  " Sep ", " Oct ", " Nov ", " Dec " };
	time_t seconds = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return;
	put(text, "Date: ");
	put(text, days[tm.tm_wday]);
	put_number(text, (uint64_t)tm.tm_mday, 2);
	put(text, months[tm.tm_mon]);
	put_number(text, (uint64_t)tm.tm_year + 1900, 4);
	put(text, " ");
	put_number(text, (uint64_t)tm.tm_hour, 2);
	put(text, ":");
	put_number(text, (uint64_t)tm.tm_min, 2);
	put(text, ":");
	put_number(text, (uint64_t)tm.tm_sec, 2);
	put(text, " GMT\r\n");
}

int http_answer_head(const struct http_answer *answer, char *out, size_t size)
{
	struct text text = { .at = out, .end = out + size };
	const bool has_length = answer->status >= 200 && answer->status != 204 &&
				answer->status != 304 && !answer->no_len;

	put(&text, "HTTP/1.1 ");
	put_number(&text, (uint64_t)answer->status, 3);
	put(&text, " ");
	put(&text, http_reason(answer->status));
	put(&text, "\r\n");
	put_date(&text);
	put_field(&text, "Content-Type", answer->type);
	if (has_length)
		put_number_field(&text, "Content-Length", answer->body_len);
	put_field(&text, "Allow", answer->allow);
	if (answer->retry_after_s > 0)
		put_number_field(&text, "Retry-After", answer->retry_after_s);
	if (answer->no_store)
		put(&text, "Cache-Control: no-store\r\n");
	if (answer->close)
		put(&text, "Connection: close\r\n");
	else if (answer->keep_alive)
		put(&text, "Connection: keep-alive\r\n");
	if (answer->extra)
		put(&text, answer->extra);
	put(&text, "\r\n");
	return text.is_full ? -ENOSPC : (int)(text.at - out);
}
