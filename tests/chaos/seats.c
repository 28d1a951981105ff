/* seats - a client's place in a room: what it asked, and what must come next. */
#include <string.h>

#include "common/check.h"
#include "tests/chaos/chaos.h"

static uint64_t number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static unsigned index_of(const struct client *client, const struct seat *seat)
{
	return (unsigned)(seat - client->seats);
}

static struct room *room_of(const struct client *client, const struct seat *seat)
{
	return &client->chaos->rooms[seat->room];
}

struct seat *seat_of(struct client *client, const json_t *answer)
{
	const char *name = json_string_value(json_object_get(answer, "room"));
	const struct room *room = ledger_room(client->chaos, name);

	for (unsigned i = 0; room && i < client->n_seats; i++)
		if (room_of(client, &client->seats[i]) == room)
			return &client->seats[i];
	chaos_violation(client->chaos, "u%u was told of room %s, in which it has no seat",
			client->number, name ? name : "(none)");
	return NULL;
}

void seat_join(struct client *client, struct seat *seat, bool with_since, uint64_t since)
{
	char text[48] = "";

	seat->state = SEAT_JOINING;
	seat->with_since = with_since;
	seat->since = since;
	if (with_since) {
		client->chaos->counts.resumes++;
		(void)snprintf(text, sizeof(text), "\"since\":%lu,", since);
	}
	client_say(client, "{\"op\":\"join\",\"room\":\"%s\",%s\"ref\":\"j%u\"}",
		   room_of(client, seat)->name, text, index_of(client, seat));
}

void seat_leave(struct client *client, struct seat *seat)
{
	seat->state = SEAT_LEAVING;
	client_say(client, "{\"op\":\"leave\",\"room\":\"%s\",\"ref\":\"l%u\"}",
		   room_of(client, seat)->name, index_of(client, seat));
}

void seat_history(struct client *client, struct seat *seat, uint64_t after,
		  uint64_t before, uint64_t limit)
{
	seat->asked = true;
	seat->after = after;
	seat->before = before;
	seat->limit = limit;
	client_say(client,
		   "{\"op\":\"history\",\"room\":\"%s\",\"%s\":%lu,\"limit\":%lu,"
		   "\"ref\":\"h%u\"}",
		   room_of(client, seat)->name, before ? "before" : "after",
		   before ? before : after, limit, index_of(client, seat));
}

/* From which sequence on its messages come; what was trimmed is told with `first`. */
static uint64_t next_after(struct client *client, const struct seat *seat, uint64_t head,
			   uint64_t first)
{
	struct chaos *chaos = client->chaos;
	const char *room = room_of(client, seat)->name;

	if (!seat->with_since)
		return head + 1;
	if (head < seat->since)
		chaos_violation(chaos,
				"%s: u%u had seq %lu and resumes there, but is told that "
				"the head is %lu",
				room, client->number, seat->since, head);
	if (!first)
		return seat->since + 1;
	if (!chaos->trims || first <= seat->since + 1)
		chaos_violation(chaos,
				"%s: u%u resumes after %lu and is told that the first is "
				"%lu",
				room, client->number, seat->since, first);
	return first;
}

void seat_joined(struct client *client, const json_t *answer)
{
	struct seat *seat = seat_of(client, answer);
	uint64_t head = number(answer, "head");

	if (!seat)
		return;
	if (seat->state != SEAT_JOINING) {
		chaos_violation(client->chaos, "%s: u%u was told `joined` unasked",
				room_of(client, seat)->name, client->number);
		return;
	}
	seat->state = SEAT_IN;
	seat->next = next_after(client, seat, head, number(answer, "first"));
	seat->last = seat->next - 1;
	seat->has_last = true;
	if (head > room_of(client, seat)->head)
		room_of(client, seat)->head = head;
}

void seat_left(struct client *client, const json_t *answer)
{
	struct seat *seat = seat_of(client, answer);

	if (!seat)
		return;
	if (seat->state != SEAT_LEAVING)
		chaos_violation(client->chaos, "%s: u%u was told `left` unasked",
				room_of(client, seat)->name, client->number);
	else
		seat->state = SEAT_OUTSIDE;
}

static const char *fault(const struct seat *seat, uint64_t seq)
{
	if (seat->state != SEAT_IN && seat->state != SEAT_LEAVING)
		return "not a member";
	return seq > seat->next ? "hole" : seq < seat->next ? "double" : NULL;
}

void seat_message(struct client *client, const json_t *message)
{
	struct seat *seat = seat_of(client, message);
	uint64_t seq;
	const char *wrong;

	if (!seat)
		return;
	seq = ledger_heard(client, room_of(client, seat), message, "message");
	client->chaos->counts.deliveries++;
	wrong = fault(seat, seq);
	if (wrong)
		chaos_violation(client->chaos,
				"%s: %s: u%u must get seq %lu next, but got %lu "
				"(joined with%s since %lu, its link is %.2f s old)",
				wrong, room_of(client, seat)->name, client->number,
				seat->next, seq, seat->with_since ? "" : "out",
				seat->since,
				(double)(load_now_ms() - client->since_ms) / 1000);
	if (seq < seat->next)
		return;
	seat->last = seq;
	seat->next = seq + 1;
}

/* ---- history ---- */

/* Ascending, one after the other, beginning or ending where it was asked to. */
static void check_page(struct client *client, const struct seat *seat,
		       const json_t *answer, uint64_t from, uint64_t to, size_t n)
{
	struct chaos *chaos = client->chaos;
	const char *room = room_of(client, seat)->name;
	uint64_t first = number(answer, "first"), head = number(answer, "head");
	uint64_t start = seat->after + 1 > first ? seat->after + 1 : first;
	bool more = json_boolean_value(json_object_get(answer, "more"));

	if (n && to - from + 1 != n)
		chaos_violation(chaos, "%s: u%u got %zu messages as history %lu to %lu",
				room, client->number, n, from, to);
	if (n > seat->limit)
		chaos_violation(chaos, "%s: u%u asked for %lu of history and got %zu",
				room, client->number, seat->limit, n);
	if (seat->before) {
		if (n && to != seat->before - 1 && to != head)
			chaos_violation(chaos,
					"%s: u%u asked for history before %lu (head %lu) "
					"and got %lu to %lu",
					room, client->number, seat->before, head, from,
					to);
		return;
	}
	if (n && from != start)
		chaos_violation(chaos,
				"%s: u%u asked for history after %lu (first %lu) and got "
				"%lu to %lu",
				room, client->number, seat->after, first, from, to);
	if (more != (n ? to < head : start <= head))
		chaos_violation(chaos,
				"%s: u%u asked for history after %lu, got %zu to %lu of "
				"head %lu and is told that there is %s",
				room, client->number, seat->after, n, to, head,
				more ? "more" : "no more");
}

void seat_told_history(struct client *client, const json_t *answer)
{
	struct seat *seat = seat_of(client, answer);
	const json_t *messages = json_object_get(answer, "messages"), *message;
	uint64_t from = 0, to = 0, seq;
	size_t i;

	if (!seat)
		return;
	if (!seat->asked || !json_is_array(messages)) {
		chaos_violation(client->chaos, "%s: u%u was told history unasked",
				room_of(client, seat)->name, client->number);
		return;
	}
	seat->asked = false;
	client->chaos->counts.histories++;
	json_array_foreach(messages, i, message)
	{
		seq = ledger_heard(client, room_of(client, seat), message, "history");
		if (i && seq != to + 1)
			chaos_violation(client->chaos,
					"%s: in a history for u%u seq %lu follows %lu",
					room_of(client, seat)->name, client->number, seq,
					to);
		from = i ? from : seq;
		to = seq;
	}
	check_page(client, seat, answer, from, to, json_array_size(messages));
	if (client->reader && to > client->read_to)
		client->read_to = to;
}
