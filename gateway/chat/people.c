#include "gateway/chat/people.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/check.h"

enum {
	SIZE_FIRST = 4,
	CHAIN_MAX = 2 /* as the average */
};

static uint32_t place_of(struct text name, uint32_t size)
{
	uint32_t hash;

	HASH_VALUE(name.at, name.len, hash);
	return hash & (size - 1);
}

static int resize(struct people *people, uint32_t size)
{
	struct person **chains = calloc(size, sizeof(struct person *));

	if (!chains)
		return -ENOMEM;
	for (uint32_t i = 0; i < people->size; i++) {
		struct person *person = people->chains[i], *next;

		for (; person; person = next) {
			uint32_t place = place_of(person_name(person), size);

			next = person->chain;
			person->chain = chains[place];
			chains[place] = person;
		}
	}
	free(people->chains);
	people->chains = chains;
	people->size = size;
	return 0;
}

struct person *people_find(const struct people *people, struct text name)
{
	struct person *person;

	if (!people->size)
		return NULL;
	person = people->chains[place_of(name, people->size)];
	while (person && !text_equal(person_name(person), name))
		person = person->chain;
	return person;
}

struct person *people_add(struct people *people, struct text name)
{
	struct person *person;
	struct person **chain;

	CHECK(name.len <= USER_NAME_MAX);
	if (!people->size && resize(people, SIZE_FIRST) < 0)
		return NULL;
	if (people->n >= CHAIN_MAX * people->size)
		(void)resize(people, 2 * people->size); /* or chains get longer */
	person = calloc(1, sizeof *person + name.len);
	if (!person)
		return NULL;
	person->name_len = (uint8_t)name.len;
	memcpy(person->name, name.at, name.len);
	chain = &people->chains[place_of(name, people->size)];
	person->chain = *chain;
	*chain = person;
	people->n++;
	return person;
}

void people_remove(struct people *people, struct person *person)
{
	struct person **at = &people->chains[place_of(person_name(person), people->size)];

	while (*at != person) {
		CHECK(*at);
		at = &(*at)->chain;
	}
	*at = person->chain;
	free(person->elsewhere);
	free(person);
	people->n--;
	if (people->size > SIZE_FIRST && people->n <= people->size / 2)
		(void)resize(people, people->size / 2); /* or it stays large */
}

struct person *people_next(const struct people *people, const struct person *person)
{
	uint32_t i = 0;

	if (person && person->chain)
		return person->chain;
	if (person)
		i = place_of(person_name(person), people->size) + 1;
	while (i < people->size && !people->chains[i])
		i++;
	return i < people->size ? people->chains[i] : NULL;
}

void people_release(struct people *people)
{
	for (uint32_t i = 0; i < people->size; i++) {
		struct person *person = people->chains[i], *next;

		for (; person; person = next) {
			next = person->chain;
			free(person->elsewhere);
			free(person);
		}
	}
	free(people->chains);
	memset(people, 0, sizeof *people);
}
