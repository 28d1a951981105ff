/* load_room - some publish, all members listen, and each sees every message of its room
 * once, in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "tests/tools/dialect.h"
#include "tests/tools/load.h"

enum {
	DIALLING_MAX = 256, /* at a time */
	SILENCE_MS = 15000  /* without any delivery: given up */
};

struct member {
	struct load_link link; /* first */
	struct room *room;
	uint64_t next; /* sequence it must see next; 0 until joined */
};

struct room {
	char name[80];
	struct member *members;
	uint64_t base;                    /* sequence before the first message */
	uint32_t *n_got;                  /* per message: members that have it */
	unsigned n_sent, n_acked, n_done; /* done: all have it */
};

struct crowd {
	struct load *load;
	const struct dialect *dialect;
	unsigned n_rooms, n_members, n_messages, n_in_flight; /* of each room */
	bool all_publish; /* by turns; else the first */
	struct room *rooms;
	struct member *members;
	char *body;
	unsigned n_dialled, n_joined;
	uint64_t n_delivered, n_lost, n_repeated, n_errors;
	uint64_t start_ns, interval_ns; /* interval_ns: with --rate */
	uint32_t *late_us;              /* per delivery, with --rate */
};

static struct crowd *crowd_of(struct load_link *link)
{
	return link->load->mode;
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct crowd *crowd = crowd_of(link);

	fprintf(stderr, "load: member %ld %s\n",
		(long)((struct member *)link - crowd->members),
		end == LOAD_REFUSED ? "refused" : "lost");
	crowd->n_errors++;
}

/* ---- what is heard ------------------------------------------------------------------
 */

static void on_joined(struct load_link *link, uint64_t head)
{
	struct member *member = (struct member *)link;

	member->next = head + 1;
	member->room->base = head;
	crowd_of(link)->n_joined++;
}

static void on_acknowledged(struct load_link *link)
{
	((struct member *)link)->room->n_acked++;
}

static void on_failed(struct load_link *link, const char *text, size_t len)
{
	fprintf(stderr, "load: %.*s\n", (int)len, text);
	crowd_of(link)->n_errors++;
}

/* Whether it is the next one. Where nobody numbers what several publish there is none. */
static bool in_order(struct crowd *crowd, struct member *member, uint64_t seq)
{
	if (crowd->all_publish && !crowd->dialect->numbers)
		return true;
	if (seq < member->next) {
		crowd->n_repeated++;
		return false;
	}
	crowd->n_lost += seq - member->next;
	member->next = seq + 1;
	return true;
}

static void time_delivery(struct crowd *crowd, uint64_t i)
{
	uint64_t due_ns = crowd->start_ns + i * crowd->interval_ns;
	uint64_t now_ns = clock_mono_ns();

	crowd->late_us[crowd->n_delivered] = now_ns > due_ns
						     ? (uint32_t)((now_ns - due_ns) /
								  1000)
						     : 0;
}

static void on_delivered(struct load_link *link, uint64_t seq)
{
	struct crowd *crowd = crowd_of(link);
	struct member *member = (struct member *)link;
	struct room *room = member->room;
	uint64_t i = seq - room->base - 1;

	if (i >= room->n_sent || room->n_got[i] == crowd->n_members) {
		crowd->n_errors++; /* not a message of ours, or once too often */
		return;
	}
	if (!in_order(crowd, member, seq))
		return;
	if (crowd->interval_ns)
		time_delivery(crowd, i);
	crowd->n_delivered++;
	room->n_got[i]++;
	while (room->n_done < room->n_sent &&
	       room->n_got[room->n_done] == crowd->n_members)
		room->n_done++;
}

static const struct dialect_ears ears = { on_joined, on_delivered, on_acknowledged,
					  on_failed };

static void on_opened(struct load_link *link)
{
	struct member *member = (struct member *)link;

	crowd_of(link)->dialect->greet(link, member->room->name, &ears);
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct member *member = (struct member *)link;

	crowd_of(link)->dialect->hear(link, text, len, member->room->name, &ears);
}

/* ---- what is said -------------------------------------------------------------------
 */

static bool is_due(const struct crowd *crowd, const struct room *room)
{
	if (room->n_sent == crowd->n_messages)
		return false;
	if (crowd->interval_ns)
		return clock_mono_ns() >=
		       crowd->start_ns + room->n_sent * crowd->interval_ns;
	return room->n_sent - room->n_done < crowd->n_in_flight;
}

static void publish(struct crowd *crowd, struct room *room)
{
	while (is_due(crowd, room)) {
		unsigned who = crowd->all_publish ? room->n_sent % crowd->n_members : 0;
		struct load_link *link = &room->members[who].link;

		crowd->dialect->publish(link, room->name, room->n_sent, crowd->body);
		room->n_sent++;
		if (crowd->all_publish)
			load_flush(link);
	}
	if (room->members[0].link.out.len)
		load_flush(&room->members[0].link);
}

/* Until everybody is in, or someone failed. */
static void gather(struct crowd *crowd)
{
	unsigned n = crowd->n_rooms * crowd->n_members;

	while (!crowd->load->stop && !crowd->n_errors && crowd->n_joined < n) {
		while (crowd->n_dialled < n &&
		       crowd->n_dialled - crowd->n_joined < DIALLING_MAX) {
			unsigned i = crowd->n_dialled++;

			/* Some have the room in the address. */
			crowd->load->room = crowd->members[i].room->name;
			if (load_dial(crowd->load, &crowd->members[i].link, i) < 0)
				crowd->n_errors++;
		}
		load_turn(crowd->load, 1000);
	}
}

static bool finished(const struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_rooms; i++) {
		const struct room *room = &crowd->rooms[i];

		if (room->n_done != crowd->n_messages ||
		    (crowd->dialect->acknowledges && room->n_acked != crowd->n_messages))
			return false;
	}
	return true;
}

/* Milliseconds until the next message of a rate; shorter waits are turned away. */
static int patience_ms(const struct crowd *crowd)
{
	uint64_t now_ns = clock_mono_ns(), due_ns;

	if (!crowd->interval_ns || crowd->rooms[0].n_sent == crowd->n_messages)
		return 1000;
	due_ns = crowd->start_ns + crowd->rooms[0].n_sent * crowd->interval_ns;
	return due_ns > now_ns ? (int)((due_ns - now_ns) / MS_NS) : 0;
}

static void exchange(struct crowd *crowd)
{
	uint64_t seen = 0, seen_ms = load_now_ms();

	while (!crowd->load->stop && !crowd->n_errors && !finished(crowd)) {
		for (unsigned i = 0; i < crowd->n_rooms; i++)
			publish(crowd, &crowd->rooms[i]);
		load_turn(crowd->load, patience_ms(crowd));
		if (crowd->n_delivered != seen)
			seen_ms = load_now_ms();
		seen = crowd->n_delivered;
		if (load_now_ms() - seen_ms > SILENCE_MS) {
			fprintf(stderr, "load: nothing for %d ms\n", SILENCE_MS);
			crowd->n_errors++;
		}
	}
}

/* ---- all of it ----------------------------------------------------------------------
 */

/* Something like what people write: words, the same ones again and again. */
static void fill_body(char *body, size_t len)
{
	static const char *const words[] = {
		"the ",   "meeting ", "is ",      "at ",     "noon, ",    "see ",
		"you ",   "there ",   "shall ",   "we ",     "bring ",    "lunch? ",
		"no, ",   "I ",       "have ",    "some ",   "Thursday ", "would ",
		"suit ",  "me ",      "better. ", "thanks ", "for ",      "asking ",
		"about ", "it ",      "again ",   "today ",  "and ",      "yesterday, ",
		"what ",  "time?"
	};
	unsigned seed = 1;

	for (size_t at = 0; at < len;) {
		const char *word = words[seed >> 16 & 31];

		seed = seed * 1103515245u + 12345u;
		for (; *word && at < len; word++)
			body[at++] = *word;
	}
}

static void crowd_init(struct crowd *crowd)
{
	const char *name = crowd->load->room;

	crowd->rooms = calloc(crowd->n_rooms, sizeof(*crowd->rooms));
	crowd->members = calloc((size_t)crowd->n_rooms * crowd->n_members,
				sizeof(*crowd->members));
	crowd->body = calloc(1, crowd->load->body_bytes + 1);
	CHECK(crowd->rooms && crowd->members && crowd->body);
	fill_body(crowd->body, crowd->load->body_bytes);
	for (unsigned i = 0; i < crowd->n_rooms; i++) {
		struct room *room = &crowd->rooms[i];

		room->members = crowd->members + (size_t)i * crowd->n_members;
		room->n_got = calloc(crowd->n_messages, sizeof(*room->n_got));
		CHECK(room->n_got);
		if (name)
			(void)snprintf(room->name, sizeof(room->name), "%s", name);
		else
			(void)snprintf(room->name, sizeof(room->name), "load-%d-%u",
				       (int)getpid(), i);
		for (unsigned j = 0; j < crowd->n_members; j++)
			room->members[j].room = room;
	}
	if (!crowd->load->rate)
		return;
	crowd->interval_ns = 1000 * MS_NS / crowd->load->rate;
	crowd->late_us = malloc((size_t)crowd->n_messages * crowd->n_members *
				sizeof(*crowd->late_us));
	CHECK(crowd->late_us);
}

static void crowd_release(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_rooms * crowd->n_members; i++)
		load_forget(&crowd->members[i].link);
	for (unsigned i = 0; i < crowd->n_rooms; i++)
		free(crowd->rooms[i].n_got);
	free(crowd->rooms);
	free(crowd->members);
	free(crowd->body);
	free(crowd->late_us);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(struct crowd *crowd, uint64_t elapsed_ms, uint64_t cpu_ms)
{
	uint64_t n = crowd->n_delivered, sent = 0, acked = 0;

	for (unsigned i = 0; i < crowd->n_rooms; i++) {
		sent += crowd->rooms[i].n_sent;
		acked += crowd->rooms[i].n_acked;
	}
	printf("members=%u messages=%lu acked=%lu deliveries=%lu lost=%lu repeated=%lu "
	       "errors=%lu elapsed_ms=%lu rate=%lu cpu_ms=%lu",
	       crowd->n_joined, sent, acked, n, crowd->n_lost, crowd->n_repeated,
	       crowd->n_errors, elapsed_ms, n * 1000 / (elapsed_ms ? elapsed_ms : 1),
	       cpu_ms);
	if (crowd->interval_ns && n) {
		qsort(crowd->late_us, n, sizeof(*crowd->late_us), by_size);
		printf(" p50_us=%u p99_us=%u max_us=%u", crowd->late_us[n / 2],
		       crowd->late_us[n - 1 - n / 100], crowd->late_us[n - 1]);
	}
	printf("\n");
}

static int run(struct crowd *crowd)
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	uint64_t start_ms, cpu_ms;
	bool well;

	crowd->dialect = crowd->load->dialect;
	crowd_init(crowd);
	load_begin(crowd->load, &on, crowd);
	gather(crowd);
	if (crowd->load->hold) {
		printf("open %u\n", crowd->n_joined);
		(void)getchar(); /* its end will do as well */
	}
	start_ms = load_now_ms();
	cpu_ms = load_cpu_ms();
	crowd->start_ns = clock_mono_ns();
	exchange(crowd);
	report(crowd, load_now_ms() - start_ms, load_cpu_ms() - cpu_ms);
	well = finished(crowd) && !(crowd->n_lost + crowd->n_repeated + crowd->n_errors);
	crowd_release(crowd);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

int load_room(struct load *load, const unsigned numbers[3])
{
	struct crowd crowd = { .load = load,
			       .n_rooms = 1,
			       .n_members = numbers[0] + 1,
			       .n_messages = numbers[1],
			       .n_in_flight = numbers[2] };

	return run(&crowd);
}

int load_rooms(struct load *load, const unsigned numbers[3])
{
	struct crowd crowd = { .load = load,
			       .n_rooms = numbers[0],
			       .n_members = numbers[1],
			       .n_messages = numbers[2],
			       .n_in_flight = load->in_flight ? load->in_flight : 1,
			       .all_publish = true };

	return run(&crowd);
}
