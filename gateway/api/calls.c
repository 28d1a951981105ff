#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "gateway/api/answers.h"
#include "gateway/api/inside.h"
#include "gateway/api/post.h"

enum {
	READS_MAX = 32,      /* of the store, at a time */
	BODIES_MAX = 262144, /* bytes of one page, as a rule */
};

/* ---- posting -------------------------------------------------------------------- */

static void on_posted(void *app, int status, const struct message *message, bool repeat)
{
	struct api_request *request = app;
	struct api *api = request->api;
	struct link *link = request->link;
	char body[ANSWER_SIZE];
	int len = 0;

	CHECK_OBJ(request, REQUEST_MAGIC);
	if (status == 0)
		len = answer_sent(body, sizeof body, api_call_room(&request->call),
				  (struct text){ request->id, request->id_len },
				  message->seq, message->at_ms);
	request_free(request);
	if (status == 0)
		reply(api, link, (struct http_answer){ .status = repeat ? 200 : 201 },
		      body, len);
	else
		reply_errno(api, link, status);
}

static struct api_request *post(struct api *api, struct link *link,
				const struct api_call *call, const struct api_post *said,
				const char *key)
{
	struct api_request *request = request_new(api, link, call);
	struct message message = {
		.room = api_call_room(call),
		.id = said->id,
		.from = said->from,
		.body = said->body,
	};
	int r = -ENOMEM;

	if (!message.from.len)
		message.from = (struct text){ key, (uint32_t)strlen(key) };
	if (request) {
		memcpy(request->id, said->id.at, said->id.len);
		request->id_len = said->id.len;
		r = chat_post(api->chat, &message, on_posted, request, &request->ticket);
		if (r == 0)
			return request;
		request_free(request);
	}
	reply_errno(api, link, r);
	return NULL;
}

static struct api_request *do_post(struct api *api, struct link *link,
				   const struct http_request *http,
				   const struct api_call *call, const char *key)
{
	struct api_request *request;
	struct api_refusal refusal = { 0 };
	struct api_post said;

	refusal.status = api_post_read(http->body, http->body_len, api->body_max, &said,
				       &refusal.why);
	if (refusal.status) {
		reply_refusal(api, link, &refusal);
		return NULL;
	}
	request = post(api, link, call, &said, key);
	api_post_release(&said);
	return request;
}

/* ---- reading -------------------------------------------------------------------- */

static void answer_page(struct api *api, struct link *link, struct text room,
			const struct store_page *page)
{
	size_t size = answer_history_size(page);
	char *body = malloc(size);

	if (!body) {
		reply_errno(api, link, -ENOMEM);
		return;
	}
	reply(api, link, (struct http_answer){ .status = 200 }, body,
	      answer_history(body, size, room, page));
	free(body);
}

static void on_read(void *app, int status, const struct store_page *page)
{
	struct api_request *request = app;
	struct api *api = request->api;

	CHECK_OBJ(request, REQUEST_MAGIC);
	api->n_reads--;
	if (status < 0)
		counter_add(api->slot, COUNTER_read_errors, 1);
	if (request->link && status < 0)
		reply_errno(api, request->link, -ENOTCONN);
	else if (request->link)
		answer_page(api, request->link, api_call_room(&request->call), page);
	request_free(request);
}

static struct api_request *do_read(struct api *api, struct link *link,
				   const struct http_request *http,
				   const struct api_call *call, const char *key)
{
	struct store_query query = {
		.room = api_call_room(call),
		.after = call->after,
		.before = call->before,
		.limit = call->limit,
		.newest = call->newest,
		.bytes_max = BODIES_MAX,
	};
	struct api_request *request = NULL;
	int r = -EAGAIN;

	(void)http;
	(void)key;
	if (api->n_reads < READS_MAX) {
		request = request_new(api, link, call);
		r = request ? api->io.read(api->io.app, &query, on_read, request)
			    : -ENOMEM;
	}
	if (r == 0) {
		api->n_reads++;
		counter_add(api->slot, COUNTER_reads, 1);
		return request;
	}
	if (request)
		request_free(request);
	reply_errno(api, link, r);
	return NULL;
}

/* ---- members -------------------------------------------------------------------- */

static void on_census(void *app, const struct chat_census *census)
{
	struct api_request *request = app;
	struct api *api = request->api;
	size_t size = answer_members_size(census);
	char *body = malloc(size);

	CHECK_OBJ(request, REQUEST_MAGIC);
	if (body)
		reply(api, request->link, (struct http_answer){ .status = 200 }, body,
		      answer_members(body, size, api_call_room(&request->call), census));
	else
		reply_errno(api, request->link, -ENOMEM);
	free(body);
	request_free(request);
}

static struct api_request *do_members(struct api *api, struct link *link,
				      const struct http_request *http,
				      const struct api_call *call, const char *key)
{
	struct api_request *request = request_new(api, link, call);
	int r = -ENOMEM;

	(void)http;
	(void)key;
	if (request) {
		r = census_begin(api->chat, api_call_room(call), on_census, request,
				 &request->census);
		if (r == 0)
			return request;
		request_free(request);
	}
	reply_errno(api, link, r);
	return NULL;
}

/* ---- draining ------------------------------------------------------------------- */

static struct api_request *do_drain(struct api *api, struct link *link,
				    const struct http_request *http,
				    const struct api_call *call, const char *key)
{
	char body[ANSWER_SIZE], quoted[USER_NAME_MAX + 8];

	(void)http;
	(void)call;
	if (api->io.drain(api->io.app) < 0) {
		reply_error(api, link, 503, "there is nobody to tell");
		return NULL;
	}
	LOG(notice, "drain asked for key=%s", log_quote(key, quoted, sizeof quoted));
	reply(api, link, (struct http_answer){ .status = 202 }, body,
	      answer_drain(body, sizeof body));
	return NULL;
}

/* ---- all ------------------------------------------------------------------------ */

struct api_request *call_do(struct api *api, struct link *link,
			    const struct http_request *http, const struct api_call *call,
			    const char *key)
{
	static struct api_request *(*const does[API_OP_COUNT])(
		struct api *, struct link *, const struct http_request *,
		const struct api_call *, const char *key) = {
		[API_post] = do_post,
		[API_read] = do_read,
		[API_members] = do_members,
		[API_drain] = do_drain,
	};

	if (call->op != API_drain && chat_reserves(api->chat, api_call_room(call))) {
		reply_error(api, link, 403, "this room is for healthd's canary");
		return NULL;
	}
	return does[call->op](api, link, http, call, key);
}
