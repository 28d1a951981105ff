/*
 * fuzz_api - no path, query or body of the HTTP API does harm; what is taken obeys the
 * limits.
 *
 * The first byte says what the rest is: a body, or a path with its query.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/api/post.h"
#include "gateway/api/route.h"
#include "gateway/wire/codec.h"
#include "gateway/wire/utf8.h"

enum {
	BODY_MAX = 1000
};

static void check_name(struct text name)
{
	CHECK(name.len >= 1 && name.len <= ROOM_NAME_MAX);
	CHECK(utf8_valid(name.at, name.len));
	for (uint32_t i = 0; i < name.len; i++)
		CHECK((unsigned char)name.at[i] >= 0x20);
}

static void try_path(char *path, unsigned method)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT" };
	struct http_request request = { .method = methods[method & 3], .path = path };
	struct api_refusal refusal = { 0 };
	struct api_call call;
	char *query = strchr(path, '?');

	if (query)
		*query++ = '\0';
	request.query = query ? query : "";
	if (!api_route(&request, &call, &refusal)) {
		CHECK(*refusal.why);
		CHECK(refusal.status == 400 || refusal.status == 404 ||
		      (refusal.status == 405 && *refusal.allow));
		return;
	}
	CHECK(call.op < API_OP_COUNT);
	if (call.op != API_drain)
		check_name(api_call_room(&call));
	if (call.op == API_read)
		CHECK(call.limit >= 1 && call.limit <= WIRE_HISTORY_MAX &&
		      call.after <= INT64_MAX && call.before <= INT64_MAX);
}

static void try_body(const char *data, size_t size)
{
	struct api_post post;
	const char *why = NULL;
	int status = api_post_read(data, size, BODY_MAX, &post, &why);

	if (status) {
		CHECK(why && (status == 400 || status == 413));
		return;
	}
	check_name(post.id);
	if (post.from.len)
		check_name(post.from);
	CHECK(post.body.len && post.body.len <= BODY_MAX && post.body.at >= data &&
	      post.body.at + post.body.len <= data + size);
	api_post_release(&post);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size); /* exactly as long, for the sanitizer */
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] & 1)
		try_path(text, data[0] >> 1);
	else
		try_body(text, size - 1);
	free(text);
	return 0;
}
