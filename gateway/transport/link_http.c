#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/transport/link.h"

#define REQUEST_PATH "/api/" /* below it the app answers */

enum {
	REST_MAX = 16384
};

/*
 * What a link needs only until its upgrade. `rest`: bytes of later requests that wait
 * because the client does not read our answers, or because the app has not answered yet;
 * bounded by REST_MAX and one read.
 */
struct http_side {
	struct http_parser *parser;
	uint8_t *rest;
	size_t rest_len;
	/* A request that is the app's to answer; none is begun until the turn's end in
	 * which it did. */
	bool waits, answered;
	bool head, close;
	uint64_t adopted_us; /* monotonic; 0 once a request was served */
	void *asked;         /* the app's object, until it is answered */
	struct link *link;
	struct http_side *prev, *next; /* of those that are answered */
};

int http_side_start(struct link *link)
{
	struct transport_limits *limits = &link->transport->limits;
	struct http_limits http = { limits->head_max, limits->body_max };

	link->http = calloc(1, sizeof *link->http);
	if (!link->http)
		return -ENOMEM;
	link->http->link = link;
	link->http->adopted_us = clock_mono_ns() / 1000;
	link->http->parser = http_parser_new(&http);
	if (!link->http->parser) {
		http_side_stop(link);
		return -ENOMEM;
	}
	link_set_timer(link, limits->handshake_timeout_ms);
	return 0;
}

/* The app need not answer any more. */
static void forget_request(struct link *link)
{
	struct transport *t = link->transport;
	struct http_side *http = link->http;

	if (http->answered)
		DL_DELETE(t->answered, http);
	else if (http->waits)
		t->events.request_gone(t->events.app, http->asked);
	http->waits = http->answered = false;
}

void http_side_stop(struct link *link)
{
	if (link->upgraded || !link->http)
		return;
	forget_request(link);
	http_parser_free(link->http->parser);
	free(link->http->rest);
	free(link->http);
	link->http = NULL;
}

/* ---- the handshake ---- */

static const char *why_not_admitted(int status)
{
	switch (status) {
	case 401: return "a valid token is needed";
	case 429: return "too many connections from there; come later";
	default: return "no more connections now; come later";
	}
}

/* Whether there is room for one more, and then who it is: a signature costs time. */
static int admit(struct link *link, struct handshake *handshake, unsigned *ret_retry_s)
{
	struct transport *t = link->transport;
	int status = transport_admit(t, link, handshake->canary, ret_retry_s);

	if (status == 0 && t->limits.rules.tokens)
		status = t->events.authorize(t->events.app, handshake);
	return status;
}

/* The handshake: 101 and frames from here on, without an HTTP side; or a refusal and the
 * end. */
static void upgrade(struct link *link, const struct http_request *request)
{
	uint64_t adopted_us = link->http->adopted_us;
	struct handshake handshake;
	unsigned retry_s = 0;
	char answer[512];
	int len;

	handshake_judge(request, &link->transport->limits.rules, &handshake);
	if (handshake.status == 101) {
		int status = admit(link, &handshake, &retry_s);

		if (status) {
			handshake.status = status;
			handshake.why = why_not_admitted(status);
		}
	}
	if (handshake.status != 101) {
		link_refuse(link, &(struct link_refusal){ .status = handshake.status,
							  .why = handshake.why,
							  .allow = handshake.allow,
							  .retry_after_s = retry_s,
							  .close = true });
		return;
	}
	handshake.worker = (unsigned)word_get(&link->transport->slot->seat);
	len = handshake_answer(&handshake, answer, sizeof answer);
	CHECK(len > 0);
	http_side_stop(link);
	link_open(link, &handshake, answer, (size_t)len);
	if (adopted_us)
		histogram_observe(link->transport->slot, HISTOGRAM_handshake,
				  clock_mono_ns() / 1000 - adopted_us);
}

/* ---- requests that the app answers ---- */

static bool is_for_app(const struct link *link, const struct http_request *request)
{
	return link->transport->events.request &&
	       strncmp(request->path, REQUEST_PATH, strlen(REQUEST_PATH)) == 0;
}

static void ask_app(struct link *link, const struct http_request *request, bool close)
{
	struct transport *t = link->transport;
	struct http_side *http = link->http;

	http->waits = true;
	http->head = strcmp(request->method, "HEAD") == 0;
	http->close = close;
	link_set_timer(link, t->limits.answer_timeout_ms);
	http->asked = t->events.request(t->events.app, link, request);
	http_release(http->parser);
}

void link_answer(struct link *link, const struct http_answer *answer, const char *body)
{
	struct transport *t = link->transport;
	struct http_side *http = link->upgraded ? NULL : link->http;
	struct http_answer whole = *answer;
	char head[512];
	int len;

	CHECK_OBJ(link, LINK_MAGIC);
	CHECK(http && http->waits && !http->answered);
	whole.close = http->close || t->refusing;
	len = http_answer_head(&whole, head, sizeof head);
	CHECK(len > 0);
	if (answer->status >= 400)
		counter_add(t->slot, link_refused(answer->status), 1);
	/* A dead socket closes by itself. */
	(void)socket_write(link->socket, head, (size_t)len);
	if (!http->head && answer->body_len)
		(void)socket_write(link->socket, body, answer->body_len);
	http->answered = true;
	DL_APPEND(t->answered, http);
	link_set_timer(link, t->limits.http_idle_timeout_ms);
	if (whole.close)
		link_finish(link);
}

void http_side_answered(struct transport *t)
{
	struct link *link = t->answered->link;

	forget_request(link);
	if (link->state == LINK_HANDSHAKING)
		http_side_resume(link);
	else
		socket_pause(link->socket, false); /* its end is to be seen */
}

bool http_side_waits(const struct link *link)
{
	return !link->upgraded && link->http && link->http->waits;
}

/* ---- pages ---- */

static const struct page *page_at(struct link *link, const char *path)
{
	struct transport_events *events = &link->transport->events;

	return events->page ? events->page(events->app, path) : NULL;
}

static void serve_page(struct link *link, const struct http_request *request, bool close)
{
	const struct page *page = page_at(link, request->path);
	bool head = strcmp(request->method, "HEAD") == 0;
	bool get = strcmp(request->method, "GET") == 0;

	if (page && (get || head))
		page_serve(link, page, request, close);
	else if (page)
		link_refuse(link,
			    &(struct link_refusal){ .status = 405,
						    .why = "pages are for GET and HEAD",
						    .allow = "GET, HEAD",
						    .close = close });
	else
		link_refuse(link,
			    &(struct link_refusal){ .status = 404,
						    .why = "no such page; chat clients "
							   "connect to /chat",
						    .head = head,
						    .close = close });
}

/* One whole request; the link is then open, closing, waits for its answer, or for the
 * next one. */
static void serve(struct link *link, const struct http_request *request)
{
	/* HTTP/1.0 would need to hear of keep-alive: it is not worth it. */
	bool close = !request->keep_alive || request->upgrade || request->minor == 0;

	counter_add(link->transport->slot, COUNTER_http_requests, 1);
	if (strcmp(request->path, link->transport->limits.rules.path) == 0) {
		upgrade(link, request);
		return;
	}
	link->http->adopted_us = 0; /* a handshake behind it began later */
	if (is_for_app(link, request))
		ask_app(link, request, close);
	else
		serve_page(link, request, close);
}

/* ---- bytes ---- */

/* Who waits for an answer is read on for a while, so that it is seen when he hangs up;
 * beyond REST_MAX and one reading all is left in the kernel. */
static void keep_rest(struct link *link, const uint8_t *data, size_t len)
{
	struct http_side *http = link->http;
	uint8_t *rest = realloc(http->rest, http->rest_len + len);

	if (!rest) {
		socket_kill(link->socket);
		return;
	}
	memcpy(rest + http->rest_len, data, len);
	http->rest = rest;
	http->rest_len += len;
	if (!http->waits || http->rest_len > REST_MAX)
		socket_pause(link->socket, true);
}

void http_side_received(struct link *link, uint8_t *data, size_t len)
{
	while (link->state == LINK_HANDSHAKING) {
		const struct http_request *request;
		size_t used;

		if (!len)
			return;
		if (link->http->waits || socket_behind(link->socket)) {
			keep_rest(link, data, len);
			return;
		}
		switch (http_feed(link->http->parser, (const char *)data, len, &used,
				  &request)) {
		case HTTP_MORE: return;
		case HTTP_CONTINUE:
			(void)socket_write(link->socket, "HTTP/1.1 100 Continue\r\n\r\n",
					   25); /* see link_refuse */
			break;
		case HTTP_REQUEST:
			link_set_timer(link,
				       link->transport->limits.http_idle_timeout_ms);
			serve(link, request);
			break;
		case HTTP_BAD:
			counter_add(link->transport->slot, COUNTER_http_requests, 1);
			link_refuse(link,
				    &(struct link_refusal){
					    .status = http_status(link->http->parser),
					    .why = "not a request that can be "
						   "served",
					    .close = true });
			return;
		}
		data += used;
		len -= used;
	}
	http_side_stop(link);
	if (link_is_open(link) && len)
		link_read_frames(link, data, len);
}

void http_side_resume(struct link *link)
{
	struct http_side *http = link->http;
	uint8_t *rest = http->rest;
	size_t len = http->rest_len;

	if (http->waits)
		return;
	http->rest = NULL;
	http->rest_len = 0;
	socket_pause(link->socket, false);
	http_side_received(link, rest, len);
	free(rest);
}

void http_side_timeout(struct link *link)
{
	bool waits = link->http->waits;

	forget_request(link);
	socket_pause(link->socket, false); /* its end is to be seen */
	if (waits)
		link_refuse(link,
			    &(struct link_refusal){ .status = 503,
						    .why = "no answer in time; what was "
							   "asked may be done or not",
						    .close = true });
	else if (http_in_request(link->http->parser))
		link_refuse(link,
			    &(struct link_refusal){ .status = 408,
						    .why = "the request took too long",
						    .close = true });
	else
		link_finish(link);
}
