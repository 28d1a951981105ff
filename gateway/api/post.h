/*
 * post - the body of a post: {"id":…,"body":…,"from":…}, read strictly.
 */
#ifndef POST_H
#define POST_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/message.h"

struct api_post {
	struct text id, from; /* from: "" if it says none */
	struct text body;     /* JSON text, a piece of what was read */
	void *storage;        /* what id and from lie in */
};

/* 0: *ret_post is good until api_post_release, and as long as `data` is. Else the status
 * to refuse with (400, 413, 503), and *ret_why says why (static), naming the member. */
int api_post_read(const char *data, size_t len, uint64_t body_max,
		  struct api_post *ret_post, const char **ret_why);
void api_post_release(struct api_post *post);

#endif
