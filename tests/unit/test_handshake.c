/* test_handshake - who becomes a WebSocket, and what the others are told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/handshake.h"

/* The headers of a good request, each a line that a test may leave out. */
#define HOST    "Host: chat.example:8080\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECT "Connection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define NO_KEY  HOST UPGRADE CONNECT VERSION
#define ALL     NO_KEY KEY

static void judge(const char *line, const char *headers, const char *origins,
		  struct handshake *ret)
{
	const struct http_limits limits = { .head_max = 8192, .body_max = 100 };
	const struct handshake_rules rules = { .path = "/chat",
					       .origins = origins,
					       .canary = "0123456789abcdef" };
	struct http_parser *parser = http_parser_new(&limits);
	const struct http_request *request;
	char text[4096];
	size_t used;
	int len = snprintf(text, sizeof(text), "%s\r\n%s\r\n", line, headers);

	assert_true(len > 0 && (size_t)len < sizeof(text));
	assert_int_equal(http_feed(parser, text, (size_t)len, &used, &request),
			 HTTP_REQUEST);
	handshake_judge(request, &rules, ret);
	http_parser_free(parser);
}

struct row {
	const char *line, *headers;
	int status;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct handshake got;

		judge(rows[i].line, rows[i].headers, "", &got);
		if (got.status != rows[i].status)
			fail_msg("row %zu: %d (%s), not %d", i, got.status, got.why,
				 rows[i].status);
		assert_int_equal(got.why == NULL, got.status == 101);
		assert_int_equal(got.allow != NULL, got.status == 405);
		assert_int_equal(got.extra != NULL, got.status == 426);
	}
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void accepts_the_handshake_of_the_rfc(void **state)
{
	struct handshake got;

	judge("GET /chat HTTP/1.1", ALL, "", &got);
	assert_int_equal(got.status, 101);
	assert_string_equal(got.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_string_equal(got.user, "anonymous");
	assert_false(got.protocol);
}

static void takes_names_and_tokens_in_any_case_and_list(void **state)
{
	static const struct row rows[] = {
		{ "GET /chat HTTP/1.1",
		  HOST
		  "uPGRADE: h2c, WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" VERSION
			  KEY,
		  101 },
		{ "GET /chat HTTP/1.1",
		  HOST UPGRADE CONNECT "Connection: keep-alive\r\n" VERSION KEY, 101 },
	};

	CHECK_ROWS(rows);
}

static void refuses_what_is_no_handshake(void **state)
{
	static const struct row rows[] = {
		{ "GET / HTTP/1.1", ALL, 404 },
		{ "GET /chat/ HTTP/1.1", ALL, 404 },
		{ "GET /Chat HTTP/1.1", ALL, 404 },
		{ "POST /other HTTP/1.1", HOST, 404 },
		{ "POST /chat HTTP/1.1", ALL, 405 },
		{ "HEAD /chat HTTP/1.1", ALL, 405 },
		{ "GET /chat HTTP/1.0", ALL, 400 },
		{ "GET /chat HTTP/1.1", HOST, 426 },
		{ "GET /chat HTTP/1.1", HOST UPGRADE VERSION KEY, 426 },
		{ "GET /chat HTTP/1.1", HOST CONNECT VERSION KEY, 426 },
		{ "GET /chat HTTP/1.1", HOST CONNECT "Upgrade: h2c\r\n" VERSION KEY,
		  426 },
		{ "GET /chat HTTP/1.1", HOST UPGRADE CONNECT KEY, 426 },
		{ "GET /chat HTTP/1.1",
		  HOST UPGRADE CONNECT KEY "Sec-WebSocket-Version: 8\r\n", 426 },
		{ "GET /chat HTTP/1.1",
		  HOST UPGRADE CONNECT KEY "Sec-WebSocket-Version: 13, 8\r\n", 426 },
		{ "GET /chat HTTP/1.1", ALL VERSION, 400 },
	};

	CHECK_ROWS(rows);
}

static void tells_which_method_and_version_are_spoken(void **state)
{
	struct handshake got;

	judge("POST /chat HTTP/1.1", ALL, "", &got);
	assert_string_equal(got.allow, "GET");
	judge("GET /chat HTTP/1.1", HOST, "", &got);
	assert_non_null(strstr(got.extra, "Upgrade: websocket\r\n"));
	assert_non_null(strstr(got.extra, "Sec-WebSocket-Version: 13\r\n"));
}

static void demands_one_key_of_16_bytes(void **state)
{
	static const char *const bad[] = {
		"",
		"Sec-WebSocket-Key:\r\n",
		KEY KEY,
		"Sec-WebSocket-Key: c2hvcnQ=\r\n",
		"Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n",
		/* 17 and 18 bytes: no padding where there must be some */
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWFi\r\n",
		/* unused bits that are not 0 */
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ=\r\n",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==dGhl\r\n",
	};
	char headers[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct handshake got;

		(void)snprintf(headers, sizeof(headers), "%s%s", NO_KEY, bad[i]);
		judge("GET /chat HTTP/1.1", headers, "", &got);
		assert_int_equal(got.status, 400);
	}
}

static void speaks_parley_v1_or_no_named_protocol(void **state)
{
	static const struct {
		const char *offered;
		int status;
	} rows[] = {
		{ "parley.v1", 101 },
		{ "chat, parley.v1", 101 },
		{ "chat ,parley.v1,,x", 101 },
		{ "mqtt\r\nSec-WebSocket-Protocol: parley.v1", 101 },
		{ "mqtt", 400 },
		{ "parley.v10, parley.v", 400 },
		{ "Parley.V1", 400 },
		{ "", 400 },
	};
	char headers[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct handshake got;

		(void)snprintf(headers, sizeof(headers),
			       "%sSec-WebSocket-Protocol: %s\r\n", ALL, rows[i].offered);
		judge("GET /chat HTTP/1.1", headers, "", &got);
		assert_int_equal(got.status, rows[i].status);
		assert_int_equal(got.protocol, rows[i].status == 101);
	}
}

static void the_former_session_is_read_and_refuses_nobody(void **state)
{
	static const struct {
		const char *query, *was;
	} rows[] = {
		{ "", "" },
		{ "?was=5f3a", "5f3a" },
		{ "?user=ann&was=0123456789abcdef0123456789abcdef",
		  "0123456789abcdef0123456789abcdef" },
		{ "?was=0123456789abcdef0123456789abcdef0", "" },
		{ "?was=a%00b", "" },
		{ "?was=%zz", "" },
		{ "?was", "" },
	};
	char line[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct handshake got;

		(void)snprintf(line, sizeof(line), "GET /chat%s HTTP/1.1", rows[i].query);
		judge(line, ALL, "", &got);
		assert_int_equal(got.status, 101);
		assert_string_equal(got.was, rows[i].was);
	}
}

/* The status for an Origin, asked for at `host`. */
static int with_origin(const char *host, const char *origin, const char *origins)
{
	struct handshake got;
	char headers[512];

	(void)snprintf(headers, sizeof(headers), "Host: %s\r\nOrigin: %s\r\n%s", host,
		       origin, UPGRADE CONNECT VERSION KEY);
	judge("GET /chat HTTP/1.1", headers, origins, &got);
	return got.status;
}

static void allows_the_same_host_and_port(void **state)
{
	static const struct {
		const char *host, *origin;
		int status;
	} rows[] = {
		{ "chat.example", "https://chat.example", 101 },
		{ "chat.example", "http://chat.example", 101 },
		{ "chat.example", "http://chat.example:80", 101 },
		{ "chat.example:443", "https://chat.example", 101 },
		{ "Chat.Example:8080", "http://chat.example:8080", 101 },
		{ "[::1]:8080", "http://[::1]:8080", 101 },
		{ "chat.example", "http://chat.example:443", 403 },
		{ "chat.example:8080", "http://chat.example", 403 },
		{ "chat.example", "http://evil.example", 403 },
		{ "chat.example", "http://chat.example.evil", 403 },
		{ "chat.example", "http://evil@chat.example", 403 },
		{ "chat.example", "http://chat.example/", 403 },
		{ "chat.example", "http://chat.example:80x", 403 },
		{ "chat.example", "ftp://chat.example", 403 },
		{ "chat.example", "chat.example", 403 },
		{ "[::1]:8080", "http://[::2]:8080", 403 },
		{ "chat.example", "http://", 403 },
		{ "chat.example", "null", 403 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (with_origin(rows[i].host, rows[i].origin, "") != rows[i].status)
			fail_msg("%s at %s", rows[i].origin, rows[i].host);
}

static void allows_listed_origins_only(void **state)
{
	static const char list[] = "https://a.example, http://b.example:81";
	struct handshake got;

	assert_int_equal(with_origin("x", "https://a.example", list), 101);
	assert_int_equal(with_origin("x", "http://B.example:81", list), 101);
	assert_int_equal(with_origin("x", "http://a.example", list), 403);
	assert_int_equal(with_origin("x", "http://b.example", list), 403);
	assert_int_equal(with_origin("x", "https://a.exampl", list), 403);
	assert_int_equal(with_origin("x", "null", list), 403);
	assert_int_equal(with_origin("x", "null", "null"), 101);
	assert_int_equal(with_origin("x", "https://any.example", "*"), 101);

	judge("GET /chat HTTP/1.1", ALL "Origin: http://a\r\nOrigin: http://a\r\n", "*",
	      &got);
	assert_int_equal(got.status, 400);
}

static void takes_the_user_from_the_query(void **state)
{
	static const char longest[] = "/chat?user="
				      "0123456789012345678901234567890123456789"
				      "012345678901234567890123";
	static const struct {
		const char *target, *user; /* NULL: refused */
	} rows[] = {
		{ "/chat?user=ann", "ann" },
		{ "/chat?x=1&user=%c3%84nn%20B", "\xc3\x84nn B" },
		{ "/chat?other=%zz", "anonymous" },
		{ longest, longest + 11 },
		{ "/chat?user=", NULL },
		{ "/chat?user=%4", NULL },
		{ "/chat?user=%zz", NULL },
		{ "/chat?user=%00", NULL },
		{ "/chat?user=%ff", NULL },
		{ "/chat?user=a%0ab", NULL },
		{ "/chat?user=%7f", NULL },
		{ "/chat?user=%c2%85", NULL },
		{ "/chat?user=0123456789012345678901234567890123456789"
		  "0123456789012345678901234",
		  NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct handshake got;
		char line[200];

		(void)snprintf(line, sizeof(line), "GET %s HTTP/1.1", rows[i].target);
		judge(line, ALL, "", &got);
		assert_int_equal(got.status, rows[i].user ? 101 : 400);
		if (rows[i].user)
			assert_string_equal(got.user, rows[i].user);
	}
}

static void words_the_answer_and_not_past_its_end(void **state)
{
	static const char plain[] =
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		"\r\n";
	struct handshake got;
	char out[512];

	judge("GET /chat HTTP/1.1", ALL, "", &got);
	assert_int_equal(handshake_answer(&got, out, sizeof(out)), strlen(plain));
	assert_memory_equal(out, plain, strlen(plain));
	assert_int_equal(handshake_answer(&got, out, 100), -ENOSPC);
	got.protocol = true;
	assert_true(handshake_answer(&got, out, sizeof(out)) > 0);
	assert_non_null(strstr(out, "\r\nSec-WebSocket-Protocol: parley.v1\r\n\r\n"));
}

static void a_canary_is_known_by_the_key_and_told_the_worker(void **state)
{
	static const struct row rows[] = {
		{ "GET /chat?canary=0123456789abcdef HTTP/1.1", ALL, 101 },
		{ "GET /chat?canary=0123456789abcdee HTTP/1.1", ALL, 403 },
		{ "GET /chat?canary= HTTP/1.1", ALL, 403 },
		{ "GET /chat?canary=0123456789abcdef0123456789abcdef0123456789abcdef"
		  "0123456789abcdef HTTP/1.1",
		  ALL, 403 },
	};
	struct handshake got;
	char out[256];

	CHECK_ROWS(rows);
	judge("GET /chat HTTP/1.1", ALL, "", &got);
	assert_false(got.canary);
	assert_true(handshake_answer(&got, out, sizeof(out)) > 0);
	assert_null(strstr(out, "Parley-Worker"));
	judge(rows[0].line, ALL, "", &got);
	assert_true(got.canary);
	got.worker = 63;
	assert_true(handshake_answer(&got, out, sizeof(out)) > 0);
	assert_non_null(strstr(out, "\r\nParley-Worker: 63\r\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_handshake_of_the_rfc),
		cmocka_unit_test(takes_names_and_tokens_in_any_case_and_list),
		cmocka_unit_test(refuses_what_is_no_handshake),
		cmocka_unit_test(tells_which_method_and_version_are_spoken),
		cmocka_unit_test(demands_one_key_of_16_bytes),
		cmocka_unit_test(speaks_parley_v1_or_no_named_protocol),
		cmocka_unit_test(the_former_session_is_read_and_refuses_nobody),
		cmocka_unit_test(allows_the_same_host_and_port),
		cmocka_unit_test(allows_listed_origins_only),
		cmocka_unit_test(takes_the_user_from_the_query),
		cmocka_unit_test(words_the_answer_and_not_past_its_end),
		cmocka_unit_test(a_canary_is_known_by_the_key_and_told_the_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
