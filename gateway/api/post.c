#include "gateway/api/post.h"

#include <jansson.h>
#include <string.h>

#include "gateway/wire/field.h"
#include "gateway/wire/json_text.h"

static const struct name_words id_words = NAME_WORDS("id");
static const struct name_words from_words = NAME_WORDS("from");

static int read_members(struct text json, const json_t *root, struct api_post *post,
			const char **ret_why)
{
	int r = field_name(root, &id_words, &post->id, ret_why);

	if (r == 0 && json_object_get(root, "from"))
		r = field_name(root, &from_words, &post->from, ret_why);
	if (r < 0)
		return r;
	post->body = json_member(json, "body");
	if (!post->body.len)
		return field_fail(WIRE_bad_field, "body is missing", ret_why);
	return 0;
}

int api_post_read(const char *data, size_t len, uint64_t body_max,
		  struct api_post *ret_post, const char **ret_why)
{
	struct text json = { data, (uint32_t)len };
	struct api_post post = { .from = { "", 0 } };
	json_t *root = NULL;
	int r = field_load(data, len, &root, ret_why);

	if (r == 0)
		r = read_members(json, root, &post, ret_why);
	if (r < 0) {
		json_decref(root);
		return r == -(int)WIRE_unavailable - 1 ? 503 : 400;
	}
	post.storage = root;
	if (post.body.len > body_max) {
		api_post_release(&post);
		*ret_why = "body is longer than a message may be";
		return 413;
	}
	*ret_post = post;
	return 0;
}

void api_post_release(struct api_post *post)
{
	json_decref(post->storage);
	post->storage = NULL;
}
