/*
 * grants - which rooms somebody may join, and to which they may send.
 *
 * Patterns of room names: `*` stands for any run of bytes, also an empty one; every
 * other byte for itself. Read-only once made, counted by reference, and shared by all
 * whose tokens say the same. NULL stands for everything, as in open mode.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/message.h"

enum grant {
	GRANT_join,
	GRANT_send,
	GRANT_COUNT
};

enum {
	GRANT_PATTERNS_MAX = 64, /* of each kind */
	GRANT_PATTERN_MAX = 128, /* bytes */
};

struct grants;

/* A list of patterns; lent for the length of the call. */
struct grant_list {
	const struct text *patterns;
	size_t n;
};

/* Returns new in *ret_grants. -ENOMEM; -E2BIG: more or longer than the bounds above. */
int grants_new(const struct grant_list lists[GRANT_COUNT], struct grants **ret_grants);

/* One reference more; one less. NULL is accepted. */
struct grants *grants_ref(struct grants *grants);
void grants_unref(struct grants *grants);

bool grants_allow(const struct grants *grants, enum grant grant, struct text room);

/* Whether both were made of the same lists. Neither is NULL. */
bool grants_same(const struct grants *a, const struct grants *b);

/* A number for tables; the same for those that are the same. */
unsigned grants_hash(const struct grants *grants);

/* Takes time in proportion to both lengths together. */
bool grants_match(struct text pattern, struct text room);

#endif
