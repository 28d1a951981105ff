/*
 * deaths - what is known of processes that died: as JSON, and in words.
 */
#ifndef DEATHS_H
#define DEATHS_H

#include <jansson.h>
#include <stddef.h>

#include "common/segment_reader.h"

enum {
	DEATH_WORDS = 240
};

/* An array, the latest first. New; NULL without memory. */
json_t *deaths_report(const struct snapshot *snapshot);

/* How long ago, by the gateway's own clock. */
uint64_t death_ago_ms(const struct snapshot *snapshot,
		      const struct snapshot_death *death);

/* "worker 2 died 30 s ago (killed, signal 9, in polling): 412 of 415 links are back, 412
 * whole". */
void death_words(const struct snapshot *snapshot, const struct snapshot_death *death,
		 char ret_words[DEATH_WORDS]);

#endif
