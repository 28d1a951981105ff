#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "gateway/transport/link.h"

enum counter link_refused(int status)
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

void link_refuse(struct link *link, const struct link_refusal *refusal)
{
	int status = refusal->status;
	unsigned soon_s = status == 503 || status == 429 ? 1 : 0;
	char head[512], text[256];
	int text_len = snprintf(text, sizeof text, "{\"status\":%d,\"error\":\"%s\"}\n",
				status, refusal->why);
	struct http_answer answer = {
		.status = status,
		.type = "application/json",
		.allow = refusal->allow,
		.extra = extra_of(status),
		.retry_after_s = refusal->retry_after_s ? refusal->retry_after_s : soon_s,
		.close = refusal->close,
		.no_store = true,
		.body_len = (size_t)text_len,
	};
	int head_len = http_answer_head(&answer, head, sizeof head);
	char whole[sizeof head + sizeof text];

	CHECK(head_len > 0 && text_len > 0 && text_len < (int)sizeof text);
	memcpy(whole, head, (size_t)head_len);
	memcpy(whole + head_len, text, (size_t)text_len);
	counter_add(link->transport->slot, link_refused(status), 1);
	transport_record(link->transport, EVENT_refused, (uint64_t)status, 0);
	/* A dead socket closes by itself. */
	(void)socket_write(link->socket, whole,
			   (size_t)head_len + (refusal->head ? 0 : (size_t)text_len));
	if (refusal->close)
		link_finish(link);
}
