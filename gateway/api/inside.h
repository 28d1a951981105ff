/*
 * inside - what the files of the API share.
 */
#ifndef API_INSIDE_H
#define API_INSIDE_H

#include "gateway/api/api.h"
#include "gateway/api/route.h"

#define API_MAGIC     0xa9100001u
#define REQUEST_MAGIC 0xa9100002u

struct api {
	uint32_t magic;
	struct api_io io;
	struct chat *chat;
	struct segment_slot *slot;
	uint64_t body_max;
	struct api_request *requests; /* that wait, or whose read does */
	unsigned n_requests, n_reads;
};

/* One that waits. */
struct api_request {
	uint32_t magic;
	struct api *api;
	struct link *link; /* NULL: gone */
	struct api_request *prev, *next;
	struct api_call call;
	uint64_t ticket;       /* of a post */
	struct census *census; /* of members */
	uint32_t id_len;
	char id[MESSAGE_ID_MAX]; /* of a post */
};

/* NULL when out of memory. */
struct api_request *request_new(struct api *api, struct link *link,
				const struct api_call *call);
void request_free(struct api_request *request);

/* ---- reply.c: each answers the link ---- */

/* With a body of `len` bytes, and the rest of the head filled in. */
void reply(struct api *api, struct link *link, struct http_answer answer,
	   const char *body, int len);
void reply_refusal(struct api *api, struct link *link, const struct api_refusal *refusal);
void reply_error(struct api *api, struct link *link, int status, const char *why);

/* For want of something, by the negative errno of who should have it. */
void reply_errno(struct api *api, struct link *link, int error);

/* ---- calls.c ---- */

/* Does it, in the name of the key. Returns what waits; NULL: it is answered. */
struct api_request *call_do(struct api *api, struct link *link,
			    const struct http_request *http, const struct api_call *call,
			    const char *key);

#endif
