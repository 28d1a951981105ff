#include "common/http_strict.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
	VERSION_LEN = sizeof "HTTP/1.1" - 1,
	CHUNK_DIGITS_MAX = 16, /* what 64 bits hold */
	IPV6_TEXT_SIZE = 48
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* tchar of RFC 9110. */
static bool is_token_char(char c)
{
	return is_alpha(c) || is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_token_char(text[n]))
		n++;
	return n;
}

/* ---- the request line ---------------------------------------------------------- */

/* CONNECT is left out: nobody here is a proxy. */
static bool is_known_method(const char *method, size_t len)
{
	static const char *const methods[] = { "GET",    "HEAD",  "POST",  "PUT",
					       "DELETE", "PATCH", "TRACE", "OPTIONS" };

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (strlen(methods[i]) == len && memcmp(methods[i], method, len) == 0)
			return true;
	}
	return false;
}

/* uri-host [ ":" port ] of RFC 9110; the host may be empty. */
static bool is_authority(const char *text, size_t len)
{
	const char *end = text + len;

	if (len > 0 && *text == '[') {
		char address[IPV6_TEXT_SIZE];
		struct in6_addr ignored;
		const char *bracket = memchr(text, ']', len);

		if (!bracket || (size_t)(bracket - text) > sizeof address)
			return false;
		memcpy(address, text + 1, (size_t)(bracket - text - 1));
		address[bracket - text - 1] = '\0';
		if (inet_pton(AF_INET6, address, &ignored) != 1)
			return false;
		text = bracket + 1;
		if (text < end && *text != ':')
			return false;
	}
	for (; text < end && *text != ':'; text++) {
		if (*text == '%' && end - text >= 3 && is_hex(text[1]) && is_hex(text[2]))
			text += 2;
		else if (!is_alpha(*text) && !is_digit(*text) &&
			 !strchr("-._~!$&'()*+,;=", *text))
			return false;
	}
	if (text < end)
		text++;
	while (text < end && is_digit(*text))
		text++;
	return text == end;
}

/* Where the authority of "http://host/path" begins; NULL in other targets. */
static const char *target_authority(const char *target, size_t len)
{
	static const char scheme[] = "http://";
	const size_t scheme_len = sizeof scheme - 1;

	if (len < scheme_len || strncasecmp(target, scheme, scheme_len) != 0)
		return NULL;
	return target + scheme_len;
}

static size_t authority_len(const char *authority, size_t len)
{
	size_t n = 0;

	while (n < len && authority[n] != '/' && authority[n] != '?')
		n++;
	return n;
}

static bool is_target(const char *target, size_t len, bool is_options)
{
	const char *authority = target_authority(target, len);

	for (size_t i = 0; i < len; i++) {
		if (target[i] <= ' ' || target[i] >= 0x7f || target[i] == '#')
			return false;
	}
	if (authority) {
		size_t n = authority_len(authority, len - (size_t)(authority - target));

		return n > 0 && *authority != ':' && is_authority(authority, n);
	}
	return target[0] == '/' || (is_options && len == 1 && target[0] == '*');
}

const char *http_target_path(const char *target)
{
	const char *authority = target_authority(target, strlen(target));

	if (!authority)
		return target;
	return authority + authority_len(authority, strlen(authority));
}

int http_check_request_line(const char *line, size_t len)
{
	size_t method_len = token_len(line, len);
	const char *target = line + method_len + 1;
	const char *version;
	bool is_options;

	if (method_len == 0 || method_len == len || line[method_len] != ' ')
		return 400;
	version = memchr(target, ' ', len - method_len - 1);
	if (!version || version == target)
		return 400;
	version++;
	if (line + len - version != VERSION_LEN || memcmp(version, "HTTP/", 5) != 0 ||
	    !is_digit(version[5]) || version[6] != '.' || !is_digit(version[7]))
		return 400;
	if (version[5] != '1' || version[7] > '1')
		return 505;
	if (!is_known_method(line, method_len))
		return 501;
	is_options = *line == 'O';
	return is_target(target, (size_t)(version - 1 - target), is_options) ? 0 : 400;
}

/* ---- fields and chunks --------------------------------------------------------- */

int http_check_field_line(const char *line, size_t len)
{
	size_t name_len = token_len(line, len);

	return name_len > 0 && name_len < len && line[name_len] == ':' ? 0 : 400;
}

/* The length of a quoted string with its quotes; 0 if there is none. */
static size_t quoted_len(const char *text, size_t len)
{
	if (len == 0 || *text != '"')
		return 0;
	for (size_t n = 1; n < len; n++) {
		if (text[n] == '\\')
			n++;
		else if (text[n] == '"')
			return n + 1;
	}
	return 0;
}

int http_check_chunk_line(const char *line, size_t len, size_t *ret_digits)
{
	size_t at = 0;

	while (at < len && is_hex(line[at]))
		at++;
	if (at == 0)
		return 400;
	if (at > CHUNK_DIGITS_MAX)
		return 413;
	*ret_digits = at;
	while (at < len) {
		size_t n = line[at] == ';' ? token_len(line + at + 1, len - at - 1) : 0;

		if (n == 0)
			return 400;
		at += 1 + n;
		if (at == len || line[at] != '=')
			continue;
		at++;
		n = token_len(line + at, len - at);
		if (n == 0)
			n = quoted_len(line + at, len - at);
		if (n == 0)
			return 400;
		at += n;
	}
	return 0;
}

/* ---- the head as a whole ------------------------------------------------------- */

static int check_host(const struct http_request *request)
{
	unsigned n;
	const char *host = http_header(request, "Host", &n);
	const char *authority = target_authority(request->target,
						 strlen(request->target));

	if (n > 1 || (n == 0 && request->minor > 0))
		return 400;
	if (n == 0)
		return 0;
	if (!is_authority(host, strlen(host)))
		return 400;
	/* Who proxies by "http://host/" must say the same in Host (RFC 9112, 3.2). */
	if (authority && (authority_len(authority, strlen(authority)) != strlen(host) ||
			  strncasecmp(authority, host, strlen(host)) != 0))
		return 400;
	return 0;
}

/* A Content-Length too long to be represented is too long to be accepted. */
static int check_length(const char *text, size_t max, size_t *ret_len)
{
	size_t len = 0;
	bool is_over = false;

	if (!*text)
		return 400;
	for (; *text; text++) {
		if (!is_digit(*text))
			return 400;
		if (len > (SIZE_MAX - 9) / 10)
			is_over = true;
		else
			len = len * 10 + (size_t)(*text - '0');
	}
	if (is_over || len > max)
		return 413;
	*ret_len = len;
	return 0;
}

/* What ends in `chunked` but has more codings is well formed, and unknown here. */
static int refuse_coding(const char *coding)
{
	static const char chunked[] = "chunked";
	const char *comma = strrchr(coding, ',');
	const char *last = comma ? comma + 1 : coding;

	last += strspn(last, " \t");
	if (!comma || strcasecmp(last, chunked) != 0)
		return 400;
	for (const char *at = coding; at < comma; at++) {
		if (strncasecmp(at, chunked, sizeof chunked - 1) == 0)
			return 400; /* chunked twice */
	}
	return 501;
}

static int check_framing(const struct http_request *request, size_t body_max,
			 struct http_framing *framing)
{
	unsigned n_lengths, n_codings;
	const char *length = http_header(request, "Content-Length", &n_lengths);
	const char *coding = http_header(request, "Transfer-Encoding", &n_codings);

	if (n_codings > 0) {
		if (n_codings > 1 || n_lengths > 0 || request->minor == 0)
			return 400;
		framing->chunked = strcasecmp(coding, "chunked") == 0;
		return framing->chunked ? 0 : refuse_coding(coding);
	}
	if (n_lengths > 1)
		return 400;
	return length ? check_length(length, body_max, &framing->body_len) : 0;
}

static int check_expect(const struct http_request *request, struct http_framing *framing)
{
	unsigned n;
	const char *expect = http_header(request, "Expect", &n);

	/* HTTP/1.0 clients know no 100; theirs is ignored (RFC 9110, 10.1.1). */
	if (!expect || request->minor == 0)
		return 0;
	if (n > 1 || strcasecmp(expect, "100-continue") != 0)
		return 417;
	framing->expects_continue = framing->chunked || framing->body_len > 0;
	return 0;
}

int http_check_head(const struct http_request *request, const struct http_limits *limits,
		    struct http_framing *ret_framing)
{
	struct http_framing framing = { 0 };
	int status = check_host(request);

	if (status == 0)
		status = check_framing(request, limits->body_max, &framing);
	if (status == 0)
		status = check_expect(request, &framing);
	if (status == 0)
		*ret_framing = framing;
	return status;
}
