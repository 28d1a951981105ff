/* Requests from bytes: strictly, within limits, however the bytes are split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http.h"

struct vector {
	const char *bytes;
	size_t len;
	const char *trace;
	size_t trace_len;
};

static const struct vector VECTORS[] = {
#define VECTOR(bytes, trace) { bytes, sizeof(bytes) - 1, trace, sizeof(trace) - 1 },
#include "tests/unit/http_vectors.def"
#undef VECTOR
};
enum {
	N_VECTORS = sizeof VECTORS / sizeof *VECTORS
};

static const struct http_limits LIMITS = { .head_max = 4096, .body_max = 1024 };

struct trace {
	char text[16384];
	size_t len;
};

static void trace_add(struct trace *trace, const char *bytes, size_t len)
{
	assert_true(trace->len + len < sizeof trace->text);
	memcpy(trace->text + trace->len, bytes, len);
	trace->len += len;
	trace->text[trace->len] = '\0';
}

static void trace_word(struct trace *trace, const char *word)
{
	if (trace->len > 0)
		trace_add(trace, " ", 1);
	trace_add(trace, word, strlen(word));
}

static void trace_request(struct trace *trace, const struct http_request *request)
{
	trace_word(trace, request->method);
	trace_word(trace, request->path);
	if (*request->query) {
		trace_add(trace, "?", 1);
		trace_add(trace, request->query, strlen(request->query));
	}
	trace_add(trace, " {", 2);
	trace_add(trace, request->body, request->body_len);
	assert_int_equal(request->body[request->body_len], '\0');
	trace_add(trace, "}", 1);
	if (!request->keep_alive)
		trace_word(trace, "close");
	if (request->upgrade)
		trace_word(trace, "upgrade");
}

/* Feeds one piece; false once the parser has refused. Each piece is a block of its
 * own, so that reading over its end is seen. */
static bool feed(struct http_parser *parser, const char *bytes, size_t len,
		 struct trace *trace)
{
	char *piece = malloc(len + 1);
	enum http_result result = HTTP_MORE;
	size_t at = 0;

	assert_non_null(piece);
	piece = realloc(piece, len ? len : 1);
	memcpy(piece, bytes, len);
	while (at < len && result != HTTP_BAD) {
		const struct http_request *request = NULL;
		size_t used;

		result = http_feed(parser, piece + at, len - at, &used, &request);
		assert_true(used <= len - at);
		assert_int_equal(!!request, result == HTTP_REQUEST);
		at += used;
		if (result == HTTP_REQUEST)
			trace_request(trace, request);
		else if (result == HTTP_CONTINUE)
			trace_word(trace, "100");
		else if (result == HTTP_MORE)
			assert_int_equal(at, len);
	}
	free(piece);
	return result != HTTP_BAD;
}

static void trace_end(struct trace *trace, struct http_parser *parser, bool is_good)
{
	char status[16];

	if (is_good && http_in_request(parser))
		trace_word(trace, "more");
	if (!is_good) {
		snprintf(status, sizeof status, "%d", http_status(parser));
		trace_word(trace, status);
	}
}

static void run(const struct http_limits *limits, const char *bytes, size_t len,
		size_t split, struct trace *trace)
{
	struct http_parser *parser = http_parser_new(limits);
	bool is_good;

	assert_non_null(parser);
	trace->len = 0;
	trace->text[0] = '\0';
	is_good = feed(parser, bytes, split, trace);
	if (is_good)
		is_good = feed(parser, bytes + split, len - split, trace);
	trace_end(trace, parser, is_good);
	http_parser_free(parser);
}

static void expect(const struct trace *trace, const char *text, size_t len, size_t vector,
		   size_t split)
{
	if (trace->len == len && memcmp(trace->text, text, len) == 0)
		return;
	fail_msg("vector %zu split at %zu: \"%s\", not \"%s\":\n%s", vector, split,
		 trace->text, text, VECTORS[vector].bytes);
}

static void each_vector_comes_to_its_result(void **state)
{
	struct trace trace;

	assert_true(N_VECTORS >= 80);
	for (size_t i = 0; i < N_VECTORS; i++) {
		const struct vector *vector = &VECTORS[i];

		run(&LIMITS, vector->bytes, vector->len, 0, &trace);
		expect(&trace, vector->trace, vector->trace_len, i, 0);
	}
}

static void no_split_into_two_changes_a_result(void **state)
{
	struct trace trace;

	for (size_t i = 0; i < N_VECTORS; i++) {
		const struct vector *vector = &VECTORS[i];

		for (size_t split = 1; split < vector->len; split++) {
			run(&LIMITS, vector->bytes, vector->len, split, &trace);
			expect(&trace, vector->trace, vector->trace_len, i, split);
		}
	}
}

static void byte_by_byte_changes_no_result(void **state)
{
	for (size_t i = 0; i < N_VECTORS; i++) {
		const struct vector *vector = &VECTORS[i];
		struct http_parser *parser = http_parser_new(&LIMITS);
		struct trace trace = { .len = 0 };
		bool is_good = true;

		for (size_t at = 0; at < vector->len && is_good; at++)
			is_good = feed(parser, vector->bytes + at, 1, &trace);
		trace_end(&trace, parser, is_good);
		expect(&trace, vector->trace, vector->trace_len, i, 1);
		http_parser_free(parser);
	}
}

/* Runs one text with all splits; all must come to `want`. */
static void run_limited(const struct http_limits *limits, const char *text,
			const char *want)
{
	struct trace trace;

	for (size_t split = 0; split < strlen(text); split++) {
		run(limits, text, strlen(text), split, &trace);
		assert_string_equal(trace.text, want);
	}
}

static void a_head_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\r\n\r\n";
	struct http_limits limits = { .head_max = sizeof text - 1 };

	run_limited(&limits, text, "GET / {}");
	limits.head_max--;
	run_limited(&limits, text, "431");
	limits.head_max = sizeof "GET / HTTP/1.1\r\n" - 1;
	run_limited(&limits, text, "431");
	limits.head_max--;
	run_limited(&limits, text, "414");
	limits.head_max = sizeof "GET" - 1;
	run_limited(&limits, text, "400");
	limits.head_max = 0;
	run_limited(&limits, text, "400");
}

static void empty_lines_before_a_request_count_as_its_head(void **state)
{
	static const char text[] = "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct http_limits limits = { .head_max = sizeof text - 1 };

	run_limited(&limits, text, "GET / {}");
	limits.head_max--;
	run_limited(&limits, text, "431");
	limits.head_max = 4;
	run_limited(&limits, text, "400");
}

static void a_long_target_is_414(void **state)
{
	const struct http_limits limits = { .head_max = 32 };

	run_limited(&limits, "GET /0123456789012345678901234567890123456789 HTTP/1.1\r\n",
		    "414");
	run_limited(&limits, "GETGETGETGETGETGETGETGETGETGETGETGET /", "400");
}

static void fields_may_be_64_and_no_more(void **state)
{
	char text[1024] = "GET / HTTP/1.1\r\nHost: a\r\n";
	struct trace trace;

	for (unsigned i = 1; i < HTTP_HEADERS_MAX; i++)
		strcat(text, "X: y\r\n");
	strcat(text, "\r\n");
	run(&LIMITS, text, strlen(text), 0, &trace);
	assert_string_equal(trace.text, "GET / {}");
	strcpy(text + strlen(text) - 2, "X: y\r\n\r\n");
	run(&LIMITS, text, strlen(text), 0, &trace);
	assert_string_equal(trace.text, "431");
}

static void a_body_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\n";
	struct http_limits limits = { .head_max = 256, .body_max = 4 };
	char text[256];

	snprintf(text, sizeof text, "%sContent-Length: 4\r\n\r\nabcd", head);
	run_limited(&limits, text, "POST / {abcd}");
	snprintf(text, sizeof text, "%sContent-Length: 5\r\n\r\n", head);
	run_limited(&limits, text, "413");
	snprintf(text, sizeof text, "%sTransfer-Encoding: chunked\r\n\r\n%s", head,
		 "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n");
	run_limited(&limits, text, "POST / {abcd}");
	snprintf(text, sizeof text, "%sTransfer-Encoding: chunked\r\n\r\n%s", head,
		 "2\r\nab\r\n3\r\n");
	run_limited(&limits, text, "413");
	limits.body_max = 0;
	snprintf(text, sizeof text, "%sContent-Length: 0\r\n\r\n", head);
	run_limited(&limits, text, "POST / {}");
}

static void extensions_and_trailers_are_bounded_together(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	const struct http_limits limits = { .head_max = sizeof head - 1, .body_max = 64 };
	char text[512];

	snprintf(text, sizeof text, "%s%s%s", head,
		 "1;x=01234567890123456789\r\na\r\n1;x=01234567890123456789\r\na\r\n",
		 "0\r\n\r\n");
	run_limited(&limits, text, "POST / {aa}");
	snprintf(text, sizeof text, "%s%s%s", head,
		 "1;x=01234567890123456789\r\na\r\n1;x=01234567890123456789\r\na\r\n",
		 "0\r\nX: 01234567890123456789\r\n\r\n");
	run_limited(&limits, text, "431");
}

static void many_small_chunks_are_no_abuse_of_the_bound(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	const struct http_limits limits = { .head_max = sizeof head - 1, .body_max = 64 };
	char text[1024];
	struct trace trace;

	strcpy(text, head);
	for (unsigned i = 0; i < 64; i++)
		strcat(text, "1\r\na\r\n");
	strcat(text, "0\r\n\r\n");
	run(&limits, text, strlen(text), 0, &trace);
	assert_int_equal(trace.len, sizeof "POST / {}" - 1 + 64);
}

static const struct http_request *one_request(struct http_parser *parser,
					      const char *text)
{
	const struct http_request *request = NULL;
	size_t used;

	assert_int_equal(http_feed(parser, text, strlen(text), &used, &request),
			 HTTP_REQUEST);
	assert_int_equal(used, strlen(text));
	return request;
}

static void a_request_has_its_parts_as_sent(void **state)
{
	struct http_parser *parser = http_parser_new(&LIMITS);
	const struct http_request *request = one_request(
		parser, "GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\n"
			"Accept:\t text/html, a/b \t\r\nEmpty:\r\n"
			"accept: c/d\r\n\r\n");
	unsigned n;

	assert_string_equal(request->method, "GET");
	assert_string_equal(request->target, "/a%20b?c=d");
	assert_string_equal(request->path, "/a%20b");
	assert_string_equal(request->query, "c=d");
	assert_int_equal(request->minor, 1);
	assert_int_equal(request->n_headers, 4);
	assert_string_equal(http_header(request, "ACCEPT", &n), "text/html, a/b");
	assert_int_equal(n, 2);
	assert_string_equal(http_header(request, "empty", &n), "");
	assert_int_equal(n, 1);
	assert_null(http_header(request, "Absent", &n));
	assert_int_equal(n, 0);
	assert_true(http_header_has(request, "Accept", "A/B"));
	assert_true(http_header_has(request, "Accept", "c/d"));
	assert_false(http_header_has(request, "Accept", "a/"));
	assert_false(http_header_has(request, "Accept", "text/html, a/b"));
	assert_false(http_header_has(request, "Empty", "a"));
	http_parser_free(parser);
}

static void a_refused_connection_stays_refused(void **state)
{
	struct http_parser *parser = http_parser_new(&LIMITS);
	const struct http_request *request = NULL;
	size_t used;

	assert_int_equal(http_feed(parser, "\n", 1, &used, &request), HTTP_BAD);
	http_release(parser);
	assert_int_equal(http_feed(parser, "GET", 3, &used, &request), HTTP_BAD);
	assert_int_equal(http_status(parser), 400);
	http_parser_free(parser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vector_comes_to_its_result),
		cmocka_unit_test(no_split_into_two_changes_a_result),
		cmocka_unit_test(byte_by_byte_changes_no_result),
		cmocka_unit_test(a_head_may_be_as_long_as_the_limit_and_no_longer),
		cmocka_unit_test(empty_lines_before_a_request_count_as_its_head),
		cmocka_unit_test(a_long_target_is_414),
		cmocka_unit_test(fields_may_be_64_and_no_more),
		cmocka_unit_test(a_body_may_be_as_long_as_the_limit_and_no_longer),
		cmocka_unit_test(extensions_and_trailers_are_bounded_together),
		cmocka_unit_test(many_small_chunks_are_no_abuse_of_the_bound),
		cmocka_unit_test(a_request_has_its_parts_as_sent),
		cmocka_unit_test(a_refused_connection_stays_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
