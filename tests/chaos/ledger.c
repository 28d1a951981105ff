/* ledger - what every room's sequence is, as told by all, and what does not fit. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tests/chaos/chaos.h"

enum {
	PRINTED_MAX = 40,
	SEQ_MAX = 50000000 /* beyond it a sequence is nonsense */
};

void chaos_violation(struct chaos *chaos, const char *format, ...)
{
	va_list args;

	if (chaos->counts.violations++ >= PRINTED_MAX)
		return;
	printf("violation after %.2f s: ",
	       (double)(load_now_ms() - chaos->start_ms) / 1000);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\n");
}

struct room *ledger_room(struct chaos *chaos, const char *name)
{
	for (unsigned i = 0; name && i < chaos->n_rooms; i++)
		if (!strcmp(chaos->rooms[i].name, name))
			return &chaos->rooms[i];
	return NULL;
}

static struct entry *entry(struct room *room, uint64_t seq)
{
	if (seq > room->size) {
		uint64_t size = seq * 2 + 64;

		room->entries = realloc(room->entries, size * sizeof(*room->entries));
		CHECK(room->entries);
		for (uint64_t i = room->size; i < size; i++)
			room->entries[i] = (struct entry){ .client = NOBODY };
		room->size = size;
	}
	if (seq > room->n_entries)
		room->n_entries = seq;
	return &room->entries[seq - 1];
}

static unsigned index_of(const struct client *client, const struct room *room)
{
	return (unsigned)(room - client->chaos->rooms);
}

/* Whose send it is; NULL after telling that it is nobody's. */
static struct send *identify(struct client *client, const struct room *room,
			     const json_t *message, uint32_t *ret_client,
			     uint32_t *ret_number)
{
	struct chaos *chaos = client->chaos;
	const char *id = json_string_value(json_object_get(message, "id"));
	const char *from = json_string_value(json_object_get(message, "from"));
	const char *body = json_string_value(json_object_get(message, "body"));
	char expected[BODY_MAX + 1], *end = NULL;
	struct send *send;

	if (!id || !from || !body || id[0] != 'm' || from[0] != 'u')
		goto nobody;
	*ret_number = (uint32_t)strtoul(id + 1, &end, 10);
	if (*end)
		goto nobody;
	*ret_client = (uint32_t)strtoul(from + 1, &end, 10);
	if (*end || *ret_client >= chaos->n_clients ||
	    *ret_number >= chaos->clients[*ret_client].n_sends)
		goto nobody;
	send = &chaos->clients[*ret_client].sends[*ret_number];
	if (chaos->clients[*ret_client].seats[send->seat].room != index_of(client, room))
		goto nobody;
	sends_body(chaos, *ret_client, *ret_number, expected);
	if (strcmp(body, expected) != 0)
		chaos_violation(chaos, "%s: %s of %s came to u%u with another body",
				room->name, id, from, client->number);
	return send;
nobody:
	chaos_violation(chaos, "%s: u%u got id %s from %s, which nobody sent there",
			room->name, client->number, id ? id : "(none)",
			from ? from : "(none)");
	return NULL;
}

static void compare(struct client *client, const struct room *room, uint64_t seq,
		    const struct entry *known, const struct entry *told, const char *how)
{
	struct chaos *chaos = client->chaos;

	if (known->client != told->client || known->number != told->number)
		chaos_violation(chaos,
				"two orders: %s seq %lu is m%u of u%u, but u%u was told "
				"(%s) m%u of u%u",
				room->name, seq, known->number, known->client,
				client->number, how, told->number, told->client);
	else if (known->at_ms != told->at_ms)
		chaos_violation(
			chaos, "%s seq %lu: `at` was %lu, but u%u was told (%s) %lu",
			room->name, seq, known->at_ms, client->number, how, told->at_ms);
}

/* The first time that anybody tells what this sequence is. */
static void enter(struct client *client, struct room *room, uint64_t seq,
		  struct send *send, const struct entry *told, const char *how)
{
	struct chaos *chaos = client->chaos;

	if (send->seen && send->seen != seq)
		chaos_violation(chaos,
				"twice: %s has m%u of u%u as seq %lu and as seq %lu "
				"(told u%u by %s)",
				room->name, told->number, told->client, send->seen, seq,
				client->number, how);
	else if (send->seq && send->seq != seq)
		chaos_violation(chaos,
				"%s: m%u of u%u was acknowledged as seq %lu, but u%u was "
				"told (%s) seq %lu",
				room->name, told->number, told->client, send->seq,
				client->number, how, seq);
	send->seen = seq;
	*entry(room, seq) = *told;
}

uint64_t ledger_heard(struct client *client, struct room *room, const json_t *message,
		      const char *how)
{
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(message, "seq"));
	struct entry told = {
		.at_ms = (uint64_t)json_integer_value(json_object_get(message, "at")),
	};
	struct send *send = identify(client, room, message, &told.client, &told.number);

	if (!seq || seq > SEQ_MAX) {
		chaos_violation(client->chaos, "%s: u%u was told seq %lu", room->name,
				client->number, seq);
		return 0;
	}
	if (seq > room->head)
		room->head = seq;
	if (!send)
		return seq;
	if (entry(room, seq)->client == NOBODY)
		enter(client, room, seq, send, &told, how);
	else
		compare(client, room, seq, entry(room, seq), &told, how);
	if (client->reader && !strcmp(how, "history"))
		entry(room, seq)->paged = true;
	else if (client->reader)
		entry(room, seq)->resumed = true;
	return seq;
}

void ledger_acked(struct client *client, uint32_t number, uint64_t seq, uint64_t at_ms)
{
	struct chaos *chaos = client->chaos;
	struct send *send = &client->sends[number];
	const struct room *room = &chaos->rooms[client->seats[send->seat].room];

	if (send->seq && (send->seq != seq || send->at_ms != at_ms))
		chaos_violation(chaos,
				"%s: m%u of u%u was acknowledged as seq %lu at %lu, and "
				"its repeat as seq %lu at %lu",
				room->name, number, client->number, send->seq,
				send->at_ms, seq, at_ms);
	else if (send->seen && send->seen != seq)
		chaos_violation(chaos,
				"%s: m%u of u%u was delivered as seq %lu and "
				"acknowledged as seq %lu",
				room->name, number, client->number, send->seen, seq);
	if (!send->seq) {
		send->seq = seq;
		send->at_ms = at_ms;
		chaos->counts.acked++;
	}
	if (send->state == SEND_UNDER_WAY || send->state == SEND_WAITING)
		send->state = SEND_ACKED;
}

/* ---- the end ---- */

static void close_room(struct chaos *chaos, const struct room *room)
{
	for (uint64_t seq = 1; seq <= room->n_entries; seq++) {
		const struct entry *entry = &room->entries[seq - 1];

		if (entry->client == NOBODY && !chaos->trims)
			chaos_violation(chaos,
					"hole: %s has no seq %lu (its head is %lu)",
					room->name, seq, room->head);
		else if (entry->client != NOBODY && !(entry->resumed && entry->paged) &&
			 !chaos->trims)
			chaos_violation(chaos,
					"%s seq %lu, m%u of u%u, was delivered, but is "
					"not in %s",
					room->name, seq, entry->number, entry->client,
					entry->paged ? "what join since 0 gives"
						     : "history");
	}
}

static bool in_place(const struct chaos *chaos, const struct room *room,
		     const struct client *client, uint32_t number)
{
	uint64_t seq = client->sends[number].seq;

	return seq <= room->n_entries &&
	       room->entries[seq - 1].client == client->number &&
	       room->entries[seq - 1].number == number;
}

/* Acknowledged ones are there; those that were said once are in the order of that. */
static void close_client(struct chaos *chaos, const struct client *client)
{
	uint64_t newest[SEATS_MAX] = { 0 };

	for (uint32_t i = 0; i < client->n_sends; i++) {
		const struct send *send = &client->sends[i];
		const struct room *room = &chaos->rooms[client->seats[send->seat].room];

		if (send->seq && !in_place(chaos, room, client, i) && !chaos->trims)
			chaos_violation(chaos,
					"lost: m%u of u%u was acknowledged as seq %lu of "
					"%s, but is not there",
					i, client->number, send->seq, room->name);
		if (!send->seq || send->again)
			continue;
		if (send->seq <= newest[send->seat])
			chaos_violation(
				chaos,
				"%s: u%u said m%u later than what became seq %lu, "
				"yet it is seq %lu",
				room->name, client->number, i, newest[send->seat],
				send->seq);
		newest[send->seat] = send->seq;
	}
}

void ledger_close(struct chaos *chaos)
{
	for (unsigned i = 0; i < chaos->n_rooms; i++)
		close_room(chaos, &chaos->rooms[i]);
	for (unsigned i = 0; i < chaos->n_clients; i++)
		close_client(chaos, &chaos->clients[i]);
}
