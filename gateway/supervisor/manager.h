/*
 * manager - what the service manager is told (sd_notify): ready, status, watchdog.
 *
 * What its full queue refuses is told again with the next tick. Without a manager
 * nothing happens.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include <stdint.h>

struct manager {
	uint64_t watchdog_ms, pet_at_ms; /* 0: no watchdog is asked for */
	char status[96];                 /* as told last */
	char pending[256];               /* not yet told */
};

/* Reads WATCHDOG_USEC and WATCHDOG_PID. */
void manager_init(struct manager *manager);

/* Lines of NAME=value. */
void manager_tell(struct manager *manager, const char *lines);

/* STATUS=, if it is another one than before. */
void manager_status(struct manager *manager, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Pets the watchdog in time, and repeats what could not be told. */
void manager_tick(struct manager *manager, uint64_t now_ms);

#endif
