/*
 * commit - gives the store what waits, batch after batch, and answers it.
 *
 * One batch is under way at a time; what comes meanwhile is the next. A batch whose end
 * is unknown (the store went away, or did not answer in time) is given again until it is
 * known; what the store had kept of it then comes back as repeats. Sends that have waited
 * longer than hold_ms for a store that takes nothing are refused as unavailable, as are
 * all of a batch that failed: their senders may try again.
 * When nothing is to be committed, the store is probed each second. What is found of it
 * stands in the counters store_*.
 *
 * Knows neither the loop nor the bus: reaches the store and its clients through
 * struct commit_io.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include "common/segment_writer.h"
#include "gateway/sequencer/queue.h"

struct commit_io {
	void *app;
	/* As store_commit and store_probe. */
	int (*commit)(void *app, struct store_send *sends, unsigned n,
		      store_commit_done *done, void *done_app);
	int (*probe)(void *app, store_probe_done *done, void *done_app);
	uint64_t (*now_us)(void *app); /* monotonic */
	/* Each send is answered once by one of these two, which call nothing here. */
	void (*committed)(void *app, const struct send_owner *owner,
			  const struct store_send *send);
	void (*refused)(void *app, const struct send_owner *owner, enum refusal reason);
	/* Sends that were refused may have been committed: the store serves again, and
	 * has to be looked at. */
	void (*look)(void *app);
	/* A batch of n sends, or with n 0 a probe, came to this end. */
	void (*failed)(void *app, int status, unsigned n);
};

struct commit_limits {
	uint64_t hold_ms;
	unsigned queue_max;            /* messages that wait */
	size_t batch_bytes, bytes_max; /* of texts: of a batch, and of all that waits */
};

/* What the committer is doing. */
enum commit_state {
	COMMIT_idle,
	COMMIT_committing,
	COMMIT_probing
};

struct committer {
	struct commit_io io;
	struct segment_slot *slot;
	struct queue queue;
	enum commit_state state;
	bool away;         /* the store says so, or nothing yet: it is left alone */
	bool look_due;     /* see commit_io.look */
	uint64_t hold_ms;  /* limit */
	uint64_t begun_us; /* of what is under way */
	uint64_t took_us;  /* of what was last */
	uint64_t ended_us; /* when that was */
	uint64_t retry_us; /* not before: a batch of unknown end */
};

/* `slot`: where the counters are; lent for the committer's life. */
void committer_init(struct committer *committer, const struct commit_io *io,
		    const struct commit_limits *limits, struct segment_slot *slot);

/* The store must be closed. Nobody is answered any more. */
void committer_release(struct committer *committer);

/* Takes a submission (copied), or refuses it at once. */
void committer_submit(struct committer *committer, uint32_t slot,
		      const struct record_submit *submit);

/* Gives the store the next batch, if one waits and none is under way. */
void committer_turn(struct committer *committer);

/* To be called each beat. */
void committer_tick(struct committer *committer);

/* As store_events.changed. */
void committer_changed(struct committer *committer, bool up);

/* Nothing waits for its commit. */
bool committer_is_done(const struct committer *committer);

#endif
