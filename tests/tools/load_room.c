/* load_room - one publishes, many listen, and each sees every message once, in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	DIALLING_MAX = 256, /* at a time */
	SILENCE_MS = 15000  /* without any delivery: given up */
};

struct member {
	struct load_link link; /* first */
	uint64_t next;         /* sequence it must see next; 0 until joined */
};

struct room {
	char name[80];
	struct member *members; /* the first one publishes */
	unsigned n_members, n_messages, n_in_flight;
	uint64_t base;   /* sequence before the first message */
	uint32_t *n_got; /* per message: members that have it */
	unsigned n_dialled, n_joined, n_sent, n_acked, n_done; /* done: all have it */
	uint64_t n_delivered, n_lost, n_repeated, n_errors;
	char *body, *text; /* text: of a send */
	size_t text_size;
};

static void on_opened(struct load_link *link)
{
	load_join(link, ((struct room *)link->load->mode)->name);
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct room *room = link->load->mode;

	fprintf(stderr, "load: member %ld %s\n",
		(long)((struct member *)link - room->members),
		end == LOAD_REFUSED ? "refused" : "lost");
	room->n_errors++;
}

static void on_delivery(struct room *room, struct member *member, uint64_t seq)
{
	uint64_t i = seq - room->base - 1;

	room->n_delivered++;
	if (seq < member->next) {
		room->n_repeated++;
		return;
	}
	room->n_lost += seq - member->next;
	member->next = seq + 1;
	if (i >= room->n_sent) {
		room->n_errors++; /* not a message of ours */
		return;
	}
	room->n_got[i]++;
	while (room->n_done < room->n_sent &&
	       room->n_got[room->n_done] == room->n_members)
		room->n_done++;
}

static void on_joined(struct room *room, struct member *member, uint64_t head)
{
	member->next = head + 1;
	room->base = head;
	room->n_joined++;
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct room *room = link->load->mode;
	struct member *member = (struct member *)link;

	if (load_op_is(text, len, "message")) {
		on_delivery(room, member, load_number(text, len, "\"seq\":"));
	} else if (load_op_is(text, len, "sent")) {
		room->n_acked++;
	} else if (load_op_is(text, len, "joined")) {
		on_joined(room, member, load_number(text, len, "\"head\":"));
	} else if (load_op_is(text, len, "error") || load_op_is(text, len, "gap")) {
		fprintf(stderr, "load: %.*s\n", (int)len, text);
		room->n_errors++;
	}
}

static void publish(struct room *room)
{
	struct load_link *link = &room->members[0].link;
	int len;

	while (room->n_sent < room->n_messages &&
	       room->n_sent - room->n_done < room->n_in_flight) {
		len = snprintf(room->text, room->text_size,
			       "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"m%u\","
			       "\"body\":\"%s\"}",
			       room->name, room->n_sent, room->body);
		CHECK(len > 0 && (size_t)len < room->text_size);
		load_send(link, room->text, (size_t)len);
		room->n_sent++;
	}
	if (link->out.len)
		load_flush(link);
}

/* Until everybody is in the room, or someone failed. */
static void gather(struct load *load, struct room *room)
{
	while (!load->stop && !room->n_errors && room->n_joined < room->n_members) {
		while (room->n_dialled < room->n_members &&
		       room->n_dialled - room->n_joined < DIALLING_MAX) {
			unsigned i = room->n_dialled++;

			if (load_dial(load, &room->members[i].link, i) < 0)
				room->n_errors++;
		}
		load_turn(load, 1000);
	}
}

static bool finished(const struct room *room)
{
	return room->n_done == room->n_messages && room->n_acked == room->n_messages;
}

static void exchange(struct load *load, struct room *room)
{
	uint64_t seen = 0, seen_ms = load_now_ms();

	while (!load->stop && !room->n_errors && !finished(room)) {
		publish(room);
		load_turn(load, 1000);
		if (room->n_delivered != seen)
			seen_ms = load_now_ms();
		seen = room->n_delivered;
		if (load_now_ms() - seen_ms > SILENCE_MS) {
			fprintf(stderr, "load: nothing for %d ms\n", SILENCE_MS);
			room->n_errors++;
		}
	}
}

static void room_init(struct room *room, const struct load *load,
		      const unsigned numbers[3])
{
	room->n_members = numbers[0] + 1;
	room->n_messages = numbers[1];
	room->n_in_flight = numbers[2];
	room->text_size = load->body_bytes + 256;
	room->members = calloc(room->n_members, sizeof(*room->members));
	room->n_got = calloc(room->n_messages, sizeof(*room->n_got));
	room->body = calloc(1, load->body_bytes + 1);
	room->text = malloc(room->text_size);
	CHECK(room->members && room->n_got && room->body && room->text);
	memset(room->body, 'x', load->body_bytes);
	if (load->room)
		(void)snprintf(room->name, sizeof(room->name), "%s", load->room);
	else
		(void)snprintf(room->name, sizeof(room->name), "load-%d", (int)getpid());
}

static void room_release(struct room *room)
{
	for (unsigned i = 0; i < room->n_members; i++)
		load_forget(&room->members[i].link);
	free(room->members);
	free(room->n_got);
	free(room->body);
	free(room->text);
}

int load_room(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct room room = { .n_joined = 0 };
	uint64_t start_ms, cpu_ms, elapsed;

	room_init(&room, load, numbers);
	load_begin(load, &on, &room);
	gather(load, &room);
	start_ms = load_now_ms();
	cpu_ms = load_cpu_ms();
	exchange(load, &room);
	elapsed = load_now_ms() - start_ms;
	printf("members=%u messages=%u acked=%u deliveries=%lu lost=%lu repeated=%lu "
	       "errors=%lu elapsed_ms=%lu rate=%lu cpu_ms=%lu\n",
	       room.n_joined, room.n_sent, room.n_acked, room.n_delivered, room.n_lost,
	       room.n_repeated, room.n_errors, elapsed,
	       room.n_delivered * 1000 / (elapsed ? elapsed : 1), load_cpu_ms() - cpu_ms);
	room_release(&room);
	return finished(&room) && !(room.n_lost + room.n_repeated + room.n_errors)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
