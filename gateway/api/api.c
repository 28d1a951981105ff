#include "gateway/api/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/api/inside.h"

/* ---- life ----------------------------------------------------------------------- */

int api_new(const struct api_io *io, struct chat *chat, struct segment_slot *slot,
	    uint64_t body_max, struct api **ret_api)
{
	struct api *api = calloc(1, sizeof *api);

	if (!api)
		return -ENOMEM;
	api->magic = API_MAGIC;
	api->io = *io;
	api->chat = chat;
	api->slot = slot;
	api->body_max = body_max;
	*ret_api = api;
	return 0;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	CHECK_OBJ(api, API_MAGIC);
	CHECK(!api->requests);
	api->magic = 0;
	free(api);
}

struct api_request *request_new(struct api *api, struct link *link,
				const struct api_call *call)
{
	struct api_request *request = calloc(1, sizeof *request);

	if (!request)
		return NULL;
	request->magic = REQUEST_MAGIC;
	request->api = api;
	request->link = link;
	request->call = *call;
	DL_APPEND(api->requests, request);
	counter_set(api->slot, COUNTER_api_waiting, ++api->n_requests);
	return request;
}

void request_free(struct api_request *request)
{
	struct api *api = request->api;

	DL_DELETE(api->requests, request);
	counter_set(api->slot, COUNTER_api_waiting, --api->n_requests);
	request->magic = 0;
	free(request);
}

void api_request_gone(void *waiting)
{
	struct api_request *request = waiting;

	CHECK_OBJ(request, REQUEST_MAGIC);
	request->link = NULL;
	if (request->call.op == API_read)
		return; /* freed when the store answers */
	if (request->call.op == API_post)
		chat_post_forget(request->api->chat, request->ticket);
	else
		census_forget(request->api->chat, request->census);
	request_free(request);
}

/* ---- requests ------------------------------------------------------------------- */

/* Only where nothing else keeps it: queries are logged by proxies. NULL: none, or no
 * good one. */
static const char *key_of(struct api *api, const struct http_request *http)
{
	static const char scheme[] = "Bearer ";
	unsigned n;
	const char *value = http_header(http, "Authorization", &n);

	if (n != 1 || strncasecmp(value, scheme, strlen(scheme)) != 0)
		return NULL;
	value += strlen(scheme);
	value += strspn(value, " ");
	return api->io.key_name(api->io.app,
				(struct text){ value, (uint32_t)strlen(value) });
}

void *api_request(struct api *api, struct link *link, const struct http_request *http)
{
	const char *key = key_of(api, http);
	struct api_refusal refusal;
	struct api_call call;

	CHECK_OBJ(api, API_MAGIC);
	counter_add(api->slot, COUNTER_api_requests, 1);
	if (!key) {
		reply_error(api, link, 401, "a valid key is needed");
	} else if (!api_route(http, &call, &refusal)) {
		reply_refusal(api, link, &refusal);
	} else {
		return call_do(api, link, http, &call, key);
	}
	return NULL;
}
