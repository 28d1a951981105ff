/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/chat/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"

/* ---- one person ----------------------------------------------------------------- */

static bool anywhere_else(const struct person *person)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < CROWD_SLOT_WORDS; i++)
		any |= person->elsewhere[i];
	return any != 0;
}

bool person_present(const struct person *person)
{
	return person->n_here || anywhere_else(person);
}

static struct person *find(const struct crowd *crowd, struct text user)
{
	struct person *person;

	HASH_FIND(hh, crowd->by_name, user.at, user.len, person);
	return person;
}

static struct person *add(struct crowd *crowd, struct text user)
{
	struct person *person = calloc(1, sizeof *person + user.len);

	CHECK(user.len <= USER_NAME_MAX);
	if (!person)
		return NULL;
	person->name_len = (uint8_t)user.len;
	memcpy(person->name, user.at, user.len);
	HASH_ADD_KEYPTR(hh, crowd->by_name, person->name, person->name_len, person);
	if (!person->hh.tbl) {
		free(person);
		return NULL;
	}
	return person;
}

static void remove_person(struct crowd *crowd, struct person *person)
{
	if (person->changed)
		DL_DELETE(crowd->changed, person);
	HASH_DEL(crowd->by_name, person);
	free(person);
}

/* After a change: the counts follow, and the list of those to be told of. */
static void changed(struct crowd *crowd, struct person *person, bool was_here,
		    bool was_present)
{
	bool here = person->n_here > 0, present = person_present(person);
	bool differs = here != person->cast || present != person->told;

	crowd->n_here += (uint32_t)here - (uint32_t)was_here;
	crowd->n_present += (uint32_t)present - (uint32_t)was_present;
	if (differs && !person->changed)
		DL_APPEND(crowd->changed, person);
	else if (!differs && person->changed)
		DL_DELETE(crowd->changed, person);
	person->changed = differs;
	if (!differs && !present)
		remove_person(crowd, person);
}

void crowd_settle(struct crowd *crowd, struct person *person)
{
	bool here = person->n_here > 0, present = person_present(person);

	CHECK(person->changed);
	person->cast = here;
	person->told = present;
	changed(crowd, person, here, present);
}

/* ---- here ----------------------------------------------------------------------- */

int crowd_enter(struct crowd *crowd, struct text user)
{
	struct person *person = find(crowd, user);
	bool was_present;

	if (!person)
		person = add(crowd, user);
	if (!person)
		return -ENOMEM;
	was_present = person_present(person);
	person->n_here++;
	changed(crowd, person, person->n_here > 1, was_present);
	return 0;
}

void crowd_leave(struct crowd *crowd, struct text user)
{
	struct person *person = find(crowd, user);

	CHECK(person && person->n_here);
	person->n_here--;
	changed(crowd, person, true, true);
}

/* ---- elsewhere ------------------------------------------------------------------ */

static struct counted *find_counted(const struct crowd *crowd, unsigned slot)
{
	for (uint32_t i = 0; i < crowd->n_counted; i++)
		if (crowd->counted[i].slot == slot)
			return &crowd->counted[i];
	return NULL;
}

void crowd_elsewhere(struct crowd *crowd, unsigned slot, struct text user, bool there)
{
	struct person *person = find(crowd, user);
	uint64_t bit = 1ull << slot % 64;
	bool was_present;

	CHECK(slot < SEGMENT_SLOTS_MAX);
	if (!person && there)
		person = add(crowd, user);
	if (!person)
		return;
	was_present = person_present(person);
	if (there)
		person->elsewhere[slot / 64] |= bit;
	else
		person->elsewhere[slot / 64] &= ~bit;
	changed(crowd, person, person->n_here > 0, was_present);
}

bool crowd_forget(struct crowd *crowd, unsigned slot)
{
	struct counted *counted = find_counted(crowd, slot);
	struct person *person, *next;
	uint64_t bit = 1ull << slot % 64;
	bool had = counted != NULL;

	if (counted)
		*counted = crowd->counted[--crowd->n_counted];
	HASH_ITER(hh, crowd->by_name, person, next)
	{
		if (!(person->elsewhere[slot / 64] & bit))
			continue;
		had = true;
		person->elsewhere[slot / 64] &= ~bit;
		changed(crowd, person, person->n_here > 0, true);
	}
	return had;
}

void crowd_count(struct crowd *crowd, unsigned slot, uint32_t n)
{
	struct counted *grown;

	(void)crowd_forget(crowd, slot);
	if (!n)
		return;
	grown = realloc(crowd->counted, (crowd->n_counted + 1) * sizeof *grown);
	if (!grown)
		return;
	crowd->counted = grown;
	crowd->counted[crowd->n_counted++] = (struct counted){ slot, n };
}

/* ---- all ------------------------------------------------------------------------ */

uint64_t crowd_members(const struct crowd *crowd)
{
	uint64_t n = crowd->n_present;

	for (uint32_t i = 0; i < crowd->n_counted; i++)
		n += crowd->counted[i].n;
	return n;
}

void crowd_release(struct crowd *crowd)
{
	struct person *person = crowd->by_name, *next;

	HASH_CLEAR(hh, crowd->by_name); /* the persons stay, each with its next */
	for (; person; person = next) {
		next = person->hh.next;
		free(person);
	}
	free(crowd->counted);
	memset(crowd, 0, sizeof *crowd);
}
