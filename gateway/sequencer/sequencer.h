/*
 * sequencer - the one process that gives every message its place in its room.
 *
 * The one writer of the store. Reads what workers submit, has it committed in batches
 * (commit.h), in which it is numbered 1, 2, 3 … per room, and only then writes it to its
 * ring, which all workers read: one order for everyone, and nobody hears of a message
 * that could still be lost. Casts of workers are relayed on the way. Its death costs a
 * restart: what was not answered is submitted again, and what was committed of it comes
 * back as a repeat.
 */
#ifndef SEQUENCER_H
#define SEQUENCER_H

#include "gateway/inherit.h"

/* Runs until told to leave; returns the exit code of the process. */
int sequencer_run(const struct inherited *inherited, const struct settings *settings);

#endif
