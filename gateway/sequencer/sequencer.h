/*
 * sequencer - the one process that gives every message its place in its room.
 *
 * Reads what workers submit, numbers it 1, 2, 3 … per room, and writes it to its
 * ring, which all workers read: one order for everyone. Room heads live in the
 * supervisor's anonymous memory, so that a successor goes on without a hole or a
 * repeat. Also the process that will own the SQLite file: numbers come with the commit.
 */
#ifndef SEQUENCER_H
#define SEQUENCER_H

#include "gateway/inherit.h"

/* Runs until told to leave; returns the exit code of the process. */
int sequencer_run(const struct inherited *inherited, const struct settings *settings);

#endif
