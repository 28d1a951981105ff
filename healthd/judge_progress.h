/*
 * judge_progress - how far a drain or a roll is, and how long it still takes; for judge.c
 * only.
 *
 * By the gateway's own word on when and how fast it closes links; what makes no sense
 * is not told. Reads no clock: now is the uptime in the snapshot.
 */
#ifndef JUDGE_PROGRESS_H
#define JUDGE_PROGRESS_H

#include "healthd/judge.h"

/* Of a living gateway that can be read, whose connections are counted in the verdict. */
void judge_progress(const struct snapshot *snapshot, struct verdict *verdict);

/* "412 of 1000 connections left, about 12 s": as a reason. */
void progress_reason(struct verdict *verdict);

#endif
