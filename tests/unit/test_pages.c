/* What browsers get from the gateway: the pages that are built in, and how. */
#include "gateway/web/pages.h"
#include "tests/unit/transport_bench.h"

#define KNOWN "\"the-tag\""

static const struct page *on_page(void *app, const char *path)
{
	static const struct page page = {
		.path = "/page",
		.type = "text/plain",
		.etag = KNOWN,
		.body = (const uint8_t *)"{hello}\n",
		.len = 8,
	};

	(void)app;
	return strcmp(path, page.path) == 0 ? &page : NULL;
}

static int set_up_pages(void **state)
{
	return set_up_with(state, 60000, 60000, false, on_page);
}

#define ASK(method, path, more)                                        \
	say(b, method " " path " HTTP/1.1\r\nHost: h\r\n" more "\r\n", \
	    strlen(method " " path " HTTP/1.1\r\nHost: h\r\n" more "\r\n"))

/* The head of an answer, terminated; what follows stays to be read. */
static const char *hear_head(struct bench *b)
{
	static char got[2048];
	size_t len = 0;

	memset(got, 0, sizeof got);
	while (!strstr(got, "\r\n\r\n")) {
		assert_int_equal(hear(b, (uint8_t *)got + len, 1), 1);
		len++;
	}
	return got;
}

static void assert_has(const char *head, const char *line)
{
	if (!strstr(head, line))
		fail_msg("no %s in %s", line, head);
}

static void a_page_is_answered_with_its_type_and_tag(void **state)
{
	struct bench *b = *state;
	const char *head;

	ASK("GET", "/page?x=y", "");
	head = hear_head(b);
	assert_has(head, "HTTP/1.1 200 OK\r\n");
	assert_has(head, "\r\nContent-Type: text/plain\r\n");
	assert_has(head, "\r\nContent-Length: 8\r\n");
	assert_has(head, "\r\nETag: " KNOWN "\r\n");
	assert_has(head, "\r\nCache-Control: no-cache\r\n");
	hear_text(b, "{hello}\n");
	upgrade(b); /* the connection lives on */
}

static void nothing_else_may_be_loaded_by_a_page(void **state)
{
	struct bench *b = *state;
	const char *head;

	ASK("GET", "/page", "");
	head = hear_head(b);
	assert_has(head, "\r\nContent-Security-Policy: default-src 'none'; ");
	assert_null(strstr(head, "unsafe"));
	assert_has(head, "frame-ancestors 'none'");
	assert_has(head, "\r\nX-Content-Type-Options: nosniff\r\n");
	assert_has(head, "\r\nReferrer-Policy: no-referrer\r\n");
}

static void who_has_the_page_already_is_told_304(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/page", "If-None-Match: \"old\", W/" KNOWN "\r\n");
	assert_has(hear_head(b), "HTTP/1.1 304 ");
	ASK("GET", "/page", "If-None-Match: " KNOWN "\r\n");
	assert_has(hear_head(b), "HTTP/1.1 304 ");
	ASK("GET", "/page", "If-None-Match: *\r\n");
	assert_has(hear_head(b), "HTTP/1.1 304 ");
	ASK("GET", "/page", "If-None-Match: \"old\"\r\n");
	assert_has(hear_head(b), "HTTP/1.1 200 ");
}

static void head_is_answered_without_the_body(void **state)
{
	struct bench *b = *state;

	ASK("HEAD", "/page", "");
	assert_has(hear_head(b), "\r\nContent-Length: 8\r\n");
	ASK("GET", "/page", "");
	assert_has(hear_head(b), "HTTP/1.1 200 ");
}

static void other_methods_are_told_what_is_allowed(void **state)
{
	struct bench *b = *state;
	const char *head;

	ASK("POST", "/page", "Content-Length: 0\r\n");
	head = hear_head(b);
	assert_has(head, "HTTP/1.1 405 ");
	assert_has(head, "\r\nAllow: GET, HEAD\r\n");
}

static void who_wants_no_more_is_let_go_behind_the_page(void **state)
{
	struct bench *b = *state;

	ASK("GET", "/page", "Connection: close\r\n");
	assert_has(hear_head(b), "\r\nConnection: close\r\n");
	hear_text(b, "{hello}\n");
	ended(b);
}

static void the_chat_page_and_its_parts_are_built_in(void **state)
{
	static const char *const paths[] = { "/", "/style.css", "/page.js",
					     "/parley.js" };

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct page *page = web_page(paths[i], "open");

		assert_non_null(page);
		assert_true(page->len > 1000);
		assert_int_equal(page->etag[0], '"');
	}
	assert_string_equal(web_page("/", "open")->type, "text/html; charset=utf-8");
	assert_memory_equal(web_page("/", "open")->body, "<!doctype html>", 15);
	assert_null(web_page("/index.html", "open"));
	assert_null(web_page("", "open"));
}

static void the_page_is_told_whether_names_are_believed(void **state)
{
	const struct page *open = web_page("/about.json", "open");
	const struct page *jwt = web_page("/about.json", "jwt");

	(void)state;
	assert_int_equal(open->len, strlen("{\"auth\":\"open\"}\n"));
	assert_memory_equal(open->body, "{\"auth\":\"open\"}\n", open->len);
	assert_memory_equal(jwt->body, "{\"auth\":\"jwt\"}\n", jwt->len);
	assert_string_not_equal(open->etag, jwt->etag);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_pages, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_answered_with_its_type_and_tag),
		TEST(nothing_else_may_be_loaded_by_a_page),
		TEST(who_has_the_page_already_is_told_304),
		TEST(head_is_answered_without_the_body),
		TEST(other_methods_are_told_what_is_allowed),
		TEST(who_wants_no_more_is_let_go_behind_the_page),
		cmocka_unit_test(the_chat_page_and_its_parts_are_built_in),
		cmocka_unit_test(the_page_is_told_whether_names_are_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
