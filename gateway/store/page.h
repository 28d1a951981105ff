/*
 * page - the answer to a query while it is put together: messages in memory of its own.
 *
 * For back ends whose rows are gone after the next one. Filled in the query's order
 * (ascending, or descending when it wants the newest), it comes out ascending.
 */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include "gateway/store/store.h"

struct page_builder {
	const struct store_query *query; /* lent */
	struct store_page page;
	/* What can be on it: bounds of the query and of the room in one; low > high:
	 * nothing can. */
	uint64_t low, high;
	struct message *messages;
	char *bytes; /* ids, senders and bodies, end to end */
	size_t n_bytes, bytes_size, n_body_bytes;
	uint32_t messages_size;
};

/* A room with this head and first (0 and 1: nothing was ever said there). */
void page_begin(struct page_builder *builder, const struct store_query *query,
		uint64_t head, uint64_t first);

/* True when a message with such a body is on the page, too; false: the page is full. */
bool page_has_room(const struct page_builder *builder, uint32_t body_len);

/* Copies the message; its room is the query's. 0, -ENOMEM. */
int page_add(struct page_builder *builder, const struct message *message);

/* The page, in memory of the builder. */
const struct store_page *page_end(struct page_builder *builder);

/* Begun or all zero. */
void page_release(struct page_builder *builder);

#endif
