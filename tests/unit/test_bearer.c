/* test_bearer - a token is found wherever a client may put it, and only one is taken. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/handshake.h"

#define AUTH  "Authorization: "
#define OFFER "Sec-WebSocket-Protocol: "

/* Judges a handshake with these header lines and this query; where tokens are asked. */
static void judge(const char *query, const char *lines, struct handshake *ret,
		  char token[256])
{
	const struct http_limits limits = { .head_max = 8192, .body_max = 100 };
	const struct handshake_rules rules = { "/chat", "", true };
	struct http_parser *parser = http_parser_new(&limits);
	const struct http_request *request;
	char text[4096];
	size_t used;
	int len = snprintf(text, sizeof text,
			   "GET /chat%s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
			   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
			   query, lines);

	assert_int_equal(http_feed(parser, text, (size_t)len, &used, &request),
			 HTTP_REQUEST);
	handshake_judge(request, &rules, ret);
	if (ret->status == 101)
		snprintf(token, 256, "%.*s", (int)ret->token.len, ret->token.at);
	http_parser_free(parser);
}

static void a_token_is_found_in_each_of_three_places(void **state)
{
	static const struct {
		const char *query, *lines, *token;
	} rows[] = {
		{ "", "", "" },
		{ "?user=ann", "", "" },
		{ "", AUTH "Bearer a.b.c\r\n", "a.b.c" },
		{ "", "authorization: bEARER   a.b.c\r\n", "a.b.c" },
		{ "", AUTH "Bearer\r\n", "" },
		{ "", AUTH "Basic YTpi\r\n", "" },
		{ "", AUTH "Bearera.b.c\r\n", "" },
		{ "", OFFER "parley.v1, bearer.a.b.c\r\n", "a.b.c" },
		{ "", OFFER "bearer.a.b.c,parley.v1\r\n", "a.b.c" },
		{ "", OFFER "parley.v1\r\n" OFFER "bearer.a.b.c\r\n", "a.b.c" },
		{ "", OFFER "parley.v1, Bearer.a.b.c\r\n", "" },
		{ "?access_token=a.b.c", "", "a.b.c" },
		{ "?x=1&access_token=a.b.c&y", "", "a.b.c" },
		{ "?xaccess_token=a.b.c&access_tokens=d", "", "" },
		{ "?access_token=", AUTH "Basic YTpi\r\n", "" },
		{ "?access_token=a%2Eb", "", "a%2Eb" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char token[256];
		struct handshake got;

		judge(rows[i].query, rows[i].lines, &got, token);
		assert_int_equal(got.status, 101);
		assert_string_equal(token, rows[i].token);
		assert_string_equal(got.user, ""); /* not for the query to say */
	}
}

static void more_than_one_token_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "?access_token=a", AUTH "Bearer a\r\n" },
		{ "?access_token=a", OFFER "parley.v1, bearer.a\r\n" },
		{ "", AUTH "Bearer a\r\n" OFFER "parley.v1, bearer.a\r\n" },
		{ "?access_token=a&access_token=a", "" },
		{ "", AUTH "Bearer a\r\n" AUTH "Bearer a\r\n" },
		{ "", OFFER "parley.v1, bearer.a, bearer.a\r\n" },
		{ "?access_token=", AUTH "Bearer a\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char token[256];
		struct handshake got;

		judge(rows[i][0], rows[i][1], &got, token);
		assert_int_equal(got.status, 400);
		assert_string_equal(got.why, "more than one token");
	}
}

static void the_answer_selects_the_protocol_and_not_the_token(void **state)
{
	char answer[256], token[256];
	struct handshake got;
	int len;

	(void)state;
	judge("", OFFER "bearer.a.b.c, parley.v1\r\n", &got, token);
	len = handshake_answer(&got, answer, sizeof answer);
	assert_true(len > 0);
	assert_non_null(strstr(answer, "\r\nSec-WebSocket-Protocol: parley.v1\r\n"));
	assert_null(strstr(answer, "bearer"));
	judge("", OFFER "bearer.a.b.c\r\n", &got, token);
	assert_int_equal(got.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_found_in_each_of_three_places),
		cmocka_unit_test(more_than_one_token_is_refused),
		cmocka_unit_test(the_answer_selects_the_protocol_and_not_the_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
