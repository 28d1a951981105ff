/*
 * api - the HTTP API for backends: post into rooms, read them, see who is there, drain.
 *
 * Knows no socket and no process: requests come in by api_request, answers go out
 * through struct api_io, as do questions to the store; messages go to the chat. Every
 * request carries a key. gateway/api/openapi.json is the reference.
 */
#ifndef API_H
#define API_H

#include "common/http.h"
#include "common/segment_writer.h"
#include "gateway/chat/chat.h"

struct api;
struct link; /* the transport's connection; only passed back */

struct api_io {
	void *app;
	/* The name of the key, as long as the api lives; NULL: it is none. */
	const char *(*key_name)(void *app, struct text key);
	/* Once for each request, from within or later; see link_answer. */
	void (*answer)(struct link *link, const struct http_answer *answer,
		       const char *body);
	/* As store_read. */
	int (*read)(void *app, const struct store_query *query, store_read_done *done,
		    void *done_app);
	/* The gateway is to drain. 0, or a negative errno: there is nobody to tell. */
	int (*drain)(void *app);
};

/* `chat` and `slot` are lent for its life; body_max: bytes of a message's body. */
int api_new(const struct api_io *io, struct chat *chat, struct segment_slot *slot,
	    uint64_t body_max, struct api **ret_api);

/* No request waits any more: the store has answered, the transport is closed. */
void api_free(struct api *api);

/* A request of a link. Returns what waits for its answer, for api_request_gone; NULL:
 * it is answered. */
void *api_request(struct api *api, struct link *link, const struct http_request *http);

/* There is nobody to answer any more. What was posted is sent all the same. */
void api_request_gone(void *waiting);

#endif
