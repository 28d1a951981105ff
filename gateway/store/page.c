#include "gateway/store/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void page_begin(struct page_builder *b, const struct store_query *query, uint64_t head,
		uint64_t first)
{
	*b = (struct page_builder){ .query = query, .page = { head, first } };
	b->low = first;
	b->high = head;
	if (query->before && query->before - 1 < b->high)
		b->high = query->before - 1;
	if (query->after >= b->high)
		b->low = b->high + 1;
	else if (query->after >= b->low)
		b->low = query->after + 1;
}

bool page_has_room(const struct page_builder *b, uint32_t body_len)
{
	if (b->page.n >= b->query->limit)
		return false;
	return b->page.n == 0 || b->n_body_bytes + body_len <= b->query->bytes_max;
}

/* Room for `len` more bytes and one more message. */
static int grow(struct page_builder *b, size_t len)
{
	size_t size = b->bytes_size;
	void *grown;

	if (b->page.n == b->messages_size) {
		b->messages_size += b->messages_size / 2 + 16;
		grown = realloc(b->messages, b->messages_size * sizeof *b->messages);
		if (!grown)
			return -ENOMEM;
		b->messages = grown;
	}
	if (b->n_bytes + len > size) {
		size = (b->n_bytes + len) * 3 / 2 + 1024;
		grown = realloc(b->bytes, size);
		if (!grown)
			return -ENOMEM;
		b->bytes = grown;
		b->bytes_size = size;
	}
	return 0;
}

/* Only the length is known for good: the bytes may move until the end. */
static struct text append(struct page_builder *b, struct text text)
{
	if (text.len)
		memcpy(b->bytes + b->n_bytes, text.at, text.len);
	b->n_bytes += text.len;
	return (struct text){ NULL, text.len };
}

int page_add(struct page_builder *b, const struct message *message)
{
	struct message *m;
	int r = grow(b, (size_t)message->id.len + message->from.len + message->body.len);

	if (r < 0)
		return r;
	m = &b->messages[b->page.n++];
	m->room = b->query->room;
	m->id = append(b, message->id);
	m->from = append(b, message->from);
	m->body = append(b, message->body);
	m->seq = message->seq;
	m->at_ms = message->at_ms;
	b->n_body_bytes += message->body.len;
	return 0;
}

static const char *place(struct text *text, const char *at)
{
	text->at = at;
	return at + text->len;
}

static void reverse(struct message *messages, uint32_t n)
{
	for (uint32_t i = 0; i < n / 2; i++) {
		struct message swapped = messages[i];

		messages[i] = messages[n - 1 - i];
		messages[n - 1 - i] = swapped;
	}
}

const struct store_page *page_end(struct page_builder *b)
{
	const char *at = b->bytes;
	uint64_t there = b->low <= b->high ? b->high - b->low + 1 : 0;

	for (uint32_t i = 0; i < b->page.n; i++) {
		at = place(&b->messages[i].id, at);
		at = place(&b->messages[i].from, at);
		at = place(&b->messages[i].body, at);
	}
	if (b->query->newest)
		reverse(b->messages, b->page.n);
	b->page.messages = b->messages;
	b->page.more = b->page.n < there;
	return &b->page;
}

void page_release(struct page_builder *b)
{
	free(b->messages);
	free(b->bytes);
	*b = (struct page_builder){ 0 };
}
