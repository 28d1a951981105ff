#include <errno.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/room.h"

enum {
	LOG_FIRST = 4096,   /* bytes that a log begins with */
	RECLAIM_TRIES = 16, /* logs looked at to get memory back for another */
	TURNS_KEPT = 16,    /* in a log, so that few are cut by its end */
};

void room_clear_tail(struct rooms *rooms, struct tail *tail)
{
	if (tail->log.size) {
		rooms->log_bytes -= tail->log.size;
		DL_DELETE(rooms->logs, tail);
	}
	room_log_release(&tail->log);
}

void room_clear_logs(struct rooms *rooms, struct room *room)
{
	for (unsigned i = 0; i < FORM_COUNT; i++)
		if (room->tails[i])
			room_clear_tail(rooms, room->tails[i]);
}

/* Whether no reader's cursor is before this position. The members are looked at only
 * if what was found last time does not say so. */
static bool is_safe(struct tail *tail, uint64_t position)
{
	const struct room *room = tail->room;
	uint64_t least = tail->log.head;

	if (position <= tail->safe)
		return true;
	for (uint32_t i = 0; i < room->n_members; i++)
		if (room->members[i].form == tail->form &&
		    room->members[i].cursor.at < least)
			least = room->members[i].cursor.at;
	if (tail->pin < least && tail->pin >= tail->log.tail)
		least = tail->pin;
	tail->safe = least;
	return position <= least;
}

/* Takes logs that everybody has read from other rooms, until there are `bytes`. */
static void reclaim(struct rooms *rooms, const struct tail *taker, uint64_t bytes)
{
	struct tail *tail, *next;
	unsigned tries = 0;

	DL_FOREACH_SAFE(rooms->logs, tail, next)
	{
		if (rooms->log_bytes + bytes <= rooms->logs_max ||
		    tries++ == RECLAIM_TRIES)
			return;
		if (tail->room != taker->room && is_safe(tail, tail->log.head))
			room_clear_tail(rooms, tail);
	}
}

static int grow_log(struct rooms *rooms, struct tail *tail, size_t len)
{
	uint64_t most = rooms->log_max > len ? rooms->log_max : len;
	uint64_t size = tail->log.size ? 2 * (uint64_t)tail->log.size : LOG_FIRST;
	uint64_t reserved = tail->log.size ? rooms->logs_max / 4 : 0;
	uint64_t more;
	int r;

	if (size < len)
		size = len;
	if (size > most)
		size = most;
	if (size <= tail->log.size || size > UINT32_MAX)
		return -ENOBUFS;
	more = size - tail->log.size;
	reclaim(rooms, tail, more + reserved);
	if (rooms->log_bytes + more + reserved > rooms->logs_max)
		return -ENOBUFS;
	if (!tail->log.size)
		DL_APPEND(rooms->logs, tail);
	r = room_log_grow(&tail->log, (uint32_t)size);
	if (r == 0)
		rooms->log_bytes += more;
	else if (!tail->log.size)
		DL_DELETE(rooms->logs, tail);
	return r;
}

/* A turn's frames are cut in two where they meet the end of the ring, which costs each
 * member a send more. So the ring is as long as several turns, if there is memory. */
static void fit_turn(struct rooms *rooms, struct tail *tail, size_t len)
{
	uint64_t turn = tail->room->dirty ? tail->log.head - tail->turn_from : 0;

	if (tail->log.size && turn + len > tail->log.size / TURNS_KEPT)
		(void)grow_log(rooms, tail, len); /* only slower without */
}

int room_reserve(struct rooms *rooms, struct tail *tail, size_t len)
{
	fit_turn(rooms, tail, len);
	for (;;) {
		uint64_t lost = room_log_loses(&tail->log, len);

		if (lost != UINT64_MAX && is_safe(tail, lost))
			return 0;
		if (grow_log(rooms, tail, len) < 0)
			return lost == UINT64_MAX ? -ENOMEM : -ENOBUFS;
	}
}

void room_append(struct rooms *rooms, struct tail *tail, const uint8_t *frame, size_t len)
{
	struct room *room = tail->room;

	room_tell(rooms, room);
	room_log_append(&tail->log, frame, len);
	DL_DELETE(rooms->logs, tail);
	DL_APPEND(rooms->logs, tail);
}

/* ---- telling -------------------------------------------------------------------- */

static void begin_circle(struct room *room)
{
	for (unsigned i = 0; i < FORM_COUNT; i++)
		if (room->tails[i])
			room->tails[i]->turn_from = room->tails[i]->log.head;
}

void room_set_untold(struct rooms *rooms, struct room *room, uint32_t n)
{
	rooms->n_untold -= room->n_untold;
	rooms->n_untold += n;
	room->n_untold = n;
}

void room_tell(struct rooms *rooms, struct room *room)
{
	room_set_untold(rooms, room, room->n_members);
	if (room->dirty)
		return;
	begin_circle(room);
	DL_APPEND2(rooms->dirty, room, dirty_prev, dirty_next);
	room->dirty = true;
}

/* From the end: whoever takes the place of one that leaves was passed already, or is
 * told by who moves it (member_leave). */
struct member *room_next_untold(struct rooms *rooms, struct room *room)
{
	uint32_t n = room->n_untold < room->n_members ? room->n_untold : room->n_members;

	if (n <= 1)
		room_clean(rooms, room);
	if (n == 0)
		return NULL;
	room_set_untold(rooms, room, n - 1);
	if (room->tell_at == 0 || room->tell_at > room->n_members) {
		room->tell_at = room->n_members;
		begin_circle(room);
	}
	room->n_told++;
	return &room->members[--room->tell_at];
}

void room_tell_later(struct rooms *rooms, struct room *room)
{
	DL_DELETE2(rooms->dirty, room, dirty_prev, dirty_next);
	DL_APPEND2(rooms->dirty, room, dirty_prev, dirty_next);
}
