#include "common/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/check.h"
#include "common/http_strict.h"

/* Both headers have an HTTP_REQUEST. */
#define HTTP_REQUEST LLHTTP_TYPE_REQUEST
#include <llhttp.h>
#undef HTTP_REQUEST

enum {
	PARSER_MAGIC = 0x48545450,
	BYTES_SIZE_MIN = 256
};

/* What the next byte belongs to; each has its take_ function. */
#define STATES(X)                                                      \
	X(request_line) /* also the empty lines that may precede it */ \
	X(field)                                                       \
	X(body) /* counted by Content-Length */                        \
	X(chunk_size)                                                  \
	X(chunk)                                                       \
	X(chunk_end)                                                   \
	X(trailer)                                                     \
	X(whole)                                                       \
	X(bad)

enum state {
#define X(name) STATE_##name,
	STATES(X)
#undef X
};

/*
 * `bytes` collects the head; when that is whole it moves to `request` and
 * `bytes` collects the body, behind which the line of a chunk or trailer grows and
 * goes again. llhttp gets the checked head, then body and chunk lines: it delimits the
 * message, and what it makes of the head must agree with the checks of http_strict.
 */
struct http_parser {
	unsigned magic;
	enum state state;
	int status; /* when bad */
	struct http_limits limits;
	llhttp_t llhttp;
	bool llhttp_is_done;
	bool must_continue;
	char *bytes;
	size_t len, size;
	size_t line_at;  /* where the unfinished line begins */
	size_t room;     /* bytes that head, or extensions and trailers, may still have */
	size_t n_fields; /* lines of the head so far */
	size_t remaining;             /* bytes of the body or chunk still to come */
	struct http_request *request; /* with its strings behind it */
};

static int on_headers_complete(llhttp_t *llhttp)
{
	struct http_parser *parser = llhttp->data;
	struct http_request *request;

	CHECK_OBJ(parser, PARSER_MAGIC);
	request = parser->request;
	/* With HTTP/1.0 llhttp overlooks a `close` beside a `keep-alive`. */
	request->keep_alive = llhttp_should_keep_alive(llhttp) &&
			      !http_header_has(request, "Connection", "close");
	request->upgrade = llhttp->upgrade && request->minor > 0;
	return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
	struct http_parser *parser = llhttp->data;

	CHECK_OBJ(parser, PARSER_MAGIC);
	parser->llhttp_is_done = true;
	return 0;
}

static const llhttp_settings_t LLHTTP_SETTINGS = {
	.on_headers_complete = on_headers_complete,
	.on_message_complete = on_message_complete,
};

static void begin(struct http_parser *parser)
{
	llhttp_init(&parser->llhttp, LLHTTP_TYPE_REQUEST, &LLHTTP_SETTINGS);
	parser->llhttp.data = parser;
	parser->llhttp_is_done = false;
	parser->state = STATE_request_line;
	parser->room = parser->limits.head_max;
	parser->n_fields = 0;
}

static void drop_memory(struct http_parser *parser)
{
	free(parser->request);
	free(parser->bytes);
	parser->request = NULL;
	parser->bytes = NULL;
	parser->len = parser->size = parser->line_at = 0;
}

struct http_parser *http_parser_new(const struct http_limits *limits)
{
	struct http_parser *parser = calloc(1, sizeof *parser);

	if (!parser)
		return NULL;
	parser->magic = PARSER_MAGIC;
	parser->limits = *limits;
	begin(parser);
	return parser;
}

void http_parser_free(struct http_parser *parser)
{
	if (!parser)
		return;
	CHECK_OBJ(parser, PARSER_MAGIC);
	drop_memory(parser);
	parser->magic = 0;
	free(parser);
}

void http_release(struct http_parser *parser)
{
	CHECK_OBJ(parser, PARSER_MAGIC);
	if (parser->state != STATE_whole)
		return;
	drop_memory(parser);
	begin(parser);
}

int http_status(const struct http_parser *parser)
{
	CHECK(parser->state == STATE_bad);
	return parser->status;
}

bool http_in_request(const struct http_parser *parser)
{
	if (parser->state == STATE_request_line)
		return parser->len > 0 && parser->bytes[0] != '\r';
	return parser->state != STATE_whole;
}

/* ---- bytes and lines ------------------------------------------------------------- */

/* One byte of room is always left for the terminator of the body. */
static int append(struct http_parser *parser, const char *data, size_t len)
{
	size_t size = parser->size ? parser->size : BYTES_SIZE_MIN;

	while (size <= parser->len + len)
		size *= 2;
	if (size != parser->size) {
		char *bytes = realloc(parser->bytes, size);

		if (!bytes)
			return -503;
		parser->bytes = bytes;
		parser->size = size;
	}
	memcpy(parser->bytes + parser->len, data, len);
	parser->len += len;
	return 0;
}

/* What to refuse with when there is no room for what comes. */
static int too_long(const struct http_parser *parser)
{
	if (parser->state != STATE_request_line)
		return -431;
	return memchr(parser->bytes, ' ', parser->len) ? -414 : -400;
}

static bool line_is_whole(const struct http_parser *parser)
{
	return parser->len > parser->line_at && parser->bytes[parser->len - 1] == '\n';
}

/*
 * Collects bytes up to a line's end. Returns how many were taken, or minus the status:
 * control characters, bare CR, bare LF, too long. The line is whole when its
 * last byte is LF. Decided byte by byte, so that no split can change it.
 */
static ssize_t take_line(struct http_parser *parser, const char *data, size_t len)
{
	size_t max = len < parser->room ? len : parser->room;
	char last = parser->len > parser->line_at ? parser->bytes[parser->len - 1] : '\0';
	size_t n = 0;
	int rc;

	while (n < max && data[n] != '\n') {
		if (last == '\r' || (data[n] != '\r' && !http_is_text(data[n])))
			return -400;
		last = data[n++];
	}
	if (n < max && last != '\r')
		return -400;
	if (n < max)
		n++;
	rc = append(parser, data, n);
	if (rc < 0)
		return rc;
	parser->room -= n;
	if (n < len && !line_is_whole(parser))
		return too_long(parser);
	return (ssize_t)n;
}

/* The whole line without its CRLF. */
static const char *line_of(const struct http_parser *parser, size_t *ret_len)
{
	*ret_len = parser->len - parser->line_at - 2;
	return parser->bytes + parser->line_at;
}

static int feed_llhttp(struct http_parser *parser, const char *data, size_t len)
{
	llhttp_errno_t error = llhttp_execute(&parser->llhttp, data, len);

	return error == HPE_OK || error == HPE_PAUSED_UPGRADE ? 0 : -400;
}

static int finish(struct http_parser *parser)
{
	struct http_request *request = parser->request;

	if (!parser->llhttp_is_done)
		return -400; /* llhttp sees no end here */
	request->body = "";
	request->body_len = parser->len;
	if (parser->len > 0) {
		parser->bytes[parser->len] = '\0';
		request->body = parser->bytes;
	}
	parser->state = STATE_whole;
	return 0;
}

/* ---- the head ------------------------------------------------------------------- */

static char *cut(char *at, char *end)
{
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Splits fields in place; the lines were checked when they came. */
static void split_fields(struct http_request *request, char *at)
{
	while (*at != '\r') {
		struct http_header *header = &request->headers[request->n_headers++];
		char *colon = strchr(at, ':');
		char *end = strchr(colon, '\r');

		*colon = '\0';
		header->name = at;
		header->value = cut(colon + 1, end);
		at = end + 2;
	}
}

static struct http_request *split_head(const char *head, size_t len)
{
	const char *sent_target = strchr(head, ' ') + 1;
	const size_t target_len = (size_t)(strchr(sent_target, ' ') - sent_target);
	/* Behind the head: path and query once more, with a '/' in front if need be. */
	struct http_request *request = malloc(sizeof *request + len + 1 + target_len + 2);
	char *text, *target, *path, *query;

	if (!request)
		return NULL;
	memset(request, 0, sizeof *request);
	text = (char *)(request + 1);
	memcpy(text, head, len);
	text[len] = '\0';
	target = text + (sent_target - head);
	target[-1] = '\0';
	target[target_len] = '\0';

	path = text + len + 1;
	*path = '/';
	strcpy(path + 1, http_target_path(target));
	if (path[1] == '/' || path[1] == '*')
		path++;
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	request->method = text;
	request->target = target;
	request->path = path;
	request->query = query ? query : "";
	request->minor = (unsigned)(target[target_len + sizeof "HTTP/1."] - '0');
	split_fields(request, strchr(target + target_len + 1, '\n') + 1);
	return request;
}

/* Were the two of different minds about the body, a request could be smuggled in it. */
static bool llhttp_agrees(const struct http_parser *parser,
			  const struct http_framing *framing)
{
	const bool is_chunked = parser->llhttp.flags & F_CHUNKED;

	if (!framing->chunked && framing->body_len == 0)
		return parser->llhttp_is_done;
	return !parser->llhttp_is_done && is_chunked == framing->chunked &&
	       (is_chunked || parser->llhttp.content_length == framing->body_len);
}

/* The checked head, without the blanks around values, on which llhttp's versions are not
 * of one mind. */
static int feed_llhttp_head(struct http_parser *parser)
{
	const struct http_request *request = parser->request;
	const char *line_end = strchr(parser->bytes, '\n') + 1;
	int rc = feed_llhttp(parser, parser->bytes, (size_t)(line_end - parser->bytes));

	for (unsigned i = 0; i < request->n_headers && rc == 0; i++) {
		const char *const parts[] = { request->headers[i].name, ": ",
					      request->headers[i].value, "\r\n" };

		for (unsigned k = 0; k < sizeof parts / sizeof *parts && rc == 0; k++)
			rc = feed_llhttp(parser, parts[k], strlen(parts[k]));
	}
	return rc < 0 ? rc : feed_llhttp(parser, "\r\n", 2);
}

static int on_head(struct http_parser *parser)
{
	struct http_framing framing;
	int rc;

	parser->bytes[parser->len] = '\0';
	parser->request = split_head(parser->bytes, parser->len);
	if (!parser->request)
		return -503;
	rc = -http_check_head(parser->request, &parser->limits, &framing);
	if (rc == 0)
		rc = feed_llhttp_head(parser);
	if (rc < 0)
		return rc;
	if (!llhttp_agrees(parser, &framing))
		return -400;
	parser->len = parser->line_at = 0;
	parser->room = parser->limits.head_max;
	parser->remaining = framing.body_len;
	parser->must_continue = framing.expects_continue;
	if (framing.chunked) {
		parser->state = STATE_chunk_size;
		return 0;
	}
	if (framing.body_len == 0)
		return finish(parser);
	parser->state = STATE_body;
	return 0;
}

static ssize_t take_request_line(struct http_parser *parser, const char *data, size_t len)
{
	ssize_t n = take_line(parser, data, len);
	const char *line;
	size_t line_len;

	if (n < 0 || !line_is_whole(parser))
		return n;
	line = line_of(parser, &line_len);
	if (line_len == 0) {
		parser->len = 0;
	} else {
		int status = http_check_request_line(line, line_len);

		if (status)
			return -status;
		parser->line_at = parser->len;
		parser->state = STATE_field;
	}
	return n;
}

static ssize_t take_field(struct http_parser *parser, const char *data, size_t len)
{
	ssize_t n = take_line(parser, data, len);
	const char *line;
	size_t line_len;
	int rc = 0;

	if (n < 0 || !line_is_whole(parser))
		return n;
	line = line_of(parser, &line_len);
	if (line_len == 0)
		rc = on_head(parser);
	else if (http_check_field_line(line, line_len) != 0)
		rc = -400;
	else if (++parser->n_fields > HTTP_HEADERS_MAX)
		rc = -431;
	else
		parser->line_at = parser->len;
	return rc < 0 ? rc : n;
}

/* ---- the body ------------------------------------------------------------------- */

/* Bytes of the body or of a chunk. */
static ssize_t take_data(struct http_parser *parser, const char *data, size_t len)
{
	size_t n = len < parser->remaining ? len : parser->remaining;
	int rc = append(parser, data, n);

	if (rc == 0)
		rc = feed_llhttp(parser, data, n);
	parser->remaining -= n;
	return rc < 0 ? rc : (ssize_t)n;
}

static ssize_t take_body(struct http_parser *parser, const char *data, size_t len)
{
	ssize_t n = take_data(parser, data, len);
	int rc = n >= 0 && parser->remaining == 0 ? finish(parser) : 0;

	return rc < 0 ? rc : n;
}

static ssize_t take_chunk(struct http_parser *parser, const char *data, size_t len)
{
	ssize_t n = take_data(parser, data, len);

	parser->line_at = parser->len;
	if (n >= 0 && parser->remaining == 0)
		parser->state = STATE_chunk_end;
	return n;
}

/* Drops the line from behind the body and feeds llhttp `len` bytes of it and CRLF. */
static int pass_line(struct http_parser *parser, size_t len)
{
	int rc = feed_llhttp(parser, parser->bytes + parser->line_at, len);

	parser->len = parser->line_at;
	return rc < 0 ? rc : feed_llhttp(parser, "\r\n", 2);
}

static ssize_t take_chunk_size(struct http_parser *parser, const char *data, size_t len)
{
	ssize_t n = take_line(parser, data, len);
	const char *line;
	size_t line_len, n_digits;
	int rc;

	if (n < 0 || !line_is_whole(parser))
		return n;
	line = line_of(parser, &line_len);
	rc = -http_check_chunk_line(line, line_len, &n_digits);
	if (rc == 0)
		rc = pass_line(parser, n_digits);
	if (rc < 0)
		return rc;
	if (parser->llhttp.content_length > parser->limits.body_max - parser->len)
		return -413;
	parser->room += n_digits + 2; /* the extensions alone are counted */
	parser->remaining = (size_t)parser->llhttp.content_length;
	parser->state = parser->remaining > 0 ? STATE_chunk : STATE_trailer;
	return n;
}

static ssize_t take_chunk_end(struct http_parser *parser, const char *data, size_t len)
{
	static const char crlf[] = "\r\n";
	size_t n = parser->len - parser->line_at;
	int rc;

	if (*data != crlf[n])
		return -400;
	rc = append(parser, data, 1);
	if (rc == 0 && n == 1) {
		rc = pass_line(parser, 0);
		parser->state = STATE_chunk_size;
	}
	return rc < 0 ? rc : 1;
}

static ssize_t take_trailer(struct http_parser *parser, const char *data, size_t len)
{
	ssize_t n = take_line(parser, data, len);
	const char *line;
	size_t line_len;
	int rc;

	if (n < 0 || !line_is_whole(parser))
		return n;
	line = line_of(parser, &line_len);
	if (line_len > 0) {
		rc = -http_check_field_line(line, line_len);
		parser->len = parser->line_at;
	} else {
		rc = pass_line(parser, 0);
		if (rc == 0)
			rc = finish(parser);
	}
	return rc < 0 ? rc : n;
}

/* ---- whole requests ------------------------------------------------------------- */

static ssize_t take(struct http_parser *parser, const char *data, size_t len)
{
	switch (parser->state) {
	case STATE_request_line: return take_request_line(parser, data, len);
	case STATE_field: return take_field(parser, data, len);
	case STATE_body: return take_body(parser, data, len);
	case STATE_chunk_size: return take_chunk_size(parser, data, len);
	case STATE_chunk: return take_chunk(parser, data, len);
	case STATE_chunk_end: return take_chunk_end(parser, data, len);
	case STATE_trailer: return take_trailer(parser, data, len);
	case STATE_whole:
	case STATE_bad: break;
	}
	CHECK(!"taken in no state to take");
	return -400;
}

enum http_result http_feed(struct http_parser *parser, const char *data, size_t len,
			   size_t *ret_used, const struct http_request **ret_request)
{
	*ret_used = 0;
	http_release(parser);
	if (parser->state == STATE_bad)
		return HTTP_BAD;
	while (*ret_used < len) {
		ssize_t n = take(parser, data + *ret_used, len - *ret_used);

		if (n < 0) {
			drop_memory(parser);
			parser->state = STATE_bad;
			parser->status = (int)-n;
			return HTTP_BAD;
		}
		*ret_used += (size_t)n;
		if (parser->state == STATE_whole) {
			*ret_request = parser->request;
			return HTTP_REQUEST;
		}
		if (parser->must_continue) {
			parser->must_continue = false;
			return HTTP_CONTINUE;
		}
	}
	return HTTP_MORE;
}
