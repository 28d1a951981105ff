/*
 * inherit - what a child process gets from the supervisor: descriptors at fixed
 * numbers and a few words on its command line.
 */
#ifndef INHERIT_H
#define INHERIT_H

#include <stdbool.h>

#include "common/segment.h"
#include "common/settings.h"

enum {
	INHERIT_SEGMENT = 3,
	INHERIT_BUS = 4,      /* memfd of bus_create */
	INHERIT_SETTINGS = 5, /* memfd with the settings in force, KEY=value */
	INHERIT_READY = 6,    /* write "R\n" once when ready */
	INHERIT_LIFELINE =
		7,         /* end of file: the supervisor is gone; drain shortly, leave */
	INHERIT_KEYS = 8,  /* memfds with copies of the files with keys; see below */
	INHERIT_WAKE = 11, /* an eventfd per slot, then the listening sockets */
};

/* Those files, by what they are keys for. */
enum {
	KEYS_tokens,
	KEYS_api,
	KEYS_certificate, /* with its key; for workers by way of a board */
	KEYS_FILES
};
_Static_assert((int)INHERIT_KEYS + (int)KEYS_FILES == (int)INHERIT_WAKE,
	       "a descriptor for each file");

struct inherited {
	enum role role;
	unsigned slot, seat;
	uint64_t generation;
	unsigned n_workers, n_slots; /* n_slots == segment_slots(n_workers) */
	unsigned n_listeners;        /* n_workers, or 1 when handed in from outside */
	bool shared_listener;        /* LISTEN_FDS: all accept from the one socket */
};

static inline int inherited_wake(unsigned slot)
{
	return INHERIT_WAKE + (int)slot;
}
static inline int inherited_listener(const struct inherited *inherited, unsigned i)
{
	return INHERIT_WAKE + (int)(inherited->n_slots + i);
}

/* Reads them. 1: a child; 0: not one (no --child); -EINVAL. */
int inherited_parse(int argc, char *const argv[], struct inherited *ret_inherited);

/*
 * First steps of every child: settings from INHERIT_SETTINGS, close-on-exec on all
 * inherited descriptors, an end soon after the supervisor's in any case, and log_open.
 */
int inherited_start(const struct inherited *inherited, struct settings *ret_settings,
		    struct why *why);

/* Tells the supervisor that this process serves; closes INHERIT_READY. */
void inherited_ready(void);

#endif
