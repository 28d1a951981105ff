/* Whatever is written as text is text, and what does not fit is not cut in two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "healthd/accept.h"
#include "healthd/html.h"
#include "healthd/sse.h"

static char bytes[256];
static struct html html;

static void begin(size_t size)
{
	memset(bytes, '#', sizeof bytes);
	html = (struct html){ .out = bytes, .size = size };
}

static void html_is(const char *expected)
{
	assert_int_equal(html.len, strlen(expected));
	assert_memory_equal(bytes, expected, html.len);
}

static void text_is(const char *text, const char *expected)
{
	begin(sizeof bytes);
	html_text(&html, text);
	html_is(expected);
}

static void what_means_something_in_html_is_escaped(void **state)
{
	text_is("<script>alert(\"1\" & '2')</script>",
		"&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
	text_is("plain, grün, 名前, 🙂", "plain, grün, 名前, 🙂");
	begin(sizeof bytes);
	html_format(&html, "%s=%d", "<b>", 7);
	html_is("&lt;b&gt;=7");
}

static void what_is_no_utf8_is_replaced(void **state)
{
	text_is("a\xff"
		"b\xc0\xaf"
		"c",
		"a\xef\xbf\xbd"
		"b\xef\xbf\xbd\xef\xbf\xbd"
		"c");
	text_is("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
	text_is("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	text_is("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	text_is("\xe0\x80\xaf<", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;");
}

static void what_is_not_seen_or_turns_text_around_is_replaced(void **state)
{
	text_is("a\x01\x1b[1mb\n", "a\xef\xbf\xbd\xef\xbf\xbd[1mb\xef\xbf\xbd");
	/* U+202E, which turns what follows around */
	text_is((const char[]){ (char)0xe2, (char)0x80, (char)0xae, 'e', '\0' },
		"\xef\xbf\xbd"
		"e");
	text_is("\xc2\x9b", "\xef\xbf\xbd");
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
	begin(13);
	html_raw(&html, "<p>");
	html_text(&html, "&&");
	assert_false(html.len != 13);
	assert_false(html.is_full);
	html_text(&html, "<");
	assert_true(html.is_full);
	html_raw(&html, "x"); /* would fit, and comes too late */
	assert_true(html.len == 13);
	assert_int_equal(bytes[13], '#');
}

static void event_is(const char *data, size_t len, const char *expected)
{
	int n = sse_event(bytes, sizeof bytes, "live", data, len);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(bytes, expected, strlen(expected));
}

static void an_event_is_framed_line_by_line(void **state)
{
	event_is("one", 3, "event: live\ndata: one\n\n");
	event_is("one\ntwo\n", 8, "event: live\ndata: one\ndata: two\ndata: \n\n");
	event_is("", 0, "event: live\ndata: \n\n");
}

static void data_cannot_break_out_of_its_event(void **state)
{
	event_is("a\r\rdata: b\r\n\nid: 7", 18,
		 "event: live\ndata: adata: b\ndata: \ndata: id: 7\n\n");
	event_is("a\0b", 3, "event: live\ndata: ab\n\n");
}

static void an_event_that_does_not_fit_is_refused(void **state)
{
	const size_t len = strlen("event: live\ndata: one\n\n");

	for (size_t size = 0; size < len; size++) {
		memset(bytes, '#', sizeof bytes);
		assert_int_equal(sse_event(bytes, size, "live", "one", 3), -ENOSPC);
		assert_int_equal(bytes[size], '#');
	}
	assert_int_equal(sse_event(bytes, len, "live", "one", 3), len);
	assert_int_equal(sse_begin(bytes, 5, 1000), -ENOSPC);
	assert_int_equal(sse_begin(bytes, sizeof bytes, 1000), 13);
	assert_int_equal(sse_comment(bytes, 2), -ENOSPC);
	assert_int_equal(sse_comment(bytes, 3), 3);
}

static double quality_of(const char *accept)
{
	struct http_request request = { .n_headers = 1,
					.headers = { { "Accept", accept } } };

	return accept_quality(&request, "text/html", NULL);
}

static void accept_says_how_much_a_type_is_wanted(void **state)
{
	static const struct http_request nothing;

	assert_true(quality_of("text/html") == 1);
	assert_true(quality_of("application/xml;q=0.9, text/HTML ; level=1; q=0.5") ==
		    0.5);
	assert_true(quality_of("text/html;q=0") == 0);
	assert_true(quality_of("text/html;q=0.2,text/html;q=0.4") == 0.4);
	assert_true(quality_of("text/htmlx, */*, text/*") == -1);
	assert_true(quality_of("") == -1);
	assert_true(quality_of("text/html;q=") == 1);
	assert_true(quality_of(",,;q=1,") == -1);
	assert_true(accept_quality(&nothing, "text/html", NULL) == -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_something_in_html_is_escaped),
		cmocka_unit_test(what_is_no_utf8_is_replaced),
		cmocka_unit_test(what_is_not_seen_or_turns_text_around_is_replaced),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(an_event_is_framed_line_by_line),
		cmocka_unit_test(data_cannot_break_out_of_its_event),
		cmocka_unit_test(an_event_that_does_not_fit_is_refused),
		cmocka_unit_test(accept_says_how_much_a_type_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
