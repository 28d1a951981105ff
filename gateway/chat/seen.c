#include "gateway/chat/seen.h"

#include <string.h>

#include "common/check.h"

void seen_put(struct seen *seen, struct text room, uint64_t seq)
{
	unsigned at = seen->next++ % SEEN_MAX;

	CHECK(room.len <= ROOM_NAME_MAX);
	seen->last[at].seq = seq;
	seen->last[at].len = room.len;
	memcpy(seen->last[at].name, room.at, room.len);
}

uint64_t seen_head(const struct seen *seen, struct text room)
{
	uint64_t head = 0;

	for (unsigned i = 0; i < SEEN_MAX; i++)
		if (seen->last[i].len == room.len && seen->last[i].seq > head &&
		    memcmp(seen->last[i].name, room.at, room.len) == 0)
			head = seen->last[i].seq;
	return head;
}
