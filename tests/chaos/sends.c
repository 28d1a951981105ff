/* sends - the messages of a client: made, sent, sent again, acknowledged. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tests/chaos/chaos.h"

enum {
	ABANDONED_IN = 12, /* one of so many that lost their link is not sent again */
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 1600 /* so that all that waits is less than a link may say */
};

void sends_body(const struct chaos *chaos, uint32_t client, uint32_t number, char *text)
{
	struct rng rng = rng_stream(chaos->seed, (uint64_t)client << 32 | number);
	uint64_t kind = rng_below(&rng, 32);
	size_t len = rng_below(&rng, kind ? 120 : BODY_MAX);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + (i + number) % 26);
	text[len] = '\0';
}

void sends_add(struct client *client, unsigned seat)
{
	if (client->n_sends == client->size) {
		client->size = client->size * 2 + 64;
		client->sends = realloc(client->sends,
					client->size * sizeof(*client->sends));
		CHECK(client->sends);
	}
	client->sends[client->n_sends++] = (struct send){ .seat = (uint8_t)seat };
	client->chaos->counts.sent++;
}

static void say(struct client *client, uint32_t number)
{
	const struct seat *seat = &client->seats[client->sends[number].seat];
	char body[BODY_MAX + 1];

	sends_body(client->chaos, client->number, number, body);
	client_say(client,
		   "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"m%u\",\"body\":\"%s\","
		   "\"ref\":\"s%u\"}",
		   client->chaos->rooms[seat->room].name, number, body, number);
}

static bool over(const struct send *send)
{
	return send->state == SEND_ACKED || send->state == SEND_ABANDONED;
}

void sends_flush(struct client *client)
{
	while (client->settled < client->n_sends && over(&client->sends[client->settled]))
		client->settled++;
	for (uint32_t i = client->settled; i < client->n_sends; i++) {
		struct send *send = &client->sends[i];

		if (send->state != SEND_WAITING ||
		    client->seats[send->seat].state != SEAT_IN)
			continue;
		send->state = SEND_UNDER_WAY;
		send->again = send->said;
		send->said = true;
		say(client, i);
	}
}

void sends_repeat(struct client *client, uint64_t which)
{
	uint32_t number;

	if (!client->n_sends)
		return;
	number = (uint32_t)(which % client->n_sends);
	if (client->sends[number].state != SEND_ACKED ||
	    client->seats[client->sends[number].seat].state != SEAT_IN)
		return;
	client->chaos->counts.repeats++;
	say(client, number);
}

void sends_unanswered(struct client *client)
{
	for (uint32_t i = client->settled; i < client->n_sends; i++) {
		struct send *send = &client->sends[i];

		if (send->state != SEND_UNDER_WAY)
			continue;
		send->state = SEND_WAITING;
		if (rng_below(&client->ways, ABANDONED_IN) || chaos_quiet(client->chaos))
			continue;
		send->state = SEND_ABANDONED;
		client->chaos->counts.abandoned++;
	}
}

unsigned sends_open(const struct client *client)
{
	unsigned n = 0;

	for (uint32_t i = client->settled; i < client->n_sends; i++)
		n += !over(&client->sends[i]);
	return n;
}

/* The number behind the letter; NOBODY when there is no such send. */
static uint32_t number_of(const struct client *client, const char *name, char letter)
{
	char *end;
	unsigned long number;

	if (!name || name[0] != letter)
		return NOBODY;
	number = strtoul(name + 1, &end, 10);
	return *end || number >= client->n_sends ? NOBODY : (uint32_t)number;
}

void sends_sent(struct client *client, const json_t *answer)
{
	uint32_t number = number_of(
		client, json_string_value(json_object_get(answer, "id")), 'm');
	uint32_t ref = number_of(client,
				 json_string_value(json_object_get(answer, "ref")), 's');
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(answer, "seq"));
	uint64_t at_ms = (uint64_t)json_integer_value(json_object_get(answer, "at"));
	const struct seat *seat = seat_of(client, answer);

	if (number == NOBODY || number != ref || !seat || !seq ||
	    seat != &client->seats[client->sends[number].seat]) {
		chaos_violation(client->chaos,
				"u%u was told `sent` for what it did not say",
				client->number);
		return;
	}
	client->retry_after_ms = 0;
	ledger_acked(client, number, seq, at_ms);
}

/* Once for all that are refused together, and longer each time. */
static void delay(struct client *client)
{
	if (client->retry_ms > client->chaos->now_ms)
		return;
	client->retry_after_ms = client->retry_after_ms ? 2 * client->retry_after_ms
							: RETRY_MIN_MS;
	if (client->retry_after_ms > RETRY_MAX_MS)
		client->retry_after_ms = RETRY_MAX_MS;
	client->retry_ms = client->chaos->now_ms + client->retry_after_ms;
}

void sends_refused(struct client *client, uint32_t number, const char *code)
{
	struct send *send;

	if (number >= client->n_sends)
		return;
	send = &client->sends[number];
	if (strcmp(code, "busy") != 0 && strcmp(code, "unavailable") != 0)
		chaos_violation(client->chaos, "u%u: m%u was answered `%s`",
				client->number, number, code);
	client->chaos->counts.refused++;
	/* A repeat of an acknowledged one stays acknowledged. */
	if (send->state == SEND_UNDER_WAY) {
		send->state = SEND_WAITING;
		delay(client);
	}
}
