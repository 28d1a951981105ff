/*
 * supervisor - owns what must outlive a worker, and keeps the workers alive.
 *
 * Listening sockets, the status segment, the bus's memory; spawning, readiness,
 * hang detection, back-off, reaping, drain, rolling reload, sd_notify. Accepts
 * nothing, parses nothing from the network, and blocks on nothing.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "common/settings.h"
#include "gateway/inherit.h"

/* How the settings were given, so that HUP can read them again. */
struct supervisor_source {
	int argc;
	char *const *argv;
	char *const *environ;
	/* Returns new descriptors, close-on-exec, with checked copies of the files with
	 * keys that the settings point to; -errno with the reason, and none. */
	int (*read_keys)(const struct settings *settings, int ret_fds[KEYS_FILES],
			 struct why *why);
};

/* Whether we were started to take a running gateway's place, or to say whether we would;
 * then *ret_fd has its state. Forgets the variable that said so. */
enum supervisor_handover {
	HANDOVER_none,
	HANDOVER_try,
	HANDOVER_take
};
enum supervisor_handover supervisor_handover(int *ret_fd);

/* Whether this program could: state, segment, bus and settings are as it knows them.
 * -errno with the reason. */
int supervisor_try(int fd, struct why *why);

/* The same process goes on as this program: runs until stopped; returns the exit code,
 * which is never 78. Settings are those handed over, until they are read again. */
int supervisor_resume(const struct supervisor_source *source, int fd);

/* Runs until stopped; returns the exit code (0, 1, or 78 for a bad start). */
int supervisor_run(const struct settings *settings,
		   const struct supervisor_source *source);

#endif
