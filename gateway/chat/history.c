#include "gateway/chat/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"

enum {
	WAITING_MAX = 1024, /* requests of all clients */
	READING_MAX = 16,   /* reads under way */
	LIMIT_DEFAULT = 50,
	BODIES_MAX = 65536, /* of one answer, as a rule */
};

struct history {
	struct chat *chat;
	struct session *session;     /* NULL: gone */
	struct history *prev, *next; /* in chat->histories, then being_read */
	bool reading;
	struct ref ref;
	struct store_query query; /* its room lies behind */
	uint8_t *frame;           /* the answer */
	size_t len;
	char room[];
};

/* ---- life ----------------------------------------------------------------------- */

static struct history *history_new(struct session *session, const struct request *request)
{
	struct history *history = calloc(1, sizeof *history + request->room.len);

	if (!history)
		return NULL;
	memcpy(history->room, request->room.at, request->room.len);
	history->chat = session->chat;
	history->session = session;
	history->ref = request->ref;
	history->query = (struct store_query){
		.room = { history->room, request->room.len },
		.after = request->after.value,
		.before = request->before.value,
		.limit = request->limit.given ? (uint32_t)request->limit.value
					      : LIMIT_DEFAULT,
		.newest = !request->after.given,
		.bytes_max = BODIES_MAX,
	};
	return history;
}

/* Takes it from the session. */
static void unlink_session(struct history *history)
{
	if (!history->session)
		return;
	history->session->history = NULL;
	history->session = NULL;
	history->chat->n_histories--;
}

static void history_free(struct history *history)
{
	unlink_session(history);
	history->chat->history_bytes -= history->len;
	free(history->frame);
	free(history);
}

void history_drop(struct session *session)
{
	struct history *history = session->history;

	if (!history)
		return;
	if (history->reading) {
		unlink_session(history); /* freed when it is answered */
		return;
	}
	if (!history->frame)
		LL_DELETE(session->chat->histories, history);
	history_free(history);
}

/* ---- answering ------------------------------------------------------------------ */

static void fail(struct history *history, enum wire_error error, const char *text)
{
	struct session *session = history->session;
	struct ref ref = history->ref;

	history_free(history);
	if (session)
		say_error(session, &ref, error, text);
}

/* The whole answer as a frame in the scratch. */
static const uint8_t *make_frame(struct history *history, const struct store_page *page,
				 size_t *ret_len)
{
	struct chat *chat = history->chat;
	struct wire_history told = { .room = history->query.room,
				     .messages = page->messages,
				     .n = page->n,
				     .first = page->first,
				     .head = page->head,
				     .more = page->more };
	size_t size = 0;
	int r;

	for (uint32_t i = 0; i < page->n; i++)
		size += WIRE_ENVELOPE_MAX + page->messages[i].body.len;
	if (scratch_grow(chat, size) < 0)
		return NULL;
	r = wire_history(scratch_at(chat), scratch_left(chat), &history->ref, &told);
	CHECK(r > 0);
	return scratch_frame(chat, (size_t)r, ret_len);
}

static void answer(struct history *history, const struct store_page *page)
{
	struct chat *chat = history->chat;
	size_t len = 0;
	const uint8_t *frame = make_frame(history, page, &len);

	/* The other half of the memory is for those who catch up. */
	if (chat->history_bytes + len > chat->limits.catchup_bytes / 2) {
		fail(history, WIRE_busy, "too much history waits; ask later");
		return;
	}
	history->frame = frame ? malloc(len) : NULL;
	if (!history->frame) {
		fail(history, WIRE_unavailable, "out of memory");
		return;
	}
	memcpy(history->frame, frame, len);
	history->len = len;
	chat->history_bytes += len;
	session_will_ask(history->session);
}

static void away(struct history *history)
{
	counter_add(history->chat->slot, COUNTER_read_errors, 1);
	fail(history, WIRE_unavailable, "the store is away; ask later");
}

static void on_read(void *app, int status, const struct store_page *page)
{
	struct history *history = app;
	struct chat *chat = history->chat;

	if (!chat) {
		free(history);
		return;
	}
	history->reading = false;
	DL_DELETE(chat->being_read, history);
	chat->n_history_reads--;
	if (!history->session)
		history_free(history);
	else if (status < 0)
		away(history);
	else
		answer(history, page);
}

/* ---- asking --------------------------------------------------------------------- */

void do_history(struct session *session, const struct request *request)
{
	struct chat *chat = session->chat;
	struct history *history;

	if (request_membership(session, request) == NO_PLACE)
		return;
	if (session->history || chat->n_histories >= WAITING_MAX) {
		say_error(session, &request->ref, WIRE_busy,
			  session->history ? "one answer at a time; ask when it is there"
					   : "too many ask for history; ask later");
		return;
	}
	history = history_new(session, request);
	if (!history) {
		say_error(session, &request->ref, WIRE_unavailable, "out of memory");
		return;
	}
	session->history = history;
	chat->n_histories++;
	LL_APPEND(chat->histories, history);
}

static void start(struct chat *chat, struct history *history)
{
	int r = chat->io.read(chat->io.app, &history->query, on_read, history);

	if (r < 0) {
		away(history);
		return;
	}
	counter_add(chat->slot, COUNTER_reads, 1);
	DL_APPEND(chat->being_read, history);
	history->reading = true;
	chat->n_history_reads++;
}

void histories_start(struct chat *chat)
{
	while (chat->histories && chat->n_history_reads < READING_MAX) {
		struct history *first = chat->histories;

		chat->histories = first->next;
		start(chat, first);
	}
}

size_t history_next(struct session *session, const uint8_t **ret_data)
{
	struct chat *chat = session->chat;
	struct history *history = session->history;
	size_t len;

	if (!history_has_next(session))
		return 0;
	chat->lent = history->frame;
	*ret_data = history->frame;
	len = history->len;
	history->frame = NULL;
	history_free(history);
	return len;
}

bool history_has_next(const struct session *session)
{
	return session->history && session->history->frame;
}

void histories_forget(struct chat *chat)
{
	struct history *history;

	DL_FOREACH(chat->being_read, history)
	history->chat = NULL;
}
