/*
 * seeing_clients - what clients make of what they get, and what they may rely on.
 *
 * From `joined` to `left` a client sees exactly what follows what it has seen; each
 * request is answered once. Requests carry a ref of their kind (j, l, s) and room.
 */
#ifndef SEEING_CLIENTS_H
#define SEEING_CLIENTS_H

#include "tests/unit/fake_links.h"

enum {
	ROOMS = 4
};

/* What a client knows of a room. */
struct seen {
	bool asked_in;    /* it wants to be in, as far as it was told */
	bool in;          /* joined was told */
	bool since_given; /* in its join */
	uint64_t since;
	uint64_t next;      /* what comes next; 0: nothing was ever seen */
	uint64_t joined_at; /* head of its join */
	unsigned n_joins;
};

static struct seen seen[LINKS][ROOMS];
static unsigned n_unanswered[LINKS];
static unsigned n_told, n_caught_up, n_first;

static inline void see_joined(struct seen *room, const char *line)
{
	const char *first_at = strstr(line, "\"first\":");
	unsigned long long head, first = 0;
	uint64_t next;

	assert_int_equal(sscanf(strstr(line, "\"head\":"), "\"head\":%llu", &head), 1);
	if (first_at)
		assert_int_equal(sscanf(first_at, "\"first\":%llu", &first), 1);
	assert_true(room->asked_in && !room->in);
	next = head + 1;
	if (room->since_given && room->since <= head)
		next = first ? first : room->since + 1;
	if (first) {
		assert_true(room->since_given && first > room->since + 1);
		n_first++;
	}
	n_caught_up += next < head + 1;
	room->in = true;
	room->joined_at = head;
	room->next = next;
}

/* ref: j, l or s for the request, and the room. */
static inline void see_error(unsigned i, const char *line)
{
	const char *ref = strstr(line, "\"ref\":\"");
	struct seen *room = &seen[i][ref[8] - 'a'];

	assert_non_null(ref);
	if (ref[7] == 's') {
		assert_true(n_unanswered[i] > 0);
		n_unanswered[i]--;
	} else if (ref[7] == 'j') {
		assert_true(!room->in);
		if (!strstr(line, "you left before"))
			room->asked_in = false;
	} else {
		assert_non_null(strstr(line, "not_member"));
		assert_true(!room->in);
	}
}

static inline void see_sent(unsigned i, const struct seen *room, const char *line)
{
	unsigned long long seq;
	unsigned n_joins;

	assert_true(n_unanswered[i] > 0);
	n_unanswered[i]--;
	assert_int_equal(sscanf(strstr(line, "\"seq\":"), "\"seq\":%llu", &seq), 1);
	assert_int_equal(sscanf(strstr(line, "\"id\":"), "\"id\":\"%u-", &n_joins), 1);
	/* What was said after the join comes after it. */
	if (n_joins == room->n_joins && room->in)
		assert_true(seq > room->joined_at);
}

static inline void see(unsigned i, const char *line)
{
	const char *at = strstr(line, "\"room\":\"");
	struct seen *room = at ? &seen[i][at[8] - 'a'] : NULL;
	unsigned long long seq;

	if (strncmp(line, "{\"op\":\"error\"", 13) == 0) {
		see_error(i, line);
	} else if (strncmp(line, "{\"op\":\"joined\"", 14) == 0) {
		see_joined(room, line);
	} else if (strncmp(line, "{\"op\":\"sent\"", 12) == 0) {
		see_sent(i, room, line);
	} else if (strncmp(line, "{\"op\":\"left\"", 12) == 0) {
		room->in = false;
	} else if (sscanf(line, "{\"op\":\"message\",\"room\":\"%*c\",\"seq\":%llu",
			  &seq) == 1) {
		assert_true(room->in);
		assert_int_equal(seq, room->next);
		room->next++;
		n_told++;
	} else {
		assert_true(strstr(line, "welcome") || strstr(line, "presence"));
	}
}

static inline void see_all(unsigned i)
{
	char *line = links[i].got;

	links[i].got[links[i].got_len] = '\0';
	while (*line) {
		char *end = strchr(line, '\n');

		*end = '\0';
		see(i, line);
		line = end + 1;
	}
	links[i].got_len = 0;
	links[i].got[0] = '\0';
}

#endif
