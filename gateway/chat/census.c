#include "gateway/chat/census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/chat/presence.h"

struct census {
	struct census *prev, *next;
	uint32_t number;
	uint64_t late_at_ms;
	struct {
		uint64_t generation; /* of who has not answered all; 0: none */
		uint32_t n_named;    /* by it so far */
	} awaited[SEGMENT_SLOTS_MAX];
	unsigned n_awaited;
	struct crowd crowd; /* who was named */
	uint64_t n_unnamed;
	chat_census_done *done;
	void *app;
	struct text room; /* lies behind */
};

/* ---- asking --------------------------------------------------------------------- */

/* Those of this worker. */
static int count_here(struct chat *chat, struct census *census, struct text name)
{
	const struct room *room = rooms_find(&chat->rooms, name);
	const struct person *person;
	int r = 0;

	if (!room)
		return 0;
	PEOPLE_FOREACH(&room->crowd.people, person)
	if (person->n_here && r == 0)
		r = crowd_enter(&census->crowd, person_name(person));
	return r;
}

/* What names one to other workers, too. */
static void put_numbers(struct cast_out *cast, uint32_t generation, uint32_t number)
{
	(void)cast_put_number(cast, generation); /* there is place */
	(void)cast_put_number(cast, number);
}

static void await_others(struct chat *chat, struct census *census)
{
	uint64_t peers[SEGMENT_SLOTS_MAX] = { 0 };

	if (chat->io.peers)
		chat->io.peers(chat->io.app, peers);
	for (unsigned i = 0; i < SEGMENT_SLOTS_MAX; i++) {
		census->awaited[i].generation = peers[i];
		census->n_awaited += peers[i] != 0;
	}
}

/* Those who have answered do it once more, in vain. */
static int ask_others(struct chat *chat, const struct census *census)
{
	if (!census->n_awaited)
		return 0;
	cast_begin(&chat->cast, CAST_CENSUS, 0);
	put_numbers(&chat->cast, (uint32_t)chat->limits.generation, census->number);
	(void)cast_put_name(&chat->cast, census->room, false); /* there is place */
	return cast_may(chat) && cast_send(chat) ? 0 : -EAGAIN;
}

void censuses_ask_again(struct chat *chat)
{
	const struct census *census;

	DL_FOREACH(chat->censuses, census)
	if (ask_others(chat, census) < 0)
		return; /* at the next beat */
}

static void census_free(struct census *census)
{
	crowd_release(&census->crowd);
	free(census);
}

int census_begin(struct chat *chat, struct text room, chat_census_done *done, void *app,
		 struct census **ret_census)
{
	struct census *census;
	int r;

	if (chat->n_censuses >= CENSUSES_MAX)
		return -EAGAIN;
	census = calloc(1, sizeof *census + room.len);
	if (!census)
		return -ENOMEM;
	memcpy(census + 1, room.at, room.len);
	census->room = (struct text){ (const char *)(census + 1), room.len };
	census->number = ++chat->last_census;
	census->late_at_ms = chat->io.now_ms(chat->io.app) + CENSUS_MS;
	census->done = done;
	census->app = app;
	r = count_here(chat, census, room);
	await_others(chat, census);
	if (r == 0)
		r = ask_others(chat, census);
	if (r < 0) {
		census_free(census);
		return r;
	}
	DL_APPEND(chat->censuses, census);
	chat->n_censuses++;
	*ret_census = census;
	return 0;
}

/* ---- answering others ----------------------------------------------------------- */

static void begin_answer(struct chat *chat, uint8_t flags, uint32_t generation,
			 uint32_t number, uint32_t n)
{
	cast_begin(&chat->cast, CAST_COUNTED, flags);
	put_numbers(&chat->cast, generation, number);
	(void)cast_put_number(&chat->cast, n); /* there is place */
}

/* In as many casts as it takes; half of an answer is none, and asked for again. */
static void answer(struct chat *chat, uint32_t generation, uint32_t number,
		   const struct crowd *crowd)
{
	const struct person *person = crowd ? people_next(&crowd->people, NULL) : NULL;
	uint32_t n = crowd ? crowd->n_here : 0, named = 0;

	if (!cast_may(chat))
		return;
	begin_answer(chat, CAST_FIRST, generation, number, n);
	for (; person && named < WIRE_WHO_MAX;
	     person = people_next(&crowd->people, person)) {
		if (!person->n_here)
			continue;
		named++;
		if (cast_put_name(&chat->cast, person_name(person), false))
			continue;
		if (!cast_send(chat))
			return;
		begin_answer(chat, 0, generation, number, n);
		(void)cast_put_name(&chat->cast, person_name(person), false);
	}
	cast_flag(&chat->cast, CAST_LAST);
	(void)cast_send(chat); /* see above */
}

/* ---- hearing answers ------------------------------------------------------------ */

static void answered(struct census *census, uint32_t slot)
{
	census->awaited[slot].generation = 0;
	census->n_awaited--;
}

static struct census *find(struct chat *chat, uint32_t slot, uint64_t generation,
			   uint32_t number)
{
	struct census *census;

	DL_FOREACH(chat->censuses, census)
	if (census->number == number && census->awaited[slot].generation == generation)
		return census;
	return NULL;
}

static void hear_answer(struct census *census, uint32_t slot, uint32_t n,
			struct cast_in *cast)
{
	uint32_t *n_named = &census->awaited[slot].n_named;
	struct text user;
	bool flag;

	if (cast->flags & CAST_FIRST)
		*n_named = 0;
	while (cast_next_name(cast, &user, &flag)) {
		crowd_elsewhere(&census->crowd, slot, user, true);
		++*n_named;
	}
	if (!(cast->flags & CAST_LAST))
		return;
	census->n_unnamed += n > *n_named ? n - *n_named : 0;
	answered(census, slot);
}

void census_hear(struct chat *chat, uint32_t slot, uint64_t generation,
		 struct cast_in *cast)
{
	uint32_t asker, number, n;
	struct text name;
	bool flag;

	if (!cast_next_number(cast, &asker) || !cast_next_number(cast, &number))
		return;
	if (cast->kind == CAST_COUNTED) {
		struct census *census = find(chat, slot, generation, number);

		if (census && asker == (uint32_t)chat->limits.generation &&
		    cast_next_number(cast, &n))
			hear_answer(census, slot, n, cast);
	} else if (cast_next_name(cast, &name, &flag)) {
		const struct room *room = rooms_find(&chat->rooms, name);

		answer(chat, asker, number, room ? &room->crowd : NULL);
	}
}

void censuses_peer_gone(struct chat *chat, uint32_t slot, uint64_t generation)
{
	struct census *census;

	DL_FOREACH(chat->censuses, census)
	if (slot < SEGMENT_SLOTS_MAX && generation &&
	    census->awaited[slot].generation == generation)
		answered(census, slot);
}

/* ---- results -------------------------------------------------------------------- */

void census_forget(struct chat *chat, struct census *census)
{
	DL_DELETE(chat->censuses, census);
	chat->n_censuses--;
	census_free(census);
}

static void finish(struct chat *chat, struct census *census)
{
	const struct people *people = &census->crowd.people;
	const struct person *person = people_next(people, NULL);
	struct text users[WIRE_WHO_MAX];
	struct chat_census result = {
		.users = users,
		.total = crowd_members(&census->crowd) + census->n_unnamed,
		.complete = !census->n_awaited,
	};

	for (; person && result.n < WIRE_WHO_MAX; person = people_next(people, person))
		users[result.n++] = person_name(person);
	census->done(census->app, &result);
	census_forget(chat, census);
}

void censuses_turn(struct chat *chat)
{
	struct census *census, *next;
	uint64_t now_ms;

	if (!chat->censuses)
		return;
	now_ms = chat->io.now_ms(chat->io.app);
	DL_FOREACH_SAFE(chat->censuses, census, next)
	if (!census->n_awaited || now_ms >= census->late_at_ms)
		finish(chat, census);
}

void censuses_forget(struct chat *chat)
{
	while (chat->censuses)
		census_forget(chat, chat->censuses);
}
