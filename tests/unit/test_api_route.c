/* Which calls the HTTP API knows, and what they may carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "gateway/api/post.h"
#include "gateway/api/route.h"

static struct api_call call;
static struct api_refusal refusal;

/* What becomes of it: 0 or the status. The query stands behind a '?'. */
static int route(const char *method, const char *target)
{
	struct http_request request = { .method = method, .query = "" };
	char path[1024];
	char *query;

	assert_true(strlen(target) < sizeof path);
	strcpy(path, target);
	query = strchr(path, '?');
	if (query) {
		*query = '\0';
		request.query = query + 1;
	}
	request.path = path;
	memset(&refusal, 0, sizeof refusal);
	return api_route(&request, &call, &refusal) ? 0 : refusal.status;
}

#define ROOM(room) "/api/rooms/" room

static void each_path_has_its_methods(void **state)
{
	static const struct {
		const char *path, *allow;
		int get, post;
	} rows[] = {
		{ ROOM("a/messages"), "GET, HEAD, POST", API_read, API_post },
		{ ROOM("a/members"), "GET, HEAD", API_members, -1 },
		{ "/api/drain", "POST", -1, API_drain },
	};

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(route("GET", rows[i].path), rows[i].get < 0 ? 405 : 0);
		assert_true(rows[i].get < 0 || (int)call.op == rows[i].get);
		assert_int_equal(route("HEAD", rows[i].path), rows[i].get < 0 ? 405 : 0);
		assert_int_equal(route("POST", rows[i].path), rows[i].post < 0 ? 405 : 0);
		assert_true(rows[i].post < 0 || (int)call.op == rows[i].post);
		assert_int_equal(route("DELETE", rows[i].path), 405);
		assert_string_equal(refusal.allow, rows[i].allow);
	}
}

static void other_paths_are_none(void **state)
{
	static const char *const paths[] = {
		"/api/",
		"/api/rooms",
		"/api/rooms/",
		ROOM("a"),
		ROOM("a/"),
		ROOM("a/message"),
		ROOM("a/b/members"),
		ROOM("a/messages/"),
		ROOM("a/messages/1"),
		"/api/drain/",
		"/api/Drain",
		"/messages",
	};

	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(route("GET", paths[i]), 404);
}

static void a_room_is_decoded(void **state)
{
	static const char *const rows[][2] = {
		{ "lobby", "lobby" }, { "a%20b", "a b" },       { "a+b", "a+b" },
		{ "a%2Fb", "a/b" },   { "%c3%a4", "\xc3\xa4" }, { "%25", "%" },
		{ "a%3Fb", "a?b" },   { "..", ".." },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[128];

		snprintf(path, sizeof path, ROOM("%s/members"), rows[i][0]);
		assert_int_equal(route("GET", path), 0);
		assert_string_equal(call.room, rows[i][1]);
		assert_int_equal(call.room_len, strlen(rows[i][1]));
	}
}

static void a_room_that_is_none_is_refused_by_name(void **state)
{
	static const char *const rooms[] = { "",    "%",    "%4",       "%zz",
					     "%00", "a%0a", "%7f",      "%c2%80",
					     "%ff", "%c3",  "%ed%a0%80" };
	char path[256] = ROOM("");

	for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		snprintf(path, sizeof path, ROOM("%s/messages"), rooms[i]);
		assert_int_equal(route("POST", path), 400);
		assert_memory_equal(refusal.why, "room ", 5);
	}
	snprintf(path, sizeof path, ROOM("%064d/members"), 1);
	assert_int_equal(route("GET", path), 0);
	snprintf(path, sizeof path, ROOM("%065d/members"), 1);
	assert_int_equal(route("GET", path), 400);
	assert_string_equal(refusal.why, "room is longer than 64 bytes");
}

static void a_range_is_read(void **state)
{
	assert_int_equal(route("GET", ROOM("a/messages")), 0);
	assert_true(call.newest && !call.after && !call.before && call.limit == 50);
	assert_int_equal(route("GET", ROOM("a/messages?after=0")), 0);
	assert_true(!call.newest && !call.after);
	assert_int_equal(route("GET", ROOM("a/messages?before=9&limit=200")), 0);
	assert_true(call.newest && call.before == 9 && call.limit == 200);
	assert_int_equal(route("GET", ROOM("a/messages?limit=1&after=3&before=7")), 0);
	assert_true(!call.newest && call.after == 3 && call.before == 7 &&
		    call.limit == 1);
	assert_int_equal(route("GET", ROOM("a/messages?after=9223372036854775807")), 0);
	/* Posts have none. */
	assert_int_equal(route("POST", ROOM("a/messages?limit=x")), 0);
}

static void a_range_that_is_none_is_refused_by_name(void **state)
{
	static const char *const rows[][2] = {
		{ "after=", "after" },
		{ "after=-1", "after" },
		{ "after=x", "after" },
		{ "after=1.5", "after" },
		{ "after=9223372036854775808", "after" },
		{ "after=%00", "after" },
		{ "before=0", "before" },
		{ "before=+1", "before" },
		{ "limit=0", "limit" },
		{ "limit=201", "limit" },
		{ "limit", "limit" },
		{ "limit=11111111111111111111111111111", "limit" },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[128];

		snprintf(path, sizeof path, ROOM("a/messages?%s"), rows[i][0]);
		assert_int_equal(route("GET", path), 400);
		assert_memory_equal(refusal.why, rows[i][1], strlen(rows[i][1]));
	}
}

/* ---- posts ---------------------------------------------------------------------- */

static struct api_post said;
static const char *why;

static int read_post(const char *json)
{
	why = "";
	return api_post_read(json, strlen(json), 20, &said, &why);
}

static void assert_text(struct text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.at, expected, text.len);
}

static void a_post_is_read(void **state)
{
	assert_int_equal(read_post("{\"id\":\"x\",\"body\":{ \"n\": 1e40 }}"), 0);
	assert_text(said.id, "x");
	assert_text(said.from, "");
	assert_text(said.body, "{ \"n\": 1e40 }");
	api_post_release(&said);
	assert_int_equal(
		read_post(
			"{\"from\":\"b\",\"body\":null,\"more\":[],\"id\":\"\\u00e4\"}"),
		0);
	assert_text(said.id, "\xc3\xa4");
	assert_text(said.from, "b");
	assert_text(said.body, "null");
	api_post_release(&said);
}

static void a_post_that_is_none_is_refused_by_name(void **state)
{
	static const struct {
		const char *json, *why;
		int status;
	} rows[] = {
		{ "", "the message is not JSON", 400 },
		{ "{\"id\":\"x\"", "the message is not JSON", 400 },
		{ "[]", "the message must be a JSON object", 400 },
		{ "{\"body\":1}", "id is missing", 400 },
		{ "{\"id\":1,\"body\":1}", "id must be a string", 400 },
		{ "{\"id\":\"\",\"body\":1}", "id is empty", 400 },
		{ "{\"id\":\"\\u0000\",\"body\":1}", "id has control characters", 400 },
		{ "{\"id\":\"x\",\"id\":\"y\",\"body\":1}", "the message is not JSON",
		  400 },
		{ "{\"id\":\"x\"}", "body is missing", 400 },
		{ "{\"id\":\"x\",\"body\":1,\"from\":null}", "from must be a string",
		  400 },
		{ "{\"id\":\"x\",\"body\":1,\"from\":\"\"}", "from is empty", 400 },
		{ "{\"id\":\"x\",\"body\":\"\xff\"}", "the message is not JSON", 400 },
		{ "{\"id\":\"x\",\"body\":\"1234567890123456789\"}",
		  "body is longer than a message may be", 413 },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		  "the message is nested deeper than 32", 400 },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(read_post(rows[i].json), rows[i].status);
		assert_string_equal(why, rows[i].why);
	}
	assert_int_equal(read_post("{\"id\":\"x\",\"body\":\"123456789012345678\"}"), 0);
	api_post_release(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_has_its_methods),
		cmocka_unit_test(other_paths_are_none),
		cmocka_unit_test(a_room_is_decoded),
		cmocka_unit_test(a_room_that_is_none_is_refused_by_name),
		cmocka_unit_test(a_range_is_read),
		cmocka_unit_test(a_range_that_is_none_is_refused_by_name),
		cmocka_unit_test(a_post_is_read),
		cmocka_unit_test(a_post_that_is_none_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
