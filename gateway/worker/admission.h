/*
 * admission - asks auth about a handshake's token, counts what it says, and logs it.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include "common/segment_writer.h"
#include "gateway/auth/auth.h"
#include "gateway/wire/handshake.h"

/* 0: user, grants and ends_ms of the handshake are those of the token; 401. */
int admission_judge(struct auth *auth, struct segment_slot *slot,
		    struct handshake *handshake);

#endif
