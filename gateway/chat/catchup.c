#include "gateway/chat/catchup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/frames.h"

/* ---- pages ---------------------------------------------------------------------- */

static void page_free(struct rooms *rooms, struct page *page)
{
	struct room *room = page->room;

	for (uint32_t i = 0; i < room->n_members && room->n_catching; i++)
		if (room->members[i].catchup && room->members[i].catchup->page == page)
			room->members[i].catchup->page = NULL;
	DL_DELETE(rooms->pages, page);
	DL_DELETE2(room->pages, page, room_prev, room_next);
	rooms->page_bytes -= page->len;
	free(page);
}

struct page *page_new(uint64_t from, size_t size)
{
	struct page *page = malloc(sizeof *page + size);

	if (page)
		*page = (struct page){ .from = from, .to = from - 1 };
	return page;
}

void page_append(struct page *page, const uint8_t *frame, size_t len)
{
	memcpy(page->bytes + page->len, frame, len);
	page->len += len;
	page->to++;
}

struct page *page_keep(struct rooms *rooms, struct room *room, struct page *page)
{
	struct page *fitting = realloc(page, sizeof *page + page->len);

	if (fitting)
		page = fitting;
	while (rooms->pages && rooms->page_bytes + page->len > rooms->pages_max)
		page_free(rooms, rooms->pages);
	page->room = room;
	DL_APPEND(rooms->pages, page);
	DL_APPEND2(room->pages, page, room_prev, room_next);
	rooms->page_bytes += page->len;
	return page;
}

bool page_has(const struct page *page, uint64_t seq)
{
	return seq >= page->from && seq <= page->to;
}

void pages_release(struct rooms *rooms, struct room *room)
{
	while (room->pages)
		page_free(rooms, room->pages);
}

void pages_release_idle(struct rooms *rooms)
{
	struct page *page, *next;

	DL_FOREACH_SAFE(rooms->pages, page, next)
	if (!page->room->n_catching)
		page_free(rooms, page);
}

/* ---- members -------------------------------------------------------------------- */

int catchup_begin(struct room *room, struct member *member, uint64_t next)
{
	struct catchup *catchup = calloc(1, sizeof *catchup);

	if (!catchup)
		return -ENOMEM;
	catchup->next = next;
	member->catchup = catchup;
	member->cursor.at = NOWHERE;
	room->n_catching++;
	return 0;
}

void catchup_end(struct room *room, struct member *member)
{
	if (!member->catchup)
		return;
	free(member->catchup);
	member->catchup = NULL;
	room->n_catching--;
}

void catchup_wait(struct rooms *rooms, struct room *room, struct member *member)
{
	if (!member->catchup->waits)
		member->catchup->order = ++rooms->n_wanted;
	member->catchup->waits = true;
	rooms_want(rooms, room);
}

void page_enter(struct room *room, struct member *member, struct page *page)
{
	struct catchup *catchup = member->catchup;

	CHECK(page_has(page, catchup->next));
	catchup->page = page;
	catchup->waits = false;
	catchup->offset = 0;
	for (uint64_t seq = page->from; seq < catchup->next; seq++)
		catchup->offset += frame_length(page->bytes + catchup->offset);
	if (member->cursor.at == NOWHERE &&
	    page->to + 1 >= room_first(room, member->form))
		room_seek(room, member, page->to + 1);
}

void catchup_move(struct rooms *rooms, struct room *room, struct member *member)
{
	struct catchup *catchup = member->catchup;
	struct page *page;

	if (catchup->next >= room_first(room, member->form)) {
		room_seek(room, member, catchup->next);
		catchup_end(room, member);
		return;
	}
	member->cursor.at = NOWHERE;
	DL_FOREACH2(room->pages, page, room_next)
	if (page_has(page, catchup->next)) {
		page_enter(room, member, page);
		return;
	}
	catchup_wait(rooms, room, member);
}

size_t catchup_run(struct room *room, struct member *member, size_t max,
		   const uint8_t **ret_data, uint64_t *n_frames)
{
	struct catchup *catchup = member->catchup;
	const struct page *page = catchup->page;
	size_t run = page->len - catchup->offset;
	uint32_t n = (uint32_t)(page->to - catchup->next + 1);

	*ret_data = page->bytes + catchup->offset;
	if (run > max)
		run = frames_run(*ret_data, run, max, &n);
	catchup->offset += run;
	catchup->next += n;
	*n_frames += n;
	if (catchup->offset < page->len)
		return run;
	catchup->page = NULL;
	if (member->cursor.at != NOWHERE)
		catchup_end(room, member);
	return run;
}
