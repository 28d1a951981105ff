#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/transport/link.h"

/*
 * What a link needs only until its upgrade. `rest`: bytes of later requests that
 * wait because the client does not read our answers; bounded by one read.
 */
struct http_side {
	struct http_parser *parser;
	uint8_t *rest;
	size_t rest_len;
};

int http_side_start(struct link *link)
{
	struct transport_limits *limits = &link->transport->limits;
	struct http_limits http = { limits->head_max, limits->body_max };

	link->http = calloc(1, sizeof *link->http);
	if (!link->http)
		return -ENOMEM;
	link->http->parser = http_parser_new(&http);
	if (!link->http->parser) {
		http_side_stop(link);
		return -ENOMEM;
	}
	link_set_timer(link, limits->handshake_timeout_ms);
	return 0;
}

void http_side_stop(struct link *link)
{
	if (!link->http)
		return;
	http_parser_free(link->http->parser);
	free(link->http->rest);
	free(link->http);
	link->http = NULL;
}

static enum counter refused(int status)
{
	switch (status) {
	case 400: return COUNTER_refused_400;
	case 401: return COUNTER_refused_401;
	case 403: return COUNTER_refused_403;
	case 404: return COUNTER_refused_404;
	case 405: return COUNTER_refused_405;
	case 408: return COUNTER_refused_408;
	case 413: return COUNTER_refused_413;
	case 426: return COUNTER_refused_426;
	case 429: return COUNTER_refused_429;
	case 431: return COUNTER_refused_431;
	case 503: return COUNTER_refused_503;
	default: return COUNTER_refused_other;
	}
}

static const char *extra_of(int status)
{
	switch (status) {
	case 401: return "WWW-Authenticate: Bearer\r\n";
	case 426: return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
	default: return NULL;
	}
}

/* A refusal in JSON; `close` ends the connection behind it. */
static void refuse(struct link *link, int status, const char *why, const char *allow,
		   bool body, bool close)
{
	char head[512], text[256];
	int text_len = snprintf(text, sizeof text, "{\"status\":%d,\"error\":\"%s\"}\n",
				status, why);
	struct http_answer answer = {
		.status = status,
		.type = "application/json",
		.allow = allow,
		.extra = extra_of(status),
		.retry_after_s = status == 503 || status == 429 ? 1 : 0,
		.close = close,
		.no_store = true,
		.body_len = (size_t)text_len,
	};
	int head_len = http_answer_head(&answer, head, sizeof head);
	char whole[sizeof head + sizeof text];

	CHECK(head_len > 0 && text_len > 0 && text_len < (int)sizeof text);
	memcpy(whole, head, (size_t)head_len);
	memcpy(whole + head_len, text, (size_t)text_len);
	counter_add(link->transport->slot, refused(status), 1);
	transport_record(link->transport, EVENT_refused, (uint64_t)status, 0);
	/* A dead socket closes by itself. */
	(void)socket_write(link->socket, whole,
			   (size_t)head_len + (body ? (size_t)text_len : 0));
	if (close)
		link_finish(link);
}

static const char *why_not_admitted(int status)
{
	switch (status) {
	case 401: return "a valid token is needed";
	case 429: return "too many connections from there";
	default: return "no more connections now";
	}
}

/* Whether there is room for one more, and then who it is: a signature costs time. */
static int admit(struct link *link, struct handshake *handshake)
{
	struct transport *t = link->transport;
	int status = transport_admit(t, link);

	if (status == 0 && t->limits.rules.tokens)
		status = t->events.authorize(t->events.app, handshake);
	return status;
}

/* The handshake: 101 and frames from here on, or a refusal and the end. */
static void upgrade(struct link *link, const struct http_request *request)
{
	struct handshake handshake;
	char answer[256];
	int len;

	handshake_judge(request, &link->transport->limits.rules, &handshake);
	if (handshake.status == 101) {
		int status = admit(link, &handshake);

		if (status) {
			handshake.status = status;
			handshake.why = why_not_admitted(status);
		}
	}
	if (handshake.status != 101) {
		refuse(link, handshake.status, handshake.why, handshake.allow, true,
		       true);
		return;
	}
	len = handshake_answer(&handshake, answer, sizeof answer);
	CHECK(len > 0);
	(void)socket_write(link->socket, answer, (size_t)len); /* see refuse */
	link_open(link, &handshake);
}

static const struct page *page_at(struct link *link, const char *path)
{
	struct transport_events *events = &link->transport->events;

	return events->page ? events->page(events->app, path) : NULL;
}

/* One whole request; the link is then open, closing, or waits for the next one. */
static void serve(struct link *link, const struct http_request *request)
{
	const struct page *page = page_at(link, request->path);
	bool head = strcmp(request->method, "HEAD") == 0;
	bool get = strcmp(request->method, "GET") == 0;
	/* HTTP/1.0 would need to hear of keep-alive: it is not worth it. */
	bool close = !request->keep_alive || request->upgrade || request->minor == 0;

	counter_add(link->transport->slot, COUNTER_http_requests, 1);
	if (strcmp(request->path, link->transport->limits.rules.path) == 0)
		upgrade(link, request);
	else if (page && (get || head))
		page_serve(link, page, request, close);
	else if (page)
		refuse(link, 405, "pages are for GET and HEAD", "GET, HEAD", true, close);
	else
		refuse(link, 404, "no such page; chat clients connect to /chat", NULL,
		       !head, close);
}

static void keep_rest(struct link *link, const uint8_t *data, size_t len)
{
	if (len) {
		link->http->rest = malloc(len);
		if (!link->http->rest) {
			socket_kill(link->socket);
			return;
		}
		memcpy(link->http->rest, data, len);
		link->http->rest_len = len;
	}
	socket_pause(link->socket, true);
}

void http_side_received(struct link *link, uint8_t *data, size_t len)
{
	while (link->state == LINK_HANDSHAKING) {
		const struct http_request *request;
		size_t used;

		if (socket_behind(link->socket)) {
			keep_rest(link, data, len);
			return;
		}
		if (!len)
			return;
		switch (http_feed(link->http->parser, (const char *)data, len, &used,
				  &request)) {
		case HTTP_MORE: return;
		case HTTP_CONTINUE:
			(void)socket_write(link->socket, "HTTP/1.1 100 Continue\r\n\r\n",
					   25); /* see refuse */
			break;
		case HTTP_REQUEST:
			link_set_timer(link,
				       link->transport->limits.http_idle_timeout_ms);
			serve(link, request);
			break;
		case HTTP_BAD:
			counter_add(link->transport->slot, COUNTER_http_requests, 1);
			refuse(link, http_status(link->http->parser),
			       "not a request that can be served", NULL, true, true);
			return;
		}
		data += used;
		len -= used;
	}
	http_side_stop(link);
	if (link->state == LINK_OPEN && len)
		link_read_frames(link, data, len);
}

void http_side_resume(struct link *link)
{
	struct http_side *http = link->http;
	uint8_t *rest = http->rest;
	size_t len = http->rest_len;

	http->rest = NULL;
	http->rest_len = 0;
	socket_pause(link->socket, false);
	http_side_received(link, rest, len);
	free(rest);
}

void http_side_timeout(struct link *link)
{
	if (http_in_request(link->http->parser))
		refuse(link, 408, "the request took too long", NULL, true, true);
	else
		link_finish(link);
}
