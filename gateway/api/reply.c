#include <errno.h>
#include <stdlib.h>

#include "common/check.h"
#include "gateway/api/answers.h"
#include "gateway/api/inside.h"

enum {
	RETRY_SPREAD_S = 3 /* over which those come again who are sent away */
};

void reply(struct api *api, struct link *link, struct http_answer answer,
	   const char *body, int len)
{
	CHECK(len >= 0);
	answer.type = "application/json";
	answer.no_store = true;
	answer.body_len = (size_t)len;
	if (!answer.extra)
		answer.extra = "X-Content-Type-Options: nosniff\r\n";
	api->io.answer(link, &answer, body);
}

void reply_refusal(struct api *api, struct link *link, const struct api_refusal *refusal)
{
	char body[ANSWER_SIZE];
	struct http_answer head = { .status = refusal->status, .allow = refusal->allow };

	if (refusal->status == 401)
		head.extra = "WWW-Authenticate: Bearer\r\n";
	if (refusal->status == 503)
		head.retry_after_s = 1 + (unsigned)random() % RETRY_SPREAD_S;
	reply(api, link, head, body,
	      answer_error(body, sizeof body, refusal->status, refusal->why));
}

void reply_error(struct api *api, struct link *link, int status, const char *why)
{
	reply_refusal(api, link, &(struct api_refusal){ .status = status, .why = why });
}

void reply_errno(struct api *api, struct link *link, int error)
{
	switch (error) {
	case -EMSGSIZE:
		reply_error(api, link, 413, "body is longer than a message may be");
		break;
	case -EAGAIN:
		reply_error(api, link, 503, "too much waits; ask again later");
		break;
	case -ENOMEM:
		reply_error(api, link, 503, "out of memory; ask again later");
		break;
	default: reply_error(api, link, 503, "the store is away; ask again later");
	}
}
