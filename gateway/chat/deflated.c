#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/chat/inside.h"

int chat_deflates(struct session *session)
{
	struct chat *chat = session->chat;
	int r = chat->deflater ? 0 : deflater_new(&chat->deflater);

	CHECK_OBJ(session, SESSION_MAGIC);
	CHECK(session->n_memberships == 0);
	if (r == 0)
		session->form = FORM_deflated;
	return r;
}

static bool make_place(struct chat *chat, size_t size)
{
	uint8_t *grown;

	if (size <= chat->deflated_size)
		return true;
	grown = realloc(chat->deflated, size);
	if (!grown)
		return false;
	chat->deflated = grown;
	chat->deflated_size = size;
	return true;
}

const uint8_t *deflated_frame(struct chat *chat, size_t len, size_t *ret_len)
{
	uint8_t head[FRAME_HEAD_MAX];
	uint8_t *frame;
	size_t size;
	unsigned n;

	if (len < chat->limits.deflate_min || !len ||
	    !make_place(chat, FRAME_HEAD_MAX + deflater_bound(chat->deflater, len)))
		return NULL;
	size = deflater_run(chat->deflater, scratch_at(chat), len,
			    chat->deflated + FRAME_HEAD_MAX);
	if (size >= len)
		return NULL;
	n = frame_head(head, FRAME_TEXT, size);
	head[0] |= FRAME_RSV1;
	frame = chat->deflated + FRAME_HEAD_MAX - n;
	memcpy(frame, head, n);
	counter_add(chat->slot, COUNTER_deflated, 1);
	counter_add(chat->slot, COUNTER_deflate_from, len);
	counter_add(chat->slot, COUNTER_deflate_to, size);
	*ret_len = n + size;
	return frame;
}

void deflated_stop(struct chat *chat)
{
	deflater_free(chat->deflater);
	free(chat->deflated);
}
