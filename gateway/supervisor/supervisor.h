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

/* Runs until stopped; returns the exit code (0, 1, or 78 for a bad start). */
int supervisor_run(const struct settings *settings,
		   const struct supervisor_source *source);

#endif
