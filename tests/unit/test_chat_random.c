/*
 * Whatever happens in whatever order (messages heard late or never, overruns, a store
 * that answers late or not at all, slow links, leaves, closes): a member sees exactly
 * what follows what it has seen, in order, and each send is answered once.
 *
 * PARLEY_TEST_SEEDS=n tries as many seeds instead of a few; PARLEY_TEST_SEED=n only that.
 */
#include "tests/unit/seeing_clients.h"

enum {
	STEPS = 20000,
	SEEDS = 8,
	RING = 512,
	TICKETS = 4096,
};

/* One record that all workers hear, in this order. */
struct record {
	unsigned room;
	uint64_t seq, ticket;
	bool repeat, look;
};

static const char *const names[ROOMS] = { "a", "b", "c", "d" };
static struct record ring[RING];
static unsigned n_ring;
static uint64_t committed[TICKETS]; /* the sequence that a ticket got */
static unsigned seed, n_closed;

static unsigned pick(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static const char *varied_body(const char *room, uint64_t seq)
{
	static char body[2000];
	unsigned mixed = (unsigned)(seq * 2654435761u) >> 16;
	size_t len = mixed % 23 ? mixed % 60 : mixed % 1900;

	(void)room;
	memset(body, 'x', sizeof body);
	body[0] = body[len + 1] = '"';
	body[len + 2] = '\0';
	return body;
}

/* ---- the ring ---- */

static void publish(struct record record)
{
	if (n_ring == RING) { /* lapped */
		n_ring = 0;
		chat_overrun(chat);
	}
	ring[n_ring++] = record;
}

/* A message is committed, and told of, but for one whose teller dies before. */
static void commit(unsigned room, uint64_t ticket)
{
	uint64_t seq = stored_room(names[room])->head + 1;

	store_has(names[room], seq);
	if (ticket)
		committed[ticket % TICKETS] = seq;
	if (pick(150))
		publish((struct record){ .room = room, .seq = seq, .ticket = ticket });
	else
		publish((struct record){ .look = true });
}

static void commit_submitted(void)
{
	for (unsigned i = 0; i < n_submits; i++) {
		unsigned room = (unsigned)(submits[i].room[0] - 'a');
		uint64_t ticket = submits[i].ticket;
		uint64_t first = committed[ticket % TICKETS];

		if (first)
			publish((struct record){ .room = room,
						 .seq = first,
						 .ticket = ticket,
						 .repeat = true });
		else
			commit(room, ticket);
	}
	n_submits = 0;
}

static void hear_one(const struct record *record)
{
	struct message message;

	if (record->look) { /* a new sequencer says hello */
		chat_resubmit(chat, true);
		chat_look(chat);
		return;
	}
	message = stored_message(names[record->room], record->seq);
	if (record->repeat && pick(2))
		message.body.len = 0;
	chat_sequenced(chat, &message, record->repeat, record->ticket != 0,
		       record->ticket);
}

static void hear(unsigned n)
{
	struct record heard[RING];

	n = n < n_ring ? n : n_ring;
	memcpy(heard, ring, n * sizeof *ring);
	n_ring -= n;
	memmove(ring, ring + n, n_ring * sizeof *ring);
	for (unsigned i = 0; i < n; i++)
		hear_one(&heard[i]);
}

/* ---- what happens ---- */

static void reconnect(unsigned i)
{
	if (links[i].session)
		hang_up(&links[i]);
	memset(&links[i], 0, offsetof(struct link, got) + 1);
	for (unsigned room = 0; room < ROOMS; room++)
		seen[i][room].in = seen[i][room].asked_in = false;
	n_unanswered[i] = 0;
	links[i].session = chat_opened(chat, &links[i], "s", i % 3 ? "u" : "v", NULL);
	assert_non_null(links[i].session);
	if (pick(2))
		deflates(&links[i]);
}

static void do_ask(unsigned i, const char *json)
{
	chat_message(links[i].session, json, strlen(json));
}

static void ask_in(unsigned i, unsigned n)
{
	struct seen *room = &seen[i][n];
	uint64_t head = stored_room(names[n])->head;
	char since[40] = "", json[128];

	room->since_given = pick(4);
	room->since = room->next ? room->next - 1 : 0;
	if (!pick(3))
		room->since = pick((unsigned)head + 2 + 3 * !pick(20));
	if (room->since_given)
		snprintf(since, sizeof since, ",\"since\":%llu",
			 (unsigned long long)room->since);
	snprintf(json, sizeof json, "{\"op\":\"join\",\"room\":\"%s\",\"ref\":\"j%s\"%s}",
		 names[n], names[n], since);
	room->asked_in = true;
	room->n_joins++;
	do_ask(i, json);
}

static void join_or_leave(unsigned i, unsigned room)
{
	char json[128];

	see_all(i);
	if (!seen[i][room].asked_in) {
		ask_in(i, room);
		return;
	}
	snprintf(json, sizeof json, "{\"op\":\"leave\",\"room\":\"%s\",\"ref\":\"l%s\"}",
		 names[room], names[room]);
	do_ask(i, json);
	while (!links[i].closed && take(&links[i], TAKE_MAX))
		;
	see_all(i);
	assert_true(links[i].closed || !seen[i][room].in);
	seen[i][room].asked_in = false;
}

static void speak(unsigned i, unsigned room)
{
	static unsigned n;
	char json[160];

	if (n_unanswered[i] > 4)
		return;
	snprintf(json, sizeof json,
		 "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"%u-%u\",\"body\":1,"
		 "\"ref\":\"s%s\"}",
		 names[room], seen[i][room].n_joins, n++, names[room]);
	n_unanswered[i]++;
	do_ask(i, json);
}

static void trim(unsigned room)
{
	struct stored_room *kept = stored_room(names[room]);

	kept->first += pick((unsigned)(kept->head - kept->first) + 2);
}

static void answer_some(void)
{
	reads_early = pick(2);
	if (n_asked)
		answer(pick(n_asked), pick(15) ? 0 : -ETIMEDOUT);
}

static void step(void)
{
	unsigned i = pick(LINKS), room = pick(ROOMS);

	switch (pick(20)) {
	case 0: join_or_leave(i, room); break;
	case 1: links[i].stuck = !pick(4); break;
	case 2:
		if (!pick(20))
			reconnect(i);
		break;
	case 3: take(&links[i], 1 + pick(3000)); break;
	case 4:
		if (!pick(200)) {
			n_ring = 0;
			chat_overrun(chat);
		}
		break;
	case 5:
	case 6:
	case 7: chat_flush(chat); break;
	case 8:
		if (!pick(100))
			trim(room);
		break;
	case 9: answer_some(); break;
	case 10: read_refusal = pick(30) ? 0 : -ENOTCONN; break;
	case 11: chat_tick(chat, 0); break;
	case 12: speak(i, room); break;
	case 13:
	case 14: hear(pick(8)); break;
	default: commit(room, 0);
	}
	commit_submitted();
	n_casts = 0; /* nobody hears them */
	now_ms++;
}

static void see_everybody(void)
{
	for (unsigned i = 0; i < LINKS; i++) {
		see_all(i);
		if (links[i].closed) {
			n_closed++;
			reconnect(i);
		}
	}
}

/* The store is back, everybody reads, all is heard: nothing is owed to anybody. */
static void settle(void)
{
	read_refusal = 0;
	reads_wait = false;
	for (unsigned i = 0; i < LINKS; i++)
		links[i].stuck = false;
	for (unsigned n = 0; n < 40; n++) {
		hear(RING);
		commit_submitted();
		if (n == 3)
			chat_overrun(chat);
		chat_tick(chat, 0);
		flush();
		for (unsigned i = 0; i < LINKS; i++)
			while (!links[i].closed && take(&links[i], TAKE_MAX))
				;
		see_everybody();
	}
	for (unsigned i = 0; i < LINKS; i++) {
		assert_int_equal(n_unanswered[i], 0);
		for (unsigned room = 0; room < ROOMS; room++) {
			assert_int_equal(seen[i][room].in, seen[i][room].asked_in);
			if (seen[i][room].in)
				assert_int_equal(seen[i][room].next,
						 stored_room(names[room])->head + 1);
		}
	}
}

static void run(unsigned with)
{
	seed = with;
	memset(seen, 0, sizeof seen);
	memset(committed, 0, sizeof committed);
	n_ring = 0;
	body_of = varied_body;
	reads_wait = true;
	limits.room_log_bytes = 16384;
	limits.room_logs_bytes = 40000;
	limits.catchup_bytes = 100000;
	limits.sends_pending = 1000;
	limits.reads_max = 3;
	limits.asks_max = with % 2 ? 4096 : 8;  /* a turn for all, or many */
	limits.presence_members_max = with % 3; /* 0: off */
	limits.presence_interval_ms = 100;
	chat_start(0);
	for (unsigned i = 0; i < LINKS; i++)
		reconnect(i);
	for (unsigned n = 0; n < STEPS; n++) {
		step();
		see_everybody();
		if (n % 5000 == 4999)
			settle();
		reads_wait = true;
	}
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value ? (unsigned)atoi(value) : otherwise;
}

static void a_client_can_trust_what_it_sees(void **state)
{
	unsigned only = from_environment("PARLEY_TEST_SEED", 0);
	unsigned n = only ? 1 : from_environment("PARLEY_TEST_SEEDS", SEEDS);

	for (unsigned i = 0; i < n; i++) {
		unsigned with = only ? only : i + 1;

		print_message("# seed %u\n", with);
		links_setup(state);
		run(with);
		links_teardown(state);
	}
	/* And it was worth it. */
	assert_true(n_told > STEPS && n_caught_up > 100 && n_closed > 10 && n_first > 5);
	print_message("# told %u, caught up %u, closed %u, trimmed %u\n", n_told,
		      n_caught_up, n_closed, n_first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_can_trust_what_it_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
