/*
 * route - what a request to the HTTP API asks for. Pure: a request in, a call out.
 *
 *   POST /api/rooms/{room}/messages
 *   GET  /api/rooms/{room}/messages?after=&before=&limit=
 *   GET  /api/rooms/{room}/members
 *   POST /api/drain
 *
 * HEAD is GET. A room is percent-decoded, by itself: it may hold a slash that is written
 * as %2F. gateway/api/openapi.json is the reference.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/http.h"
#include "gateway/message.h"

enum api_op {
	API_post,
	API_read,
	API_members,
	API_drain,
	API_OP_COUNT
};

struct api_call {
	enum api_op op;
	uint32_t room_len;
	char room[ROOM_NAME_MAX + 1];
	/* API_read, as in struct store_query. */
	uint64_t after, before;
	uint32_t limit;
	bool newest;
};

static inline struct text api_call_room(const struct api_call *call)
{
	return (struct text){ call->room, call->room_len };
}

/* A request that is not served. */
struct api_refusal {
	int status;
	const char *why;   /* static */
	const char *allow; /* with 405 */
};

/* Whether it is a call; else *ret_refusal says why not (400, 404, 405). */
bool api_route(const struct http_request *request, struct api_call *ret_call,
	       struct api_refusal *ret_refusal);

#endif
