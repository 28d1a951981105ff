/*
 * worker - one process that serves clients: loop, transport, chat and bus together.
 */
#ifndef WORKER_H
#define WORKER_H

#include "gateway/inherit.h"

/* Runs until drained; returns the exit code of the process. */
int worker_run(const struct inherited *inherited, const struct settings *settings);

#endif
