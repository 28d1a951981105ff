/* What goes with requests: queries decoded, answers written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/http.h"

static void a_parameter_of_a_query_is_decoded(void **state)
{
	static const struct {
		const char *query, *value;
		int rc;
	} rows[] = {
		{ "u=a", "a", 1 },
		{ "x=1&u=a%20b+c&u=2", "a b c", 5 },
		{ "u", "", 0 },
		{ "u=", "", 0 },
		{ "u&x", "", 0 },
		{ "&&u=a=b", "a=b", 3 },
		{ "u=%c3%A4", "\xc3\xa4", 2 },
		{ "u=0123456", "0123456", 7 },
		{ "u=01234567", NULL, -ENAMETOOLONG },
		{ "", NULL, -ENOENT },
		{ "uu=a&xu=b&U=c", NULL, -ENOENT },
		{ "u=%", NULL, -EINVAL },
		{ "u=%4", NULL, -EINVAL },
		{ "u=%4&1", NULL, -EINVAL },
		{ "u=%zz", NULL, -EINVAL },
		{ "u=a%00", NULL, -EINVAL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[8];

		assert_int_equal(http_query(rows[i].query, "u", out, sizeof out),
				 rows[i].rc);
		if (rows[i].value)
			assert_string_equal(out, rows[i].value);
	}
}

static void an_answer_has_the_fields_it_was_given(void **state)
{
	const struct http_answer answer = {
		.status = 503,
		.type = "application/json",
		.allow = "GET, HEAD",
		.extra = "X-A: b\r\nX-C: d\r\n",
		.retry_after_s = 5,
		.close = true,
		.no_store = true,
		.body_len = 1234,
	};
	char out[1024];
	int len = http_answer_head(&answer, out, sizeof out - 1);
	char *date;

	assert_true(len > 0);
	out[len] = '\0';
	date = strstr(out, "Date: ");
	assert_non_null(date);
	assert_int_equal(strcspn(date, "\r"),
			 strlen("Date: Sun, 06 Nov 1994 08:49:37 GMT"));
	assert_memory_equal(out, "HTTP/1.1 503 Service Unavailable\r\n", 34);
	assert_string_equal(strchr(date, '\n') + 1,
			    "Content-Type: application/json\r\n"
			    "Content-Length: 1234\r\nAllow: GET, HEAD\r\n"
			    "Retry-After: 5\r\nCache-Control: no-store\r\n"
			    "Connection: close\r\nX-A: b\r\nX-C: d\r\n\r\n");
	assert_int_equal(http_answer_head(&answer, out, (size_t)len), len);
	for (int size = 0; size < len; size++)
		assert_int_equal(http_answer_head(&answer, out, (size_t)size), -ENOSPC);
}

static void an_answer_without_a_body_says_so(void **state)
{
	struct http_answer answer = { .status = 200, .keep_alive = true };
	char out[256];
	int len = http_answer_head(&answer, out, sizeof out - 1);

	out[len] = '\0';
	assert_non_null(strstr(out, "GMT\r\nContent-Length: 0\r\n"
				    "Connection: keep-alive\r\n\r\n"));
	answer.status = 101;
	len = http_answer_head(&answer, out, sizeof out - 1);
	out[len] = '\0';
	assert_null(strstr(out, "Content-Length"));
	assert_non_null(strstr(out, "HTTP/1.1 101 Switching Protocols\r\n"));
	assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parameter_of_a_query_is_decoded),
		cmocka_unit_test(an_answer_has_the_fields_it_was_given),
		cmocka_unit_test(an_answer_without_a_body_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
