/*
 * load_crowd - many who are all in one room, and each in a small one, for as long as
 * asked.
 *
 * Several processes make one crowd: each dials from an address of its own, keeps account
 * of what its members have, and says so when asked. What a link lost on its way is said
 * again when it is back, under the same id, and what the server had no place for a little
 * later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	DIALLING_MAX = 128 /* at a time */
};

/* Where everybody is, and where few are. */
enum where {
	LARGE,
	SMALL,
	WHERES,
	SAID = WHERES /* `ref` of a send, behind those of joins */
};

struct place {
	uint64_t next; /* sequence that it must see next; 0 until joined once */
	bool joined;   /* on this link */
	bool owes;     /* a message that is not acknowledged */
	bool refused;  /* it was told to try that again later */
	uint64_t said; /* messages */
};

struct member {
	struct load_link link; /* first */
	struct place in[WHERES];
};

struct crowd {
	struct load *load;
	struct member *members;
	uint64_t *small_heads, large_head; /* the newest sequence known */
	struct load_dialler dialler;
	unsigned n_members, small, n_in;
	uint64_t n_back, n_gone;
	unsigned n_refused; /* places that are to try again */
	uint64_t again_at_ms;
	uint64_t n_owed, n_acked, n_delivered, n_lost, n_repeated, n_again, n_errors;
};

static unsigned index_of(const struct crowd *crowd, const struct member *member)
{
	return (unsigned)(member - crowd->members);
}

static uint64_t *head_of(struct crowd *crowd, const struct member *member,
			 enum where where)
{
	return where == LARGE
		       ? &crowd->large_head
		       : &crowd->small_heads[index_of(crowd, member) / crowd->small];
}

static void note_head(uint64_t *head, uint64_t seq)
{
	if (seq > *head)
		*head = seq;
}

static void name_room(const struct crowd *crowd, const struct member *member,
		      enum where where, char *ret_name, size_t size)
{
	if (where == LARGE)
		(void)snprintf(ret_name, size, "%s", crowd->load->room);
	else
		(void)snprintf(ret_name, size, "few-%ld-%u", (long)getpid(),
			       index_of(crowd, member) / crowd->small);
}

static void join(struct crowd *crowd, struct member *member, enum where where)
{
	char text[256], room[128], since[40] = "";
	uint64_t next = member->in[where].next;
	int len;

	name_room(crowd, member, where, room, sizeof(room));
	if (next)
		(void)snprintf(since, sizeof(since), "\"since\":%lu,", next - 1);
	len = snprintf(text, sizeof(text),
		       "{\"op\":\"join\",\"room\":\"%s\",%s\"ref\":%d}", room, since,
		       (int)where);
	load_send(&member->link, text, (size_t)len);
}

static void say(struct crowd *crowd, struct member *member, enum where where)
{
	char text[1024], room[128];
	int len;

	name_room(crowd, member, where, room, sizeof(room));
	len = snprintf(
		text, sizeof(text),
		"{\"op\":\"send\",\"room\":\"%s\",\"id\":\"%ld-%u-%lu\",\"ref\":%d,"
		"\"body\":\"%0*u\"}",
		room, (long)getpid(), index_of(crowd, member), member->in[where].said,
		(int)(SAID + where), (int)crowd->load->body_bytes % 512,
		index_of(crowd, member));
	load_send(&member->link, text, (size_t)len);
	load_flush(&member->link);
}

/* ---- what happens to a member ------------------------------------------------------ */

static bool is_in(const struct member *member)
{
	return member->in[LARGE].joined && member->in[SMALL].joined;
}

static void on_opened(struct load_link *link)
{
	struct crowd *crowd = link->load->mode;
	struct member *member = (struct member *)link;

	crowd->dialler.n_dialling--;
	crowd->dialler.n_open++;
	join(crowd, member, LARGE);
	join(crowd, member, SMALL);
	load_flush(link);
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct crowd *crowd = link->load->mode;
	struct member *member = (struct member *)link;

	if (end == LOAD_REFUSED) {
		crowd->dialler.n_dialling--;
	} else {
		crowd->dialler.n_open--;
		crowd->n_gone++;
	}
	crowd->n_in -= is_in(member);
	crowd->n_refused -= member->in[LARGE].refused + member->in[SMALL].refused;
	member->in[LARGE].refused = member->in[SMALL].refused = false;
	member->in[LARGE].joined = member->in[SMALL].joined = false;
}

static void on_joined(struct crowd *crowd, struct member *member, enum where where,
		      uint64_t head)
{
	struct place *place = &member->in[where];

	place->joined = true;
	crowd->n_in += is_in(member);
	crowd->n_back += is_in(member) && place->next;
	note_head(head_of(crowd, member, where), head);
	if (!place->next)
		place->next = head + 1;
	if (place->owes)
		say(crowd, member, where);
}

static void on_sent(struct crowd *crowd, struct member *member, enum where where,
		    uint64_t seq)
{
	struct place *place = &member->in[where];

	note_head(head_of(crowd, member, where), seq);
	if (!place->owes)
		return;
	place->owes = false;
	crowd->n_owed--;
	crowd->n_acked++;
}

static void on_delivery(struct crowd *crowd, struct member *member, enum where where,
			uint64_t seq)
{
	struct place *place = &member->in[where];

	note_head(head_of(crowd, member, where), seq);
	crowd->n_delivered++;
	crowd->n_repeated += seq < place->next;
	if (seq < place->next)
		return;
	crowd->n_lost += seq - place->next;
	place->next = seq + 1;
}

/* By the room's name: small ones begin otherwise than the large one. */
static enum where where_of(const struct crowd *crowd, const char *text, size_t len)
{
	static const char name[] = "\"room\":\"";
	const char *room = memmem(text, len, name, strlen(name));
	size_t room_len = strlen(crowd->load->room);

	if (!room)
		return LARGE;
	room += strlen(name);
	return (size_t)(text + len - room) > room_len &&
			       !memcmp(room, crowd->load->room, room_len) &&
			       room[room_len] == '"'
		       ? LARGE
		       : SMALL;
}

/* "busy" and "unavailable" ask for another try. */
static void on_error(struct crowd *crowd, struct member *member, const char *text,
		     size_t len)
{
	static const char busy[] = "\"busy\"", unavailable[] = "\"unavailable\"";
	uint64_t ref = load_number(text, len, "\"ref\":");
	struct place *place = &member->in[ref % SAID];

	if (ref >= SAID + WHERES ||
	    (!memmem(text, len, busy, strlen(busy)) &&
	     !memmem(text, len, unavailable, strlen(unavailable)))) {
		if (!crowd->n_errors++)
			fprintf(stderr, "load: %.*s\n", (int)len, text);
		return;
	}
	crowd->n_again++;
	crowd->n_refused += !place->refused;
	place->refused = true;
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct crowd *crowd = link->load->mode;
	struct member *member = (struct member *)link;
	enum where where = where_of(crowd, text, len);

	if (load_op_is(text, len, "message")) {
		on_delivery(crowd, member, where, load_number(text, len, "\"seq\":"));
	} else if (load_op_is(text, len, "joined")) {
		on_joined(crowd, member, where, load_number(text, len, "\"head\":"));
	} else if (load_op_is(text, len, "sent")) {
		on_sent(crowd, member, where, load_number(text, len, "\"seq\":"));
	} else if (load_op_is(text, len, "error")) {
		on_error(crowd, member, text, len);
	}
}

static void try_again(struct crowd *crowd, struct member *member, enum where where)
{
	struct place *place = &member->in[where];

	if (!place->refused)
		return;
	place->refused = false;
	crowd->n_refused--;
	if (!place->joined) {
		join(crowd, member, where);
		load_flush(&member->link);
	} else if (place->owes) {
		say(crowd, member, where);
	}
}

/* ---- all of them ------------------------------------------------------------------- */

/* Each `every`th says one message, unless the last one is still under way. */
static void all_say(struct crowd *crowd, enum where where, unsigned every)
{
	for (unsigned i = 0; i < crowd->n_members; i += every) {
		struct place *place = &crowd->members[i].in[where];

		if (place->owes)
			continue;
		place->owes = true;
		place->said++;
		crowd->n_owed++;
		if (place->joined)
			say(crowd, &crowd->members[i], where);
	}
}

static void all_try_again(struct crowd *crowd)
{
	if (!crowd->n_refused || load_now_ms() < crowd->again_at_ms)
		return;
	crowd->again_at_ms = load_now_ms() + LOAD_RETRY_MS;
	for (unsigned i = 0; i < crowd->n_members; i++)
		for (enum where where = LARGE; where < WHERES; where++)
			try_again(crowd, &crowd->members[i], where);
}

static void tell(struct crowd *crowd)
{
	uint64_t n_behind[WHERES] = { 0 };

	for (unsigned i = 0; i < crowd->n_members; i++)
		for (enum where where = LARGE; where < WHERES; where++) {
			const struct member *member = &crowd->members[i];

			n_behind[where] += member->in[where].next !=
					   *head_of(crowd, member, where) + 1;
		}
	printf("clients=%u open=%u in=%u gone=%lu back=%lu head=%lu behind=%lu "
	       "behind_small=%lu "
	       "owed=%lu acked=%lu deliveries=%lu lost=%lu repeated=%lu again=%lu "
	       "errors=%lu "
	       "cpu_ms=%lu\n",
	       crowd->n_members, crowd->dialler.n_open, crowd->n_in, crowd->n_gone,
	       crowd->n_back, crowd->large_head, n_behind[LARGE], n_behind[SMALL],
	       crowd->n_owed, crowd->n_acked, crowd->n_delivered, crowd->n_lost,
	       crowd->n_repeated, crowd->n_again, crowd->n_errors, load_cpu_ms());
}

static void obey(void *mode, const char *word)
{
	struct crowd *crowd = mode;

	if (!strcmp(word, "large"))
		all_say(crowd, LARGE, crowd->n_members);
	else if (!strcmp(word, "small"))
		all_say(crowd, SMALL, crowd->small);
	else if (!strcmp(word, "tell"))
		tell(crowd);
}

int load_crowd(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct crowd crowd = {
		.load = load,
		.n_members = numbers[0],
		.small = numbers[1] ? numbers[1] : 1,
	};

	crowd.members = calloc(crowd.n_members, sizeof(*crowd.members));
	crowd.small_heads = calloc(crowd.n_members / crowd.small + 1,
				   sizeof(*crowd.small_heads));
	CHECK(crowd.members && crowd.small_heads && load->room);
	crowd.dialler = (struct load_dialler){ .links = crowd.members,
					       .link_size = sizeof(*crowd.members),
					       .n_links = crowd.n_members,
					       .at_once = DIALLING_MAX };
	load_begin(load, &on, &crowd);
	load_watch_stdin(load, obey);
	while (!load->stop) {
		load_dial_gone(load, &crowd.dialler);
		all_try_again(&crowd);
		load_turn(load, LOAD_RETRY_MS / 4);
	}
	tell(&crowd);
	for (unsigned i = 0; i < crowd.n_members; i++)
		load_forget(&crowd.members[i].link);
	free(crowd.small_heads);
	free(crowd.members);
	return crowd.n_lost + crowd.n_repeated + crowd.n_errors ? EXIT_FAILURE
								: EXIT_SUCCESS;
}
