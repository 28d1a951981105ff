/* client - the life of a checking client's connection, and what it is told. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tests/chaos/chaos.h"

bool client_open(const struct client *client)
{
	return client->link.state == LOAD_OPEN && client->since_ms;
}

void client_say(struct client *client, const char *format, ...)
{
	char text[BODY_MAX + 512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	CHECK(len > 0 && (size_t)len < sizeof(text));
	load_send(&client->link, text, (size_t)len);
}

/* ---- what it is told ---- */

static void on_welcome(struct client *client, const json_t *message)
{
	client->since_ms = client->chaos->now_ms;
	schedule_opened(client);
}

static void refuse_seat(struct client *client, unsigned i, char what, const char *code)
{
	struct seat *seat = &client->seats[i];

	if (i >= client->n_seats)
		return;
	if (strcmp(code, "unavailable") != 0 && strcmp(code, "busy") != 0)
		chaos_violation(client->chaos, "u%u: %s in %s was answered `%s`",
				client->number, what == 'j' ? "join" : "history",
				client->chaos->rooms[seat->room].name, code);
	client->chaos->counts.refused++;
	if (what == 'h')
		seat->asked = false;
	else if (seat->state == SEAT_JOINING)
		seat->state = SEAT_OUT;
	seat->retry_ms = client->chaos->now_ms + client->backoff_ms +
			 rng_below(&client->ways, 200);
}

/* Only a store or a queue that is away may refuse; anything else is a violation. */
static void on_error(struct client *client, const json_t *message)
{
	const char *ref = json_string_value(json_object_get(message, "ref"));
	const char *code = json_string_value(json_object_get(message, "code"));
	unsigned long number = ref && *ref ? strtoul(ref + 1, NULL, 10) : 0;

	client->chaos->counts.errors++;
	if (ref && code && *ref == 's')
		sends_refused(client, (uint32_t)number, code);
	else if (ref && code && (*ref == 'j' || *ref == 'h'))
		refuse_seat(client, (unsigned)number, *ref, code);
	else
		chaos_violation(client->chaos, "u%u was told the error `%s` (ref %s)",
				client->number, code ? code : "", ref ? ref : "none");
}

static void on_other(struct client *client, const json_t *message)
{
}

static const struct {
	const char *op;
	void (*act)(struct client *client, const json_t *message);
} ops[] = {
	{ "message", seat_message }, { "sent", sends_sent },
	{ "joined", seat_joined },   { "left", seat_left },
	{ "error", on_error },       { "history", seat_told_history },
	{ "welcome", on_welcome },   { "drain", on_other },
	{ "presence", on_other },    { "typing", on_other },
};

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct client *client = (struct client *)link;
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *op = json_string_value(json_object_get(message, "op"));
	size_t i;

	for (i = 0; op && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].op, op)) {
			ops[i].act(client, message);
			break;
		}
	if (!op || i == sizeof(ops) / sizeof(ops[0]))
		chaos_violation(client->chaos, "u%u was told nonsense: %.*s",
				client->number, (int)(len < 200 ? len : 200), text);
	json_decref(message);
}

/* ---- its connection ---- */

static void on_opened(struct load_link *link)
{
}

static void on_ended(struct load_link *link, enum load_end end)
{
	schedule_ended((struct client *)link, end);
}

const struct load_events client_events = { on_opened, on_message, on_ended };
