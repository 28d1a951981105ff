#include "gateway/chat/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

enum {
	SLOT_WORDS = (SEGMENT_SLOTS_MAX + 63) / 64
};

/* ---- one person ----------------------------------------------------------------- */

static bool anywhere_else(const struct person *person)
{
	uint64_t any = 0;

	for (unsigned i = 0; person->elsewhere && i < SLOT_WORDS; i++)
		any |= person->elsewhere[i];
	return any != 0;
}

bool person_present(const struct person *person)
{
	return person->n_here || anywhere_else(person);
}

/* After a change: the counts follow, and the list of those to be told of. */
static void changed(struct crowd *crowd, struct person *person, bool was_here,
		    bool was_present)
{
	bool here = person->n_here > 0, present = person_present(person);

	crowd->n_here += (uint32_t)here - (uint32_t)was_here;
	crowd->n_present += (uint32_t)present - (uint32_t)was_present;
	if (person->changed ||
	    (present && here == person->cast && present == person->told))
		return;
	person->changed = true;
	if (crowd->changed)
		crowd->last_changed->next_changed = person;
	else
		crowd->changed = person;
	crowd->last_changed = person;
}

void crowd_settle(struct crowd *crowd)
{
	struct person *person = crowd->changed;

	CHECK(person && person->changed);
	crowd->changed = person->next_changed;
	person->next_changed = NULL;
	person->changed = false;
	person->cast = person->n_here > 0;
	person->told = person_present(person);
	if (!person->told)
		people_remove(&crowd->people, person);
}

/* ---- here ----------------------------------------------------------------------- */

int crowd_enter(struct crowd *crowd, struct text user)
{
	struct person *person = people_find(&crowd->people, user);
	bool was_present;

	if (!person)
		person = people_add(&crowd->people, user);
	if (!person)
		return -ENOMEM;
	was_present = person_present(person);
	person->n_here++;
	changed(crowd, person, person->n_here > 1, was_present);
	return 0;
}

void crowd_leave(struct crowd *crowd, struct text user)
{
	struct person *person = people_find(&crowd->people, user);

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

/* -ENOMEM. */
static int set_elsewhere(struct person *person, unsigned slot, bool there)
{
	uint64_t bit = 1ull << slot % 64;

	if (!person->elsewhere && there)
		person->elsewhere = calloc(SLOT_WORDS, sizeof *person->elsewhere);
	if (!person->elsewhere)
		return there ? -ENOMEM : 0;
	if (there)
		person->elsewhere[slot / 64] |= bit;
	else
		person->elsewhere[slot / 64] &= ~bit;
	return 0;
}

void crowd_elsewhere(struct crowd *crowd, unsigned slot, struct text user, bool there)
{
	struct person *person = people_find(&crowd->people, user);
	bool was_present;

	CHECK(slot < SEGMENT_SLOTS_MAX);
	if (!person && there)
		person = people_add(&crowd->people, user);
	if (!person)
		return;
	was_present = person_present(person);
	(void)set_elsewhere(person, slot, there); /* or is missing */
	changed(crowd, person, person->n_here > 0, was_present);
}

bool crowd_forget(struct crowd *crowd, unsigned slot)
{
	struct counted *counted = find_counted(crowd, slot);
	struct person *person;
	uint64_t bit = 1ull << slot % 64;
	bool had = counted != NULL;

	if (counted)
		*counted = crowd->counted[--crowd->n_counted];
	PEOPLE_FOREACH(&crowd->people, person)
	{
		if (!person->elsewhere || !(person->elsewhere[slot / 64] & bit))
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
	people_release(&crowd->people);
	free(crowd->counted);
	memset(crowd, 0, sizeof *crowd);
}
