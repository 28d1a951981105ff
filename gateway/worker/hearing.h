/*
 * hearing - what the chat hears of the sequencer and of the other workers' lives.
 *
 * Internal to the worker.
 */
#ifndef HEARING_H
#define HEARING_H

#include "gateway/worker/wiring.h"

/* Reads what is new on the bus, to a bound. */
void hearing_turn(struct worker *worker);

/* Looks whose life is over; at each beat and wake. */
void hearing_look(struct worker *worker);

#endif
