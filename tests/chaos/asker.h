/*
 * asker - asks healthd at a steady rate over several kept connections.
 *
 * Each connection has one question under way. A kept connection that healthd ends just
 * as it is asked is dialled anew and asked again, once, as RFC 9112 has it; a question
 * that a new connection brings no answer to, or none within SILENCE_MS, is unanswered.
 */
#ifndef ASKER_H
#define ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "tests/chaos/faults.h"

struct answer {
	enum path path;
	uint64_t asked_us, answered_us; /* monotonic */
	const char *failure;            /* why there is none; NULL */
	unsigned code;
	const char *body; /* ends in a NUL */
};

struct asker;

/* Begins to ask; `told` gets every question's end. Lends `told` and `context`. */
int asker_new(uv_loop_t *loop, unsigned port, unsigned n_lines, unsigned rate,
	      void (*told)(void *context, const struct answer *answer), void *context,
	      struct asker **ret_asker);
/* From now on it asks for nothing else. */
void asker_only(struct asker *asker, enum path path);
/* No further questions; answers may still come. */
void asker_stop(struct asker *asker);
/* Closes everything; frees itself once all is closed. */
void asker_free(struct asker *asker);
/* How late the asker's own clock was for longer than a moment since this was last asked:
 * the machine did not let it run. */
uint64_t asker_late_us(struct asker *asker);

uint64_t asker_now_us(void);

#endif
