/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/chat/rate.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/chat/inside.h"

enum {
	TYPING_PER_S = 2,
	TYPING_BURST_MS = 5000,
};

/* ---- sessions ------------------------------------------------------------------- */

static struct pace *pace_of(struct session *session)
{
	if (session->pace)
		return session->pace;
	session->pace = calloc(1, sizeof *session->pace);
	if (!session->pace)
		return NULL;
	session->pace->session = session;
	DL_APPEND(session->chat->paces, session->pace);
	return session->pace;
}

void rate_forget(struct session *session)
{
	if (!session->pace)
		return;
	DL_DELETE(session->chat->paces, session->pace);
	free(session->pace);
	session->pace = NULL;
}

static void forget_paces(struct chat *chat, uint64_t now_us)
{
	struct pace *pace, *next;

	DL_FOREACH_SAFE(chat->paces, pace, next)
	if (pace->messages.full_at_us <= now_us && pace->bytes.full_at_us <= now_us &&
	    pace->typing.full_at_us <= now_us)
		rate_forget(pace->session);
}

/* ---- users ---------------------------------------------------------------------- */

static struct speaker *speaker_of(struct session *session)
{
	struct chat *chat = session->chat;
	struct speaker *speaker;

	HASH_FIND(hh, chat->speakers, session->user, session->user_len, speaker);
	if (speaker)
		return speaker;
	speaker = calloc(1, sizeof *speaker + session->user_len);
	if (!speaker)
		return NULL;
	speaker->name_len = session->user_len;
	memcpy(speaker->name, session->user, session->user_len);
	HASH_ADD_KEYPTR(hh, chat->speakers, speaker->name, speaker->name_len, speaker);
	if (!speaker->hh.tbl) {
		free(speaker);
		return NULL;
	}
	return speaker;
}

struct taking {
	struct bucket *bucket;
	uint64_t n, per_s;
};

/* All or nothing. */
static uint64_t take_all(const struct taking takings[4], uint64_t now_us,
			 uint64_t burst_ms)
{
	uint64_t lacks = 0;

	for (unsigned i = 0; i < 4; i++) {
		const struct taking *taking = &takings[i];
		uint64_t one = bucket_lacks_us(taking->bucket, now_us, taking->n,
					       taking->per_s, burst_ms);

		lacks = one > lacks ? one : lacks;
	}
	for (unsigned i = 0; i < 4 && !lacks; i++)
		(void)bucket_take(takings[i].bucket, now_us, takings[i].n,
				  takings[i].per_s, burst_ms);
	return (lacks + 999) / 1000;
}

uint64_t rate_message(struct session *session, size_t len)
{
	struct chat *chat = session->chat;
	const struct chat_limits *limits = &chat->limits;
	struct speaker *speaker;
	struct pace *pace;

	if (!limits->rate_messages && !limits->rate_bytes &&
	    !limits->rate_user_messages && !limits->rate_user_bytes)
		return 0;
	speaker = speaker_of(session);
	pace = pace_of(session);
	if (!speaker || !pace)
		return 0; /* memory is short: that is told elsewhere */
	return take_all(
		(struct taking[4]){
			{ &pace->messages, 1, limits->rate_messages },
			{ &pace->bytes, len, limits->rate_bytes },
			{ &speaker->messages, 1, limits->rate_user_messages },
			{ &speaker->bytes, len, limits->rate_user_bytes },
		},
		1000 * chat->io.now_ms(chat->io.app), limits->rate_burst_ms);
}

bool rate_may_type(struct session *session)
{
	struct chat *chat = session->chat;
	struct pace *pace = pace_of(session);

	return !pace || bucket_take(&pace->typing, 1000 * chat->io.now_ms(chat->io.app),
				    1, TYPING_PER_S, TYPING_BURST_MS) == 0;
}

void rate_tick(struct chat *chat)
{
	struct speaker *speaker, *next, *gone = NULL;
	uint64_t now_us;

	if (!chat->speakers && !chat->paces)
		return;
	now_us = 1000 * chat->io.now_ms(chat->io.app);
	forget_paces(chat, now_us);
	HASH_ITER(hh, chat->speakers, speaker, next)
	{
		if (speaker->messages.full_at_us > now_us ||
		    speaker->bytes.full_at_us > now_us)
			continue;
		HASH_DEL(chat->speakers, speaker);
		LL_PREPEND(gone, speaker);
	}
	LL_FOREACH_SAFE(gone, speaker, next)
	free(speaker);
}

void rate_stop(struct chat *chat)
{
	struct speaker *speaker = chat->speakers, *next;

	HASH_CLEAR(hh, chat->speakers); /* they stay, each with its next */
	for (; speaker; speaker = next) {
		next = speaker->hh.next;
		free(speaker);
	}
}
