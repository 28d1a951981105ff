#include "gateway/chat/inside.h"
#include "gateway/chat/member.h"

enum {
	SLICES = 4 /* so many rooms at least have their turn at telling before the loop's
		    */
};

/* So many members of the room at most; how many there were. */
static uint64_t tell_some(struct chat *chat, struct room *room, uint64_t max)
{
	struct member *member;
	uint64_t n = 0;

	while (n < max && (member = room_next_untold(&chat->rooms, room))) {
		member_tell(member);
		n++;
	}
	deliveries_told(chat, room);
	return n;
}

void tell_rooms(struct chat *chat)
{
	uint64_t left = chat->limits.asks_max / 2, slice = 1 + left / SLICES;

	while (chat->rooms.dirty && left) {
		struct room *room = chat->rooms.dirty;

		left -= tell_some(chat, room, left < slice ? left : slice);
		if (room->dirty)
			room_tell_later(&chat->rooms, room);
	}
}

void ask_links(struct chat *chat)
{
	for (uint64_t n = 0; chat->ask && n < chat->limits.asks_max; n++)
		session_ask(chat->ask);
}

void ask_room(struct chat *chat, struct room *room)
{
	(void)tell_some(chat, room, UINT64_MAX);
	while (chat->ask)
		session_ask(chat->ask);
}
