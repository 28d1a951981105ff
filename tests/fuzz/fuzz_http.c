/* Any bytes, cut into pieces of any length, come to the same requests as uncut. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/http.h"

static const struct http_limits LIMITS = { .head_max = 256, .body_max = 64 };

/* What came out, as one number, so that two runs can be compared. */
static uint64_t mix(uint64_t hash, const char *bytes, size_t len)
{
	hash = (hash ^ len) * 1099511628211u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
	return hash;
}

static uint64_t mix_request(uint64_t hash, const struct http_request *request)
{
	char value[32];

	CHECK(request->n_headers <= HTTP_HEADERS_MAX);
	CHECK(request->body_len <= LIMITS.body_max);
	CHECK(request->body[request->body_len] == '\0');
	hash = mix(hash, request->method, strlen(request->method));
	hash = mix(hash, request->path, strlen(request->path));
	hash = mix(hash, request->query, strlen(request->query));
	hash = mix(hash, request->body, request->body_len);
	for (unsigned i = 0; i < request->n_headers; i++) {
		const struct http_header *header = &request->headers[i];

		hash = mix(hash, header->name, strlen(header->name));
		hash = mix(hash, header->value, strlen(header->value));
		(void)http_header_has(request, header->name, "a"); /* must not crash */
	}
	(void)http_query(request->query, "a", value, sizeof value); /* neither */
	return hash + request->keep_alive * 2 + request->upgrade;
}

static uint64_t run(const char *data, size_t len, size_t step)
{
	struct http_parser *parser = http_parser_new(&LIMITS);
	enum http_result result = HTTP_MORE;
	uint64_t hash = 0;

	for (size_t at = 0; at < len && result != HTTP_BAD;) {
		const struct http_request *request = NULL;
		size_t n = len - at < step ? len - at : step;
		size_t used;

		result = http_feed(parser, data + at, n, &used, &request);
		CHECK(used <= n && (result != HTTP_MORE || used == n));
		at += used;
		if (result == HTTP_REQUEST)
			hash = mix_request(hash, request);
		else if (result == HTTP_CONTINUE)
			hash++;
		else if (result == HTTP_BAD)
			hash += (uint64_t)http_status(parser);
	}
	if (result != HTTP_BAD)
		hash += http_in_request(parser);
	http_parser_free(parser);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *bytes = (const char *)data;

	if (len < 2)
		return 0;
	CHECK(run(bytes + 1, len - 1, len) == run(bytes + 1, len - 1, 1 + *data % 32));
	return 0;
}
