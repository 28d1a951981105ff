#include "common/http.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/http_lines.h"
#include "common/http_strict.h"

/* Both headers have an HTTP_REQUEST. */
#define HTTP_REQUEST LLHTTP_TYPE_REQUEST
#include <llhttp.h>
#undef HTTP_REQUEST

enum {
	PARSER_MAGIC = 0x48545450
};

/* What the next byte belongs to. All are lines, but for `body` and `chunk`. */
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
 * `lines` collects the head; when that is whole it moves to `request` and `lines`
 * collects the body, behind which the line of a chunk or trailer grows and goes again.
 * llhttp gets the checked head, then body and chunk lines: it delimits the message, and
 * what it makes of the head must agree with the checks of http_strict.
 */
struct http_parser {
	unsigned magic;
	enum state state;
	int status; /* when bad */
	struct http_limits limits;
	llhttp_t llhttp;
	bool llhttp_is_done;
	bool must_continue;
	struct http_lines lines;
	size_t n_fields;  /* lines of the head so far */
	size_t remaining; /* bytes of the body or chunk still to come */
	struct http_request *request;
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
	parser->lines.room = parser->limits.head_max;
	parser->n_fields = 0;
}

static void drop_memory(struct http_parser *parser)
{
	free(parser->request);
	parser->request = NULL;
	http_lines_release(&parser->lines);
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
		return parser->lines.len > 0 && parser->lines.bytes[0] != '\r';
	return parser->state != STATE_whole;
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
	request->body_len = parser->lines.len;
	if (parser->lines.len > 0) {
		parser->lines.bytes[parser->lines.len] = '\0';
		request->body = parser->lines.bytes;
	}
	parser->state = STATE_whole;
	return 0;
}

/* ---- the head ------------------------------------------------------------------- */

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

/* Without the blanks around values, on which llhttp's versions are not of one mind. */
static int feed_llhttp_head(struct http_parser *parser)
{
	const struct http_request *request = parser->request;
	const char *head = parser->lines.bytes;
	int rc = feed_llhttp(parser, head, strcspn(head, "\n") + 1);

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
	struct http_lines *lines = &parser->lines;
	struct http_framing framing;
	int rc;

	lines->bytes[lines->len] = '\0';
	parser->request = http_split_head(lines->bytes, lines->len);
	if (!parser->request)
		return -503;
	rc = -http_check_head(parser->request, &parser->limits, &framing);
	if (rc == 0)
		rc = feed_llhttp_head(parser);
	if (rc == 0 && !llhttp_agrees(parser, &framing))
		rc = -400;
	if (rc < 0)
		return rc;
	lines->len = lines->line_at = 0;
	lines->room = parser->limits.head_max;
	parser->remaining = framing.body_len;
	parser->must_continue = framing.expects_continue;
	if (!framing.chunked && framing.body_len == 0)
		return finish(parser);
	parser->state = framing.chunked ? STATE_chunk_size : STATE_body;
	return 0;
}

static int on_request_line(struct http_parser *parser, const char *line, size_t len)
{
	int status;

	if (len == 0) {
		http_lines_drop(&parser->lines);
		return 0;
	}
	status = http_check_request_line(line, len);
	http_lines_keep(&parser->lines);
	parser->state = STATE_field;
	return -status;
}

static int on_field(struct http_parser *parser, const char *line, size_t len)
{
	if (len == 0)
		return on_head(parser);
	if (++parser->n_fields > HTTP_HEADERS_MAX)
		return -431;
	http_lines_keep(&parser->lines);
	return -http_check_field_line(line, len);
}

/* ---- the body ------------------------------------------------------------------- */

/* Feeds llhttp `len` bytes of the last line and CRLF; the line goes. */
static int pass_line(struct http_parser *parser, const char *line, size_t len)
{
	int rc = feed_llhttp(parser, line, len);

	http_lines_drop(&parser->lines);
	return rc < 0 ? rc : feed_llhttp(parser, "\r\n", 2);
}

static int on_chunk_size(struct http_parser *parser, const char *line, size_t len)
{
	size_t n_digits;
	int rc = -http_check_chunk_line(line, len, &n_digits);

	if (rc == 0)
		rc = pass_line(parser, line, n_digits);
	if (rc < 0)
		return rc;
	if (parser->llhttp.content_length > parser->limits.body_max - parser->lines.len)
		return -413;
	parser->lines.room += n_digits + 2; /* only extensions are counted */
	parser->remaining = (size_t)parser->llhttp.content_length;
	parser->state = parser->remaining > 0 ? STATE_chunk : STATE_trailer;
	return 0;
}

static int on_chunk_end(struct http_parser *parser, const char *line, size_t len)
{
	if (len > 0)
		return -400;
	parser->lines.room += 2;
	parser->state = STATE_chunk_size;
	return pass_line(parser, line, 0);
}

static int on_trailer(struct http_parser *parser, const char *line, size_t len)
{
	int rc;

	if (len > 0) {
		http_lines_drop(&parser->lines);
		return -http_check_field_line(line, len);
	}
	rc = pass_line(parser, line, 0);
	return rc < 0 ? rc : finish(parser);
}

/* Bytes of the body or of a chunk. */
static ssize_t take_data(struct http_parser *parser, const char *data, size_t len)
{
	size_t n = len < parser->remaining ? len : parser->remaining;
	int rc = http_lines_append(&parser->lines, data, n);

	if (rc == 0)
		rc = feed_llhttp(parser, data, n);
	parser->remaining -= n;
	http_lines_keep(&parser->lines);
	if (rc < 0 || parser->remaining > 0)
		return rc < 0 ? rc : (ssize_t)n;
	if (parser->state == STATE_body)
		rc = finish(parser);
	else
		parser->state = STATE_chunk_end;
	return rc < 0 ? rc : (ssize_t)n;
}

/* ---- whole requests ------------------------------------------------------------- */

static int (*const on_line[])(struct http_parser *parser, const char *line,
			      size_t len) = {
	[STATE_request_line] = on_request_line, [STATE_field] = on_field,
	[STATE_chunk_size] = on_chunk_size,     [STATE_chunk_end] = on_chunk_end,
	[STATE_trailer] = on_trailer,
};

/* Takes some bytes and returns how many, or minus the status to refuse with. */
static ssize_t take(struct http_parser *parser, const char *data, size_t len)
{
	struct http_lines *lines = &parser->lines;
	ssize_t n;
	int rc = 0;

	if (parser->state == STATE_body || parser->state == STATE_chunk)
		return take_data(parser, data, len);
	n = http_lines_take(lines, data, len);
	if (n == -431 && parser->state == STATE_request_line)
		return memchr(lines->bytes, ' ', lines->len) ? -414 : -400;
	if (n >= 0 && http_lines_is_whole(lines)) {
		size_t line_len;
		const char *line = http_lines_last(lines, &line_len);

		rc = on_line[parser->state](parser, line, line_len);
	}
	return rc < 0 ? rc : n;
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
