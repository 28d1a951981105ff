/*
 * lane - a thread for what blocks: a queue of jobs, one at a time, in order.
 *
 * For back ends whose library blocks. The thread owns a connection: it makes it, makes it
 * anew with back-off when it is lost, and looks once a second whether it still is one.
 * Only the thread touches what a job works on, only the loop touches who waits for it:
 * a job that is late is answered by the loop, at its deadline, while the thread goes on;
 * so a job must own what it works on, and is disposed of when both are through with it.
 */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"

struct lane;
struct lane_job;
struct uv_loop_s;

struct lane_ops {
	/* In the thread: makes the connection, 0 or -errno with the reason; drops it;
	 * says whether it is of no use any more, asked before and after each job. */
	int (*connect)(void *app, struct why *why);
	void (*disconnect)(void *app);
	bool (*is_lost)(void *app, struct why *why);
	/* In the thread: a piece of its own work after each job, when the answer is on
	 * its way; and a small one when there is no job, connected, then again after as
	 * many milliseconds as it returns. */
	void (*after)(void *app);
	uint64_t (*idle)(void *app);
	/* On the loop: connected, or not (a late job is a lost connection until it ends).
	 * Not after lane_close(). */
	void (*changed)(void *app, bool up, const char *why);
	/* On the loop: the thread is gone, and so is the lane. May free it all. */
	void (*closed)(void *app);
};

struct lane_job {
	/* In the thread, connected: 0 or -errno. */
	int (*work)(struct lane_job *job, void *app);
	/* On the loop, once: the status of the work; -ETIMEDOUT: its end is not known;
	 * -ENOTCONN: it was not begun, or its end is not known. */
	void (*answer)(struct lane_job *job, int status);
	void (*dispose)(struct lane_job *job); /* on the loop, once, after the answer */

	/* The lane's own. */
	struct lane_job *prev, *next;
	uint64_t due_ms;
	int status;
	bool is_answered; /* the loop's */
};

/* `ops` and `app` are lent until closed(). -errno. */
int lane_open(struct uv_loop_s *loop, const struct lane_ops *ops, void *app,
	      uint64_t deadline_ms, struct lane **ret_lane);

/* Answers all that is under way with -ENOTCONN, from within; closed() follows when the
 * thread has ended. */
void lane_close(struct lane *lane);

/* Takes the job. -ENOTCONN (and it is the caller's still): there is no connection. It is
 * accepted while the first connection is being made. */
int lane_give(struct lane *lane, struct lane_job *job);

#endif
