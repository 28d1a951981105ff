/*
 * schedule - what a client does, drawn from its own stream of the seed.
 *
 * Each step draws the same numbers whatever the state is, so that the sequence of
 * decisions is the seed's alone; a step that makes no sense now is passed over.
 */
#include <string.h>

#include "common/check.h"
#include "tests/chaos/chaos.h"

enum {
	UNDER_WAY_MAX = 16, /* open sends of a client */
	DIAL_MS = 5000,     /* until a handshake or a close is given up */
	BACKOFF_MIN_MS = 20,
	BACKOFF_MAX_MS = 500,
	DEAF_MS = 4000,
	SLOW_MS = 3000,
	SLOW_BYTES = 800, /* a look */
	HISTORY_MAX = 200,
	OLD_MAX = 300 /* sequences before the last one from which a rejoin resumes */
};

void schedule_init(struct client *client)
{
	client->steps = rng_stream(client->chaos->seed, client->number * 2ull);
	client->ways = rng_stream(client->chaos->seed, client->number * 2ull + 1);
	client->backoff_ms = BACKOFF_MIN_MS;
	client->dial_ms = client->chaos->now_ms + rng_below(&client->ways, 300);
	client->step_ms = client->chaos->now_ms + 300 +
			  rng_below(&client->ways, client->chaos->step_ms);
}

/* ---- connection ---- */

void schedule_opened(struct client *client)
{
	client->backoff_ms = BACKOFF_MIN_MS;
	client->retry_ms = 0;
	for (unsigned i = 0; i < client->n_seats; i++)
		client->seats[i].retry_ms = 0;
}

void schedule_ended(struct client *client, enum load_end end)
{
	struct chaos *chaos = client->chaos;

	if (end != LOAD_LEFT)
		chaos->counts.lost++;
	client->since_ms = 0;
	client->mood = MOOD_WELL;
	sends_unanswered(client);
	for (unsigned i = 0; i < client->n_seats; i++) {
		struct seat *seat = &client->seats[i];

		seat->asked = false;
		if (seat->state == SEAT_LEAVING || seat->state == SEAT_OUTSIDE)
			seat->state = SEAT_OUTSIDE;
		else
			seat->state = SEAT_OUT;
	}
	client->dial_ms = chaos->now_ms + 1 +
			  rng_below(&client->ways, client->backoff_ms);
	client->backoff_ms *= 2;
	if (client->backoff_ms > BACKOFF_MAX_MS)
		client->backoff_ms = BACKOFF_MAX_MS;
}

static void dial(struct client *client)
{
	struct chaos *chaos = client->chaos;

	client->dial_ms = chaos->now_ms + DIAL_MS;
	if (load_dial(&chaos->load, &client->link, client->number) < 0)
		client->dial_ms = chaos->now_ms + BACKOFF_MAX_MS;
}

/* In one of the ways in which connections end. */
static void cut(struct client *client, uint64_t way)
{
	client->chaos->counts.cuts++;
	client->dial_ms = client->chaos->now_ms + DIAL_MS;
	switch (way % 8) {
	case 0:
	case 1: load_hang_up(&client->link); return;
	case 2: load_close(&client->link); return;
	case 3: /* in the middle of a frame */
		ws_bytes_add(&client->link.out, "\x81\xfe", 2);
		load_flush(&client->link);
		load_reset(&client->link);
		return;
	case 4:
	case 5:
		client->mood = MOOD_DEAF;
		client->mood_ms = client->chaos->now_ms + way / 8 % DEAF_MS;
		load_allow(&client->link, 0);
		return;
	default: load_reset(&client->link);
	}
}

static void slow_down(struct client *client, uint64_t ms)
{
	client->chaos->counts.slow++;
	client->mood = MOOD_SLOW;
	client->mood_ms = client->chaos->now_ms + ms % SLOW_MS;
}

/* The moods' ends, and what a slow one may read. */
static void feel(struct client *client)
{
	bool over = client->chaos->now_ms >= client->mood_ms ||
		    chaos_quiet(client->chaos);

	if (client->mood == MOOD_DEAF && over) {
		load_reset(&client->link);
	} else if (client->mood == MOOD_SLOW && over) {
		client->mood = MOOD_WELL;
		load_allow(&client->link, SIZE_MAX);
	} else if (client->mood == MOOD_SLOW) {
		load_allow(&client->link, rng_below(&client->ways, SLOW_BYTES));
	}
}

/* ---- steps ---- */

static void leave_or_return(struct client *client, struct seat *seat, uint64_t drawn)
{
	uint64_t back = drawn % 8 ? drawn / 8 % OLD_MAX : seat->last;

	if (seat->state == SEAT_IN)
		seat_leave(client, seat);
	else if (seat->state == SEAT_OUTSIDE && seat->has_last)
		seat_join(client, seat, true, back < seat->last ? seat->last - back : 0);
}

static void read_back(struct client *client, struct seat *seat, uint64_t drawn)
{
	uint64_t at = drawn / 2 % (seat->last + 1), limit = 1 + drawn / 64 % HISTORY_MAX;

	if (seat->state != SEAT_IN || seat->asked)
		return;
	if (drawn & 1)
		seat_history(client, seat, at, 0, limit);
	else
		seat_history(client, seat, 0, at + 1, limit);
}

static void step(struct client *client)
{
	uint64_t what = rng_below(&client->steps, 100);
	uint64_t which = rng_below(&client->steps, client->n_seats);
	uint64_t drawn = rng_next(&client->steps);
	struct seat *seat = &client->seats[which];

	client->step_ms = client->chaos->now_ms +
			  rng_below(&client->steps, 2ull * client->chaos->step_ms);
	if (!client_open(client) || client->mood == MOOD_DEAF)
		return;
	if (what < 66) {
		if (seat->state == SEAT_IN && sends_open(client) < UNDER_WAY_MAX)
			sends_add(client, (unsigned)which);
	} else if (what < 73) {
		/* A repeat of what is gone is a new message. */
		if (!client->chaos->trims)
			sends_repeat(client, drawn);
	} else if (what < 83) {
		leave_or_return(client, seat, drawn);
	} else if (what < 89) {
		read_back(client, seat, drawn);
	} else if (what < 92) {
		cut(client, drawn);
	} else if (what < 94 && client->mood == MOOD_WELL) {
		slow_down(client, drawn);
	}
}

/* ---- what is due ---- */

/* A reader: history, to where its room is. */
static bool has_read_all(const struct client *client)
{
	return client->read_to >= client->chaos->rooms[client->seats[0].room].head;
}

/* Where it was, and at the end also where it had left. */
static void take_seats(struct client *client)
{
	struct chaos *chaos = client->chaos;

	for (unsigned i = 0; i < client->n_seats; i++) {
		struct seat *seat = &client->seats[i];
		bool out = seat->state == SEAT_OUT ||
			   (seat->state == SEAT_OUTSIDE && chaos_quiet(chaos));

		if (out && chaos->now_ms >= seat->retry_ms)
			seat_join(client, seat, seat->has_last || client->reader,
				  seat->last);
		if (client->reader && seat->state == SEAT_IN && !seat->asked &&
		    !has_read_all(client) && chaos->now_ms >= seat->retry_ms)
			seat_history(client, seat, client->read_to, 0, HISTORY_MAX);
	}
}

static void work(struct client *client)
{
	take_seats(client);
	if (client->chaos->now_ms >= client->retry_ms)
		sends_flush(client);
	load_flush(&client->link);
}

void schedule_tick(struct client *client)
{
	struct chaos *chaos = client->chaos;

	if (client->reader && !chaos->quiet_end)
		return;
	if (client->link.state == LOAD_GONE && chaos->now_ms >= client->dial_ms)
		dial(client);
	else if (client->link.state != LOAD_GONE && !client_open(client) &&
		 chaos->now_ms >= client->dial_ms)
		load_reset(&client->link);
	if (client_open(client))
		feel(client);
	if (chaos->now_ms >= client->step_ms && !chaos_quiet(chaos))
		step(client);
	if (client_open(client) && client->mood != MOOD_DEAF)
		work(client);
}

/* ---- the end ---- */

static bool seat_settled(const struct client *client, const struct seat *seat)
{
	return seat->state == SEAT_IN &&
	       seat->last >= client->chaos->rooms[seat->room].head;
}

bool schedule_settled(const struct client *client)
{
	for (unsigned i = 0; i < client->n_seats; i++)
		if (!seat_settled(client, &client->seats[i]))
			return false;
	return client->reader ? has_read_all(client) : !sends_open(client);
}

void schedule_unsettled(struct client *client)
{
	static const char *const states[] = { "out", "joining", "in", "leaving",
					      "outside" };
	struct chaos *chaos = client->chaos;

	for (unsigned i = 0; i < client->n_seats; i++) {
		const struct seat *seat = &client->seats[i];

		if (!seat_settled(client, seat))
			chaos_violation(chaos,
					"not delivered: %s: u%u has seq %lu of %lu "
					"(seat %s, link %s)",
					chaos->rooms[seat->room].name, client->number,
					seat->last, chaos->rooms[seat->room].head,
					states[seat->state],
					client_open(client) ? "open" : "not open");
	}
	if (sends_open(client))
		chaos_violation(chaos, "u%u: %u messages were never acknowledged",
				client->number, sends_open(client));
	if (client->reader && !has_read_all(client))
		chaos_violation(chaos, "%s: history could not be read to its end",
				chaos->rooms[client->seats[0].room].name);
}
