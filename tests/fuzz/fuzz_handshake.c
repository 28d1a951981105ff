/* fuzz_handshake - any request gets a verdict that can be sent. */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/handshake.h"
#include "gateway/wire/utf8.h"

static void judge(const struct http_request *request, bool tokens)
{
	const struct handshake_rules rules = { .path = "/chat",
					       .origins = "https://a.example, null",
					       .tokens = tokens,
					       .deflate = !tokens,
					       .canary = "k" };
	struct handshake got;
	char out[512];
	int len;

	handshake_judge(request, &rules, &got);
	if (got.status != 101) {
		CHECK(got.why && got.status >= 400 && got.status <= 426);
		return;
	}
	CHECK(!strcmp(request->method, "GET") && !strcmp(request->path, "/chat"));
	CHECK(strlen(got.accept) == sizeof(got.accept) - 1);
	if (tokens)
		CHECK(!*got.user && !memchr(got.token.at, '\0', got.token.len));
	else
		CHECK(*got.user && utf8_valid(got.user, strlen(got.user)));
	len = handshake_answer(&got, out, sizeof(out));
	CHECK(len > 4 && !memcmp(out + len - 4, "\r\n\r\n", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_limits limits = { .head_max = 4096, .body_max = 100 };
	struct http_parser *parser = http_parser_new(&limits);
	const struct http_request *request;
	size_t used;

	CHECK(parser);
	if (http_feed(parser, (const char *)data, size, &used, &request) ==
	    HTTP_REQUEST) {
		judge(request, false);
		judge(request, true);
	}
	http_parser_free(parser);
	return 0;
}
