/*
 * drain - asks the gateway to drain, and watches it leave: parley-stat drain.
 *
 * Asked is the process that the kernel says holds the segment's lock, never a pid that
 * merely stands in a file. Being asked again does not hurry a gateway that drains.
 */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "healthd/watch.h"

struct drain_wish {
	bool asked;          /* the command line says drain */
	bool wait;           /* until it is gone */
	uint64_t timeout_ms; /* 0: by the gateway's own deadline */
};

/* 1: a word of ours, taken. 0: not, or nobody asked to drain. -EINVAL: ours, and wrong.
 */
int drain_take_word(const char *text, struct drain_wish *wish);

/* How to write it, for a usage line. */
#define DRAIN_USAGE "drain [--wait] [--timeout=SECONDS]"

/* Does it; tells on stdout how it goes, and on stderr in one sentence why it did not. The
 * exit code: 0 asked, or with `wait` gone; 1 it could not be asked, or is not gone in
 * time. */
int drain_run(struct watch *watch, const struct drain_wish *wish);

#endif
