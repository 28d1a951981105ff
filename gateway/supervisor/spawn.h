/*
 * spawn - starts a child: this program again, with descriptors at fixed numbers.
 *
 * The child gets stdin, stdout, stderr and the descriptors given, in the order of
 * gateway/inherit.h, and nothing else; default signals, an empty mask, a process group
 * of its own (a terminal's Ctrl-C is for the supervisor alone), and none of the
 * variables by which a service manager speaks to its one main process.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

#include "gateway/inherit.h"

/* In a child: default signals and an empty mask. USR2, which a manager may send to all,
 * is for the supervisor alone and ignored, also through an exec. */
void spawn_forget_signals(void);

/* fds[0] becomes INHERIT_SEGMENT, and so on; they stay the caller's. Workers dump core
 * up to the hard limit; the sequencer, which must be gone before another may start,
 * dumps none. -errno. */
int spawn_child(const struct inherited *inherited, const int *fds, unsigned n_fds,
		pid_t *ret_pid);

#endif
