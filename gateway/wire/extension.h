/*
 * extension - which of the extensions that a handshake offers is taken: at most
 * permessage-deflate (RFC 7692).
 *
 * The first offer that we can meet is taken. We compress each message by itself
 * (server_no_context_takeover), with a window of DEFLATE_WINDOW_BITS, and ask the same of
 * the client (client_no_context_takeover), which may use the largest window. An offer
 * with a parameter that is unknown, there twice or has a value that it may not have, or
 * that asks for a smaller window, is passed over.
 */
#ifndef EXTENSION_H
#define EXTENSION_H

#include <stdbool.h>

#include "common/http.h"

enum {
	/* 4 KB: what stock clients that save memory ask for, and most messages fit in. */
	DEFLATE_WINDOW_BITS = 12
};

struct deflate_terms {
	bool taken;
	bool window_asked; /* the offer limits our window, so the answer has to as well */
};

/* -EINVAL: what is offered is not a list of extensions at all (RFC 6455 9.1). */
int extension_judge(const struct http_request *request, struct deflate_terms *ret_terms);

#define EXTENSION_ANSWER_MAX 128

/* The value of Sec-WebSocket-Extensions in the answer, for terms that are taken. */
const char *extension_answer(const struct deflate_terms *terms);

#endif
