/*
 * bearer - the token that a request carries, wherever it does.
 *
 * In `Authorization: Bearer TOKEN` (RFC 6750 2.1), as the item `bearer.TOKEN` of
 * Sec-WebSocket-Protocol, which is all that a browser can set, or in the query as
 * `access_token=TOKEN`, which needs no escapes. Another scheme of Authorization is no
 * token.
 */
#ifndef BEARER_H
#define BEARER_H

#include "common/http.h"
#include "gateway/message.h"

/* Its text, lent as long as the request is; empty if there is none. -EINVAL: there is
 * more than one, be they the same. */
int bearer_find(const struct http_request *request, struct text *ret_token);

#endif
