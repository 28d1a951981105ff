/* What the HTTP API promises to backends, on a chat and a store of the test's own. */
#include "tests/unit/fake_links.h"

#include "common/http.h"
#include "gateway/api/api.h"

#define KEY "0123456789abcdef0123456789abcdef"

static struct api *api;
static struct link asker; /* whose requests they are */
static void *waiting;     /* what api_request returned */
static unsigned n_answers, n_drains;
static int drain_answer;
static struct answered {
	int status;
	unsigned retry_after_s;
	char allow[32], extra[64];
	char body[16384];
} got;

/* ---- what the API asks for ------------------------------------------------------ */

static void on_answer(struct link *link, const struct http_answer *answer,
		      const char *body)
{
	assert_ptr_equal(link, &asker);
	assert_string_equal(answer->type, "application/json");
	assert_true(answer->no_store);
	assert_true(answer->body_len < sizeof got.body);
	got = (struct answered){ .status = answer->status,
				 .retry_after_s = answer->retry_after_s };
	snprintf(got.allow, sizeof got.allow, "%s", answer->allow ? answer->allow : "");
	snprintf(got.extra, sizeof got.extra, "%s", answer->extra ? answer->extra : "");
	memcpy(got.body, body, answer->body_len);
	got.body[answer->body_len] = '\0';
	n_answers++;
}

static const char *on_key_name(void *app, struct text key)
{
	assert_ptr_equal(app, links);
	return key.len == strlen(KEY) && memcmp(key.at, KEY, key.len) == 0 ? "billing"
									   : NULL;
}

static int on_drain(void *app)
{
	assert_ptr_equal(app, links);
	n_drains++;
	return drain_answer;
}

/* ---- life ----------------------------------------------------------------------- */

static int setup(void **state)
{
	const struct api_io io = {
		.app = links,
		.key_name = on_key_name,
		.answer = on_answer,
		.read = on_read,
		.drain = on_drain,
	};

	links_setup(state);
	n_answers = n_drains = 0;
	drain_answer = 0;
	memset(&got, 0, sizeof got);
	chat_start(1);
	assert_int_equal(api_new(&io, chat, &slot, 100, &api), 0);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(counter_get(&slot, COUNTER_api_waiting), 0);
	api_free(api);
	return links_teardown(state);
}

/* Headers end in CRLF each. */
static void ask_with(const char *method, const char *target, const char *headers,
		     const char *body)
{
	static const struct http_limits http_limits = { 8192, 65536 };
	struct http_parser *parser = http_parser_new(&http_limits);
	const struct http_request *request;
	char text[4096];
	size_t used;
	int len = snprintf(text, sizeof text,
			   "%s %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s",
			   method, target, headers, strlen(body), body);

	assert_non_null(parser);
	assert_int_equal(http_feed(parser, text, (size_t)len, &used, &request),
			 HTTP_REQUEST);
	n_answers = 0;
	waiting = api_request(api, &asker, request);
	assert_int_equal(n_answers, !waiting);
	http_parser_free(parser);
}

static void ask_api(const char *method, const char *target, const char *body)
{
	ask_with(method, target, "Authorization: Bearer " KEY "\r\n", body);
}

static void assert_answer(int status, const char *body)
{
	assert_int_equal(n_answers, 1);
	assert_int_equal(got.status, status);
	assert_string_equal(got.body, body);
}

static void assert_error(int status, const char *why)
{
	char body[256];

	snprintf(body, sizeof body, "{\"status\":%d,\"error\":\"%s\"}\n", status, why);
	assert_answer(status, body);
}

#define POST "{\"id\":\"x\",\"body\":{\"n\":1}}"
#define ROOM "/api/rooms/a"

/* ---- keys ----------------------------------------------------------------------- */

static void without_a_good_key_nothing_is_told(void **state)
{
	static const char *const headers[] = {
		"",
		"Authorization: Bearer\r\n",
		"Authorization: Bearer x" KEY "\r\n",
		"Authorization: Basic " KEY "\r\n",
		"Authorization: " KEY "\r\n",
		"Authorization: Bearer " KEY "\r\nAuthorization: Bearer " KEY "\r\n",
		"Sec-WebSocket-Protocol: bearer." KEY "\r\n",
	};
	static const char *const targets[] = { "/api/nothing",
					       ROOM "/messages?access_token=" KEY,
					       "/api/drain" };

	for (unsigned i = 0; i < sizeof headers / sizeof *headers; i++)
		for (unsigned k = 0; k < 3; k++) {
			ask_with("PUT", targets[k], headers[i], "");
			assert_error(401, "a valid key is needed");
			assert_string_equal(got.extra, "WWW-Authenticate: Bearer\r\n");
		}
	assert_int_equal(n_drains, 0);
	ask_with("GET", "/api/nothing", "Authorization: bearer   " KEY "\r\n", "");
	assert_error(404, "the API has no such path");
	ask_api("DELETE", ROOM "/messages", "");
	assert_error(405, "not a method of this path");
	assert_string_equal(got.allow, "GET, HEAD, POST");
}

/* ---- posts ---------------------------------------------------------------------- */

static void a_post_is_answered_when_it_is_committed_and_members_get_it(void **state)
{
	join(&links[0], "a");
	links[0].got_len = 0;
	ask_api("POST", ROOM "/messages", POST);
	assert_non_null(waiting);
	assert_int_equal(counter_get(&slot, COUNTER_api_waiting), 1);
	said("a", 1, "{\"n\":1}", true, submits[0].ticket);
	flush();
	assert_answer(201, "{\"room\":\"a\",\"seq\":1,\"id\":\"x\",\"at\":1000}\n");
	assert_got(&links[0], "{\"op\":\"message\",\"room\":\"a\",\"seq\":1,\"id\":\"i\","
			      "\"from\":\"ann\",\"at\":1000,\"body\":{\"n\":1}}\n");
}

static void a_repeat_is_answered_200_with_the_first_one_s(void **state)
{
	struct message message = stored_message("a", 7);

	ask_api("POST", ROOM "/messages", POST);
	chat_sequenced(chat, &message, true, true, submits[0].ticket);
	assert_answer(200, "{\"room\":\"a\",\"seq\":7,\"id\":\"x\",\"at\":1000}\n");
}

static void who_says_it_is_the_key_s_name_or_what_is_said(void **state)
{
	ask_api("POST", ROOM "/messages", POST);
	assert_string_equal(submits[0].from, "billing");
	said("a", 1, "1", true, submits[0].ticket);
	ask_api("POST", ROOM "/messages", "{\"id\":\"y\",\"from\":\"ann\",\"body\":1}");
	assert_string_equal(submits[1].from, "ann");
	said("a", 2, "1", true, submits[1].ticket);
}

static void a_bad_post_is_answered_at_once(void **state)
{
	ask_api("POST", ROOM "/messages", "{\"body\":1}");
	assert_error(400, "id is missing");
	ask_api("POST", "/api/rooms/%0a/messages", POST);
	assert_error(400, "room has control characters");
	ask_api("POST", ROOM "/messages",
		"{\"id\":\"x\",\"body\":\"0123456789012345678901234567890123456789012345"
		"678901234567890123456789012345678901234567890123456789\"}");
	assert_error(413, "body is longer than a message may be");
	assert_int_equal(n_submits, 0);
}

static void a_post_that_is_refused_says_when_to_come_again(void **state)
{
	static const char *const why[REFUSAL_COUNT] = {
		[REFUSED_unavailable] = "the store is away; ask again later",
		[REFUSED_busy] = "too much waits; ask again later",
		[REFUSED_too_long] = "body is longer than a message may be",
	};

	for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
		ask_api("POST", ROOM "/messages", POST);
		chat_refused(chat, submits[i].ticket, (enum refusal)i);
		assert_error(i == REFUSED_too_long ? 413 : 503, why[i]);
		assert_true(i == REFUSED_too_long || got.retry_after_s >= 1);
	}
	submit_answer = -EAGAIN;
	ask_api("POST", ROOM "/messages", POST);
	assert_error(503, "too much waits; ask again later");
}

static void who_is_gone_is_not_answered_but_what_it_posted_is_sent(void **state)
{
	ask_api("POST", ROOM "/messages", POST);
	api_request_gone(waiting);
	said("a", 1, "1", true, submits[0].ticket);
	assert_int_equal(n_answers, 0);
	assert_int_equal(counter_get(&slot, COUNTER_sends_acknowledged), 1);
}

/* ---- history -------------------------------------------------------------------- */

#define STORED(seq) \
	"{\"seq\":" seq ",\"id\":\"i\",\"from\":\"ann\",\"at\":1000,\"body\":1}"

static void messages_are_read_from_the_store(void **state)
{
	store_holds("a", 2, 5);
	ask_api("GET", ROOM "/messages?after=2&limit=2", "");
	answer(0, 0);
	assert_answer(200, "{\"room\":\"a\",\"head\":5,\"first\":2,\"messages\":[" STORED(
				   "3") "," STORED("4") "],\"more\":true}\n");
	ask_api("GET", ROOM "/messages?limit=1", "");
	answer(0, 0);
	assert_answer(200, "{\"room\":\"a\",\"head\":5,\"first\":2,\"messages\":[" STORED(
				   "5") "],\"more\":true}\n");
	ask_api("HEAD", "/api/rooms/b/messages", "");
	answer(0, 0);
	assert_answer(200, "{\"room\":\"b\",\"head\":0,\"first\":1,\"messages\":[],"
			   "\"more\":false}\n");
}

static void a_store_that_is_away_is_told(void **state)
{
	read_refusal = -ENOTCONN;
	ask_api("GET", ROOM "/messages", "");
	assert_error(503, "the store is away; ask again later");
	read_refusal = 0;
	ask_api("GET", ROOM "/messages", "");
	answer(0, -ETIMEDOUT);
	assert_error(503, "the store is away; ask again later");
	assert_true(got.retry_after_s >= 1);
}

static void reads_are_bounded_and_forgotten(void **state)
{
	void *reads[32];

	for (unsigned i = 0; i < 32; i++) {
		ask_api("GET", ROOM "/messages", "");
		reads[i] = waiting;
	}
	ask_api("GET", ROOM "/messages", "");
	assert_error(503, "too much waits; ask again later");
	n_answers = 0;
	for (unsigned i = 0; i < 32; i++)
		api_request_gone(reads[i]);
	while (n_asked)
		answer(0, n_asked % 2 ? 0 : -ENOTCONN);
	assert_int_equal(n_answers, 0);
	ask_api("GET", ROOM "/messages", "");
	assert_non_null(waiting);
	answer(0, 0);
}

/* ---- members -------------------------------------------------------------------- */

static void members_are_those_of_all_workers(void **state)
{
	join(&links[0], "a");
	ask_api("GET", ROOM "/members", "");
	flush();
	assert_answer(200, "{\"room\":\"a\",\"members\":[\"u0\"],\"total\":1,"
			   "\"complete\":true}\n");
	n_peers = 1;
	ask_api("GET", ROOM "/members", "");
	flush();
	assert_int_equal(n_answers, 0);
	now_ms += 500;
	flush();
	assert_answer(200, "{\"room\":\"a\",\"members\":[\"u0\"],\"total\":1,"
			   "\"complete\":false}\n");
	ask_api("GET", ROOM "/members", "");
	api_request_gone(waiting);
	cast_answer = -EAGAIN;
	ask_api("GET", ROOM "/members", "");
	assert_error(503, "too much waits; ask again later");
	cast_answer = 0;
}

/* ---- drain ---------------------------------------------------------------------- */

static void a_drain_is_asked_for(void **state)
{
	ask_api("POST", "/api/drain", "");
	assert_answer(202, "{\"status\":202,\"draining\":true}\n");
	assert_int_equal(n_drains, 1);
	ask_api("GET", "/api/drain", "");
	assert_int_equal(got.status, 405);
	assert_int_equal(n_drains, 1);
	drain_answer = -ESRCH;
	ask_api("POST", "/api/drain", "");
	assert_error(503, "there is nobody to tell");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_a_good_key_nothing_is_told),
		TEST(a_post_is_answered_when_it_is_committed_and_members_get_it),
		TEST(a_repeat_is_answered_200_with_the_first_one_s),
		TEST(who_says_it_is_the_key_s_name_or_what_is_said),
		TEST(a_bad_post_is_answered_at_once),
		TEST(a_post_that_is_refused_says_when_to_come_again),
		TEST(who_is_gone_is_not_answered_but_what_it_posted_is_sent),
		TEST(messages_are_read_from_the_store),
		TEST(a_store_that_is_away_is_told),
		TEST(reads_are_bounded_and_forgotten),
		TEST(members_are_those_of_all_workers),
		TEST(a_drain_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
