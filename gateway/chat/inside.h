/*
 * inside - what the files of the chat that know all of it share.
 */
#ifndef INSIDE_H
#define INSIDE_H

#include "common/segment_writer.h"
#include "gateway/chat/cast.h"
#include "gateway/chat/chat.h"
#include "gateway/chat/latency.h"
#include "gateway/chat/pending.h"
#include "gateway/chat/room.h"
#include "gateway/chat/session.h"
#include "gateway/wire/codec.h"
#include "gateway/wire/deflate.h"
#include "gateway/wire/frame.h"

struct chat {
	uint32_t magic;
	struct chat_io io;
	struct chat_limits limits;
	struct segment_slot *slot;
	struct rooms rooms;
	struct pendings pendings;
	struct session *ask; /* sessions whose links are to be asked to send */
	struct read *reads;  /* of rooms, under way */
	struct history *histories, *being_read; /* of sessions: in order; under way */
	uint64_t n_reads, n_histories, n_history_reads, history_bytes;
	struct census *censuses; /* under way */
	unsigned n_censuses;
	uint32_t last_census;
	struct speaker *speakers;          /* users who said something lately */
	struct pace *paces;                /* sessions that did */
	uint64_t peers[SEGMENT_SLOTS_MAX]; /* whose casts are heard: the generation */
	uint64_t cast_bytes;               /* since the last beat */
	struct cast_out cast;              /* the one that is being made */
	struct latency latency;            /* of what leaves at the end of this turn */
	bool reads_paused; /* the store is away: not before the next tick */
	uint64_t n_sessions, outbox_bytes;
	void *lent;       /* the last of an outbox, until the next is taken */
	uint8_t *scratch; /* where frames are made; see say.c */
	size_t scratch_size;
	struct deflater *deflater; /* NULL until somebody reads what it makes */
	uint8_t *deflated;         /* the frame that it made last */
	size_t deflated_size;
};

#define CHAT_MAGIC 0xc4a70001u

/* ---- say.c: to clients ---- */

/* Where the next event is to be written, and how many bytes of it. There is always
 * place for an event without a body; scratch_grow makes some for `len` bytes more. */
char *scratch_at(struct chat *chat);
size_t scratch_left(const struct chat *chat);
int scratch_grow(struct chat *chat, size_t len);

/* Makes a frame of the event of `len` bytes that was written there; lent until the
 * next is. */
const uint8_t *scratch_frame(struct chat *chat, size_t len, size_t *ret_len);

/* Sends the event that was written to one client. One that cannot be kept for it (or
 * could not be written: len < 0) closes the link. */
void say(struct session *session, int len);

void say_error(struct session *session, const struct ref *ref, enum wire_error error,
	       const char *text);

/* Puts the session among those whose links are asked to send. */
void session_will_ask(struct session *session);

/* Asks now. */
void session_ask(struct session *session);

/* The session is in no room and no list any more, and nothing waits for it. */
void session_clear(struct session *session);

/* How much may wait for it now: its own bound, or what that of all has left. */
size_t session_outbox_max(const struct session *session);

/* Closes the link; the session is cleared and told nothing more. */
void session_doom(struct session *session, uint16_t code, const char *reason);

/* ---- deflated.c ---- */

/* Compresses the event of `len` bytes that was written, as a frame that is lent until the
 * next; NULL where that saves nothing or there is no memory. */
const uint8_t *deflated_frame(struct chat *chat, size_t len, size_t *ret_len);
void deflated_stop(struct chat *chat);

/* ---- requests.c: from clients ---- */

void request_do(struct session *session, const struct request *request);

/* The membership that the request names, or NO_PLACE once the client is told that there
 * is none. */
uint32_t request_membership(struct session *session, const struct request *request);

/* Whether the client's token lets it do this in the room that the request names; if not,
 * the client is told. */
bool request_allowed(struct session *session, const struct request *request,
		     enum grant grant);

/* ---- tell.c ---- */
/* No room ends by any of these. */

/* Tells members of dirty rooms that there is news, half as many as there may be asked in
 * a turn: rooms take turns, so that a large one does not keep a small one waiting. */
void tell_rooms(struct chat *chat);

/* Asks links to send, as many as may be in a turn. */
void ask_links(struct chat *chat);

/* Asks all that are to be, all members of the room among them. */
void ask_room(struct chat *chat, struct room *room);

/* ---- chat.c ---- */

/* Sets the gauges of rooms and sends. */
void chat_publish(struct chat *chat);

#endif
