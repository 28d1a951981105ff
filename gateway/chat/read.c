#include "gateway/chat/read.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/catchup.h"
#include "gateway/chat/join.h"
#include "gateway/chat/member.h"

/* ---- what to ask ---------------------------------------------------------------- */

/* Whether it is a page that the member waits for, and not the head alone. */
static bool waits_for_page(const struct member *member)
{
	const struct catchup *catchup = member->catchup;

	return catchup && catchup->waits && (!catchup->joining || catchup->since.given);
}

/* Who waits longest. NULL: nobody. */
static const struct catchup *longest_waiting(const struct room *room)
{
	const struct catchup *longest = NULL;

	for (uint32_t i = 0; i < room->n_members && room->n_catching; i++) {
		const struct member *member = &room->members[i];

		if (waits_for_page(member) &&
		    (!longest || member->catchup->order < longest->order))
			longest = member->catchup;
	}
	return longest;
}

/* Where a page begins that has what this one waits for, and what most others do who wait
 * for something a little before it. */
static uint64_t page_begin(const struct room *room, const struct catchup *longest)
{
	uint64_t begin = longest->next;

	for (uint32_t i = 0; i < room->n_members; i++) {
		const struct member *member = &room->members[i];

		if (waits_for_page(member) && member->catchup->next < begin &&
		    member->catchup->next + PAGE_MESSAGES > longest->next)
			begin = member->catchup->next;
	}
	return begin;
}

static struct store_query query_for(const struct room *room)
{
	const struct catchup *longest = longest_waiting(room);
	struct store_query query = { .room = room_name(room) };

	if (!longest)
		return query;
	query.after = page_begin(room, longest) - 1;
	query.limit = PAGE_MESSAGES;
	query.bytes_max = PAGE_BYTES;
	return query;
}

/* ---- members fall behind -------------------------------------------------------- */

static void fall_behind(struct room *room, struct member *member)
{
	struct session *session = member->session;

	if (member->catchup) {
		member->cursor.at = NOWHERE;
		return;
	}
	if (catchup_begin(room, member, room_seq_at(room, member)) < 0) {
		session_doom(session, CLOSE_TRY_LATER, "out of memory");
		return;
	}
	member_has_news(member);
	session_will_ask(session);
}

void room_jump(struct chat *chat, struct room *room, uint64_t head)
{
	CHECK(room->held && head > room->head);
	counter_add(chat->slot, COUNTER_gaps, 1);
	for (uint32_t i = room->n_members; i-- > 0;)
		fall_behind(room, &room->members[i]);
	room_clear_logs(&chat->rooms, room);
	room->head = head;
}

/* ---- answers -------------------------------------------------------------------- */

/* The furthest sequence that somebody who waits to be let in says to have seen. */
static uint64_t furthest_since(const struct room *room)
{
	uint64_t since = 0;

	for (uint32_t i = 0; i < room->n_members && room->n_catching; i++) {
		const struct catchup *catchup = room->members[i].catchup;

		if (catchup && catchup->joining && catchup->since.given &&
		    catchup->since.value > since)
			since = catchup->since.value;
	}
	return since;
}

/* A busy room is always a little behind the store, and hears of the rest: it jumps only
 * if it may not, or if somebody has seen what is not heard of here yet. */
static void adopt_head(struct chat *chat, struct room *room, uint64_t head, bool looks)
{
	uint64_t since = furthest_since(room);

	if (!room->based)
		room->head = head > room->head ? head : room->head;
	else if (head > room->head && (looks || (since > room->head && since <= head)))
		room_jump(chat, room, head);
	room->based = true;
}

/* Whether somebody waits for a message up to `head`. */
static bool somebody_waits(const struct room *room, uint64_t head)
{
	for (uint32_t i = 0; i < room->n_members && room->n_catching; i++) {
		const struct catchup *catchup = room->members[i].catchup;

		if (catchup && catchup->waits && catchup->next <= head)
			return true;
	}
	return false;
}

static struct page *make_page(struct chat *chat, struct room *room,
			      const struct store_page *answer)
{
	size_t size = 0;
	struct page *page;

	for (uint32_t i = 0; i < answer->n; i++)
		size += FRAME_HEAD_MAX + WIRE_ENVELOPE_MAX + answer->messages[i].body.len;
	page = page_new(answer->messages[0].seq, size);
	for (uint32_t i = 0; page && i < answer->n; i++) {
		const struct message *message = &answer->messages[i];
		const uint8_t *frame;
		size_t len;
		int r;

		/* What is further on is heard of, and comes through the log. */
		if (message->seq > room->head ||
		    scratch_grow(chat, message->body.len) < 0)
			break;
		r = wire_message(scratch_at(chat), scratch_left(chat), message);
		CHECK(r > 0);
		frame = scratch_frame(chat, (size_t)r, &len);
		page_append(page, frame, len);
	}
	if (!page || page->to < page->from) {
		free(page);
		return NULL;
	}
	return page_keep(&chat->rooms, room, page);
}

/* Those who wait for what is in the answer get it. Who waits for what is no longer kept
 * has to be told, which a new join does. */
static void serve(struct chat *chat, struct room *room, const struct store_page *answer)
{
	struct page *page = NULL;

	if (answer->n && somebody_waits(room, answer->head))
		page = make_page(chat, room, answer);
	for (uint32_t i = room->n_members; i-- > 0 && room->n_catching;) {
		struct member *member = &room->members[i];
		struct catchup *catchup = member->catchup;

		if (!catchup || catchup->joining || !catchup->waits)
			continue;
		if (catchup->next < answer->first && catchup->next <= answer->head) {
			join_was_trimmed(member->session);
			session_doom(member->session, CLOSE_SLOW_READER,
				     "history was trimmed");
		} else if (page && page_has(page, catchup->next)) {
			page_enter(room, member, page);
			member_has_news(member);
			session_will_ask(member->session);
		}
	}
}

static void answered(struct chat *chat, struct room *room, bool looks,
		     const struct store_page *answer)
{
	adopt_head(chat, room, answer->head, looks);
	joins_let_in(chat, room, answer->first);
	serve(chat, room, answer);
	/* Some wait for what is not in this store: not at once again. */
	if (somebody_waits(room, UINT64_MAX) && !somebody_waits(room, answer->head))
		chat->reads_paused = true;
}

/* Who waits for a read that is not begun need not wait for its turn to be told. */
static void fail_all(struct chat *chat)
{
	struct room *any;
	unsigned n;

	DL_COUNT2(chat->rooms.want, any, n, want_next);
	for (; n && chat->rooms.want; n--) {
		struct room *room = chat->rooms.want;

		rooms_unwant(&chat->rooms, room);
		room_hold(room);
		joins_fail(chat, room);
		if (room->looks || somebody_waits(room, UINT64_MAX))
			rooms_want(&chat->rooms, room);
		room_unhold(&chat->rooms, room);
	}
}

static void failed(struct chat *chat, struct room *room, int status, bool looks)
{
	counter_add(chat->slot, COUNTER_read_errors, 1);
	chat->reads_paused = true;
	room->looks |= looks;
	joins_fail(chat, room);
	if (status == -ENOTCONN)
		fail_all(chat);
}

/* The logs keep what comes from now on, or need not any more. */
static void set_pins(struct room *room, bool pin)
{
	for (unsigned i = 0; i < FORM_COUNT; i++)
		if (room->tails[i])
			room->tails[i]->pin = pin ? room->tails[i]->log.head : NOWHERE;
}

static void finish(struct chat *chat, struct room *room, int status, bool looks,
		   const struct store_page *answer)
{
	set_pins(room, false);
	room_hold(room);
	if (status < 0)
		failed(chat, room, status, looks);
	else
		answered(chat, room, looks, answer);
	if (room->looks || somebody_waits(room, UINT64_MAX))
		rooms_want(&chat->rooms, room);
	room_unhold(&chat->rooms, room);
	chat_publish(chat);
}

static void on_read(void *app, int status, const struct store_page *answer)
{
	struct read *read = app;
	struct chat *chat = read->chat;
	struct room *room = read->room;
	bool looks = read->looks;

	if (chat) {
		DL_DELETE(chat->reads, read);
		chat->n_reads--;
	}
	free(read);
	if (!chat || !room)
		return;
	room->read = NULL;
	finish(chat, room, status, looks, answer);
}

/* ---- starting ------------------------------------------------------------------- */

static void start(struct chat *chat, struct room *room)
{
	struct store_query query = query_for(room);
	struct read *read = calloc(1, sizeof *read);
	bool looks = room->looks;
	int r = -ENOMEM;

	rooms_unwant(&chat->rooms, room);
	room->looks = false;
	if (read) {
		*read = (struct read){ .chat = chat, .room = room, .looks = looks };
		r = chat->io.read(chat->io.app, &query, on_read, read);
	}
	if (r < 0) {
		free(read);
		finish(chat, room, r, looks, NULL);
		return;
	}
	counter_add(chat->slot, COUNTER_reads, 1);
	DL_APPEND(chat->reads, read);
	chat->n_reads++;
	room->read = &read->room;
	set_pins(room, true); /* the answer reaches this far */
}

void reads_start(struct chat *chat)
{
	while (chat->rooms.want && !chat->reads_paused &&
	       chat->n_reads < chat->limits.reads_max)
		start(chat, chat->rooms.want);
}

void reads_resume(struct chat *chat)
{
	chat->reads_paused = false;
}

void reads_forget(struct chat *chat)
{
	struct read *read;

	DL_FOREACH(chat->reads, read)
	read->chat = NULL;
}
