/*
 * chat - rooms, members and sessions of one worker.
 *
 * Knows no socket, no loop and no process: the transport calls the events below,
 * and chat reaches the world only through struct chat_io. Unit-tested with none
 * of them. A room is a log of ready-made frames; a member is a cursor into it.
 */
#ifndef CHAT_H
#define CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/segment.h"
#include "gateway/grants.h"
#include "gateway/message.h"
#include "gateway/store/store.h"

struct chat;
struct link;    /* the transport's connection; only passed back through chat_io */
struct session; /* chat's side of one connection */

/* Everything that was asked for is there, or of some room it is not any more. */
enum resumed {
	RESUMED_nothing, /* yet */
	RESUMED_whole,
	RESUMED_trimmed
};

struct chat_io {
	void *app;
	/* The link has something to send: chat_next is to be asked for it, now or when
	 * the socket has room. Called from chat_flush, and from chat_message and
	 * chat_sequenced when a bound is near. May call chat_next, nothing else. */
	void (*wants_to_send)(struct link *link);
	/* Close with this code (enum close_code) and reason (static text); chat_closed
	 * follows later, not from within. */
	void (*close)(struct link *link, uint16_t code, const char *reason);
	/* Hand a message over to get its sequence; it comes back through
	 * chat_sequenced. `ticket` names the request. 0; -EAGAIN: no room now;
	 * -EMSGSIZE: too long to be passed on. */
	int (*submit)(void *app, uint64_t ticket, const struct message *message);
	/* Reads what the store holds; as store_read. */
	int (*read)(void *app, const struct store_query *query, store_read_done *done,
		    void *done_app);
	/* To the chats of all workers, this one included, at most once: comes back
	 * through chat_heard. 0; -EAGAIN: no room now; -EMSGSIZE. */
	int (*cast)(void *app, const void *data, size_t len);
	/* Whose casts are to be expected: by slot the generation of each other worker, 0
	 * for none. NULL: there are no others. */
	void (*peers)(void *app, uint64_t generations[SEGMENT_SLOTS_MAX]);
	uint64_t (*now_ms)(void *app); /* monotonic, as of this turn */
	uint64_t (*now_us)(void *app); /* the same for all workers, as of now */
	/* What became of a session's rooms since its link to a dead process was lost; a
	 * word may be taken back (n = -1) for a worse one. May be NULL. */
	void (*resumed)(void *app, uint64_t generation, enum resumed how, int n);
};

struct chat_limits {
	uint64_t message_max, rooms_per_link, rooms, room_log_bytes, room_logs_bytes;
	uint64_t outbox_max, outboxes_bytes;         /* of one session, of all together */
	uint64_t sends_pending, sends_pending_bytes; /* of all sessions together */
	uint64_t catchup_bytes; /* of what is read from the store, for all */
	uint64_t reads_max;     /* reads of rooms under way */
	uint64_t asks_max;      /* links that are asked to send in a turn of the loop */
	uint64_t generation;    /* this worker's life among those whose casts are heard */
	uint64_t cast_bytes;    /* that it casts between two beats */
	/* Users of a room up to which they are told by name (0: nobody is told of
	 * anybody), and up to which at once; others hear no oftener than the interval. */
	uint64_t presence_members_max, presence_at_once_max, presence_interval_ms;
	/* Per second and link, and per second and user; 0: no limit. */
	uint64_t rate_messages, rate_bytes, rate_user_messages, rate_user_bytes;
	uint64_t rate_burst_ms;                     /* so much of it at once */
	uint64_t ping_interval_ms, ping_timeout_ms; /* told in welcome */
	uint64_t deflate_min; /* a shorter message is not worth compressing */
	const char
		*canary_room; /* for canaries only, and they for it; lent; NULL: none */
};

/* `slot`: where chat publishes its counters; lent for the chat's life. */
int chat_new(const struct chat_io *io, const struct chat_limits *limits,
	     struct segment_slot *slot, struct chat **ret_chat);
void chat_free(struct chat *chat);

/* The events of a connection. chat_opened: NULL when out of memory (then no
 * chat_closed follows). `session_name` is random text, `user` a valid name. Takes
 * `grants`, which say what its requests may do, in either case. */
struct session *chat_opened(struct chat *chat, struct link *link,
			    const char *session_name, const char *user,
			    struct grants *grants);
/* The client had its link to a process of this generation, which is dead. */
void chat_returns(struct session *session, uint64_t generation);
/* The client reads compressed frames; before anything else is asked of the session.
 * -ENOMEM: it gets plain ones. */
int chat_deflates(struct session *session);

/* The client is a canary: it may be in the canary's room, and in no other. */
void chat_is_canary(struct session *session);
void chat_message(struct session *session, const char *data, size_t len);
void chat_closed(struct session *session);

/*
 * The socket has room: the next run of bytes, whole frames lying end to end, at
 * most `max` bytes unless one frame alone is longer. Returns its length, 0 for
 * none; *ret_data is lent until the next call into chat. Taking it moves the cursor.
 */
size_t chat_next(struct session *session, size_t max, const uint8_t **ret_data);

/* Whether chat_next would return something. Messages of rooms count from chat_flush. */
bool chat_has_next(const struct session *session);

/*
 * A message was committed (every worker hears of every message, in one order). `mine`:
 * this worker submitted it as `ticket`; its sender is answered `sent`. `repeat`: it was
 * committed before, and need not have been told yet; its body may be empty.
 */
void chat_sequenced(struct chat *chat, const struct message *message, bool repeat,
		    bool mine, uint64_t ticket);

/* The message got no sequence: its sender is told why. */
void chat_refused(struct chat *chat, uint64_t ticket, enum refusal reason);

/* What this worker handed to the sequencer was not taken: what was submitted and not
 * answered is submitted again, in order, which is safe; what was cast is cast again.
 * `all`: every worker does so, since the sequencer is new; nobody need be asked then. */
void chat_resubmit(struct chat *chat, bool all);

/* The store may hold messages that nobody told of (a new sequencer, a store that came
 * back): every room's head is compared with it, and what is missing is read. */
void chat_look(struct chat *chat);

/* Records were lost on the way here (the bus lapped us): resubmits and looks. */
void chat_overrun(struct chat *chat);

/* A cast of the worker in this slot; `generation` names its life. */
void chat_heard(struct chat *chat, uint32_t slot, uint64_t generation, const void *data,
		size_t len);

/* That worker's life is over. */
void chat_peer_gone(struct chat *chat, uint32_t slot, uint64_t generation);

/* Each beat (100 ms). */
void chat_tick(struct chat *chat, uint64_t now_ms);

/* After a turn of the loop: asks wants_to_send once for each link with news, but for no
 * more than asks_max of them. True: there are others, so call again soon. */
bool chat_flush(struct chat *chat);

/* Whether the room is the canary's. */
bool chat_reserves(const struct chat *chat, struct text room);

/* ---- for who has no connection (gateway/api) ---- */

/* 0 with the message's sequence and time, or why it has none: -ENOTCONN the store is
 * away, -EAGAIN too much waits, -EMSGSIZE. `repeat`: its room and sender had this id
 * already, and these are that message's. */
typedef void chat_post_done(void *app, int status, const struct message *message,
			    bool repeat);

/* Sends a message, which is copied; answered once, later, from any of the calls above.
 * -EAGAIN, -EMSGSIZE, -ENOMEM: not sent. The ticket is for chat_post_forget, after which
 * nobody is answered. */
int chat_post(struct chat *chat, const struct message *message, chat_post_done *done,
	      void *app, uint64_t *ret_ticket);
void chat_post_forget(struct chat *chat, uint64_t ticket);

/* Users of a room over all workers; some of them by name, lent for the call. Not
 * `complete`: a worker did not answer in time. */
struct chat_census {
	const struct text *users;
	uint32_t n;
	uint64_t total;
	bool complete;
};
typedef void chat_census_done(void *app, const struct chat_census *census);

/* Asks all workers; answered once, later, from chat_flush. -EAGAIN, -ENOMEM. */
struct census;
int census_begin(struct chat *chat, struct text room, chat_census_done *done, void *app,
		 struct census **ret_census);
void census_forget(struct chat *chat, struct census *census);

/* Tells a client that the server leaves. */
void chat_tell_drain(struct session *session, uint64_t reconnect_after_ms);

#endif
