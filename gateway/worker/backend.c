#include "gateway/worker/backend.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "gateway/api/api.h"

static const char *on_key_name(void *app, struct text key)
{
	struct worker *w = app;

	return api_keys_find(w->api_keys, key);
}

static int on_read(void *app, const struct store_query *query, store_read_done *done,
		   void *done_app)
{
	struct worker *w = app;

	return w->store ? store_read(w->store, query, done, done_app) : -ENOTCONN;
}

/* The supervisor drains as on TERM; unlike that, said twice it is no hurry. */
static int on_drain(void *app)
{
	struct worker *w = app;
	pid_t parent = getppid();

	/* An orphan has somebody else for a parent. */
	if ((uint64_t)parent != word_get(&segment_supervisor(w->segment)->pid))
		return -ESRCH;
	return kill(parent, SIGUSR1) < 0 ? -errno : 0;
}

int backend_start(struct worker *w, struct why *why)
{
	const struct api_io io = {
		.app = w,
		.key_name = on_key_name,
		.answer = link_answer,
		.read = on_read,
		.drain = on_drain,
	};
	int r;

	if (!w->api_keys)
		return 0;
	r = api_new(&io, w->chat, w->slot, (uint64_t)w->settings->message_max, &w->api);
	return r < 0 ? why_set(why, r, "no memory for the API") : 0;
}

void *backend_request(void *app, struct link *link, const struct http_request *request)
{
	struct worker *w = app;

	return api_request(w->api, link, request);
}

void backend_request_gone(void *app, void *request)
{
	(void)app;
	api_request_gone(request);
}
