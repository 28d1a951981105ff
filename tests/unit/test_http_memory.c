/* What a parser of requests costs while it waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <string.h>

#include "common/http.h"

static const struct http_limits LIMITS = { .head_max = 4096, .body_max = 1024 };

static void one_request(struct http_parser *parser, const char *text)
{
	const struct http_request *request;
	size_t used;

	assert_int_equal(http_feed(parser, text, strlen(text), &used, &request),
			 HTTP_REQUEST);
}

/* Memory in use once a thousand parsers have come and gone. (ASan's allocator counts
 * nothing here; the release build does.) */
static size_t after_a_thousand(void)
{
	enum {
		N = 1000
	};
	static struct http_parser *parsers[N];
	size_t before = mallinfo2().uordblks;

	for (size_t i = 0; i < N; i++) {
		parsers[i] = http_parser_new(&LIMITS);
		one_request(parsers[i], "POST / HTTP/1.1\r\nHost: a\r\n"
					"Content-Length: 3\r\n\r\nabc");
		http_release(parsers[i]);
	}
	assert_true(mallinfo2().uordblks - before <= N * 384);
	for (size_t i = 0; i < N; i++)
		http_parser_free(parsers[i]);
	return mallinfo2().uordblks;
}

static void an_idle_parser_is_small(void **state)
{
	/* malloc calls what lies in its thread's cache used; that is full from here on.
	 */
	size_t before = after_a_thousand();

	assert_true(after_a_thousand() <= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_parser_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
