#include "gateway/grants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

/* `bytes` holds the patterns of both lists one after the other, each behind a byte
 * with its length. */
struct grants {
	uint32_t n_refs;
	uint32_t n[GRANT_COUNT];
	uint32_t len;
	uint8_t bytes[];
};

static uint8_t *put(uint8_t *at, const struct grant_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		*at++ = (uint8_t)list->patterns[i].len;
		memcpy(at, list->patterns[i].at, list->patterns[i].len);
		at += list->patterns[i].len;
	}
	return at;
}

int grants_new(const struct grant_list lists[GRANT_COUNT], struct grants **ret_grants)
{
	struct grants *grants;
	uint8_t *at;
	size_t len = 0;

	for (unsigned i = 0; i < GRANT_COUNT; i++) {
		if (lists[i].n > GRANT_PATTERNS_MAX)
			return -E2BIG;
		for (size_t p = 0; p < lists[i].n; p++) {
			if (lists[i].patterns[p].len > GRANT_PATTERN_MAX)
				return -E2BIG;
			len += 1 + lists[i].patterns[p].len;
		}
	}
	grants = malloc(sizeof *grants + len);
	if (!grants)
		return -ENOMEM;
	*grants = (struct grants){ .n_refs = 1, .len = (uint32_t)len };
	at = grants->bytes;
	for (unsigned i = 0; i < GRANT_COUNT; i++) {
		grants->n[i] = (uint32_t)lists[i].n;
		at = put(at, &lists[i]);
	}
	*ret_grants = grants;
	return 0;
}

struct grants *grants_ref(struct grants *grants)
{
	if (grants)
		grants->n_refs++;
	return grants;
}

void grants_unref(struct grants *grants)
{
	if (!grants)
		return;
	CHECK(grants->n_refs > 0);
	if (--grants->n_refs == 0)
		free(grants);
}

bool grants_same(const struct grants *a, const struct grants *b)
{
	return a->len == b->len && memcmp(a->n, b->n, sizeof a->n) == 0 &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

unsigned grants_hash(const struct grants *grants)
{
	unsigned hash = 2166136261u; /* FNV-1a */

	for (uint32_t i = 0; i < grants->len; i++)
		hash = (hash ^ grants->bytes[i]) * 16777619u;
	return hash;
}

/* ---- matching --------------------------------------------------------------------- */

/* Up to the first star the pattern must stand at the room's start, behind the last one
 * at its end; what is between two stars may as well be found as early as possible. */
bool grants_match(struct text pattern, struct text room)
{
	const char *star = memchr(pattern.at, '*', pattern.len);
	const char *at = pattern.at, *end = pattern.at + pattern.len;
	const char *name = room.at, *name_end = room.at + room.len;

	if (!star)
		return pattern.len == room.len &&
		       memcmp(pattern.at, room.at, room.len) == 0;
	if ((size_t)(star - at) > room.len || memcmp(at, name, (size_t)(star - at)) != 0)
		return false;
	name += star - at;
	for (at = star + 1; (star = memchr(at, '*', (size_t)(end - at))); at = star + 1) {
		name = memmem(name, (size_t)(name_end - name), at, (size_t)(star - at));
		if (!name)
			return false;
		name += star - at;
	}
	return name_end - name >= end - at &&
	       memcmp(name_end - (end - at), at, (size_t)(end - at)) == 0;
}

bool grants_allow(const struct grants *grants, enum grant grant, struct text room)
{
	const uint8_t *at;
	bool allowed = false;

	if (!grants)
		return true;
	at = grants->bytes;
	for (unsigned i = 0; i < (unsigned)grant; i++)
		for (uint32_t p = 0; p < grants->n[i]; p++)
			at += 1 + *at;
	for (uint32_t p = 0; p < grants->n[grant] && !allowed; p++) {
		allowed = grants_match((struct text){ (const char *)at + 1, *at }, room);
		at += 1 + *at;
	}
	return allowed;
}
