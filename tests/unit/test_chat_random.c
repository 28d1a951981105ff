/* Whatever happens in whatever order: from `joined` to `left` a member sees its room's
 * sequence without a hole that it is not told of, without a repeat, in order. */
#include "tests/unit/fake_links.h"

enum {
	ROOMS = 4,
	STEPS = 60000
};

static const char *const names[ROOMS] = { "a", "b", "c", "d" };
static uint64_t heads[ROOMS]; /* newest sequence there is, and what was heard of it */
static uint64_t next_of[LINKS][ROOMS]; /* what the client expects; 0: not in the room */
static bool in[LINKS][ROOMS];          /* what it asked for */
static unsigned seed = 1, n_closed, n_told, n_gaps;

static unsigned pick(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static uint64_t newest(struct text room)
{
	return heads[*room.at - 'a'];
}

/* ---- what a client makes of what it gets ---- */

static void see(uint64_t next[ROOMS], const char *line)
{
	const char *room = strstr(line, "\"room\":\"");
	unsigned long long seq, after;
	uint64_t *at = room ? &next[room[8] - 'a'] : NULL;

	if (sscanf(line, "{\"op\":\"joined\",\"room\":\"%*c\",\"head\":%llu", &seq) ==
	    1) {
		assert_int_equal(*at, 0);
		*at = seq + 1;
	} else if (sscanf(line, "{\"op\":\"message\",\"room\":\"%*c\",\"seq\":%llu",
			  &seq) == 1) {
		assert_int_equal(*at, seq);
		*at = seq + 1;
		n_told++;
	} else if (room && strncmp(line, "{\"op\":\"left\"", 12) == 0) {
		assert_true(*at);
		*at = 0;
	} else if (sscanf(line,
			  "{\"op\":\"error\",\"code\":\"gap\",\"room\":\"%*c\",\"after\":"
			  "%llu,"
			  "\"next\":%llu",
			  &after, &seq) == 2) {
		assert_int_equal(*at, after + 1);
		*at = seq;
		n_gaps++;
	} else {
		assert_non_null(strstr(line, "welcome"));
	}
}

static void see_all(unsigned i)
{
	char *line = links[i].got;

	links[i].got[links[i].got_len] = '\0';
	while (*line) {
		char *end = strchr(line, '\n');

		*end = '\0';
		see(next_of[i], line);
		line = end + 1;
	}
	links[i].got_len = 0;
	links[i].got[0] = '\0';
}

/* ---- what happens ---- */

static void reconnect(unsigned i)
{
	if (links[i].session)
		hang_up(&links[i]);
	memset(&links[i], 0, offsetof(struct link, got) + 1);
	memset(next_of[i], 0, sizeof next_of[i]);
	memset(in[i], 0, sizeof in[i]);
	links[i].session = chat_opened(chat, &links[i], "s", "u");
	assert_non_null(links[i].session);
}

static void join_or_leave(unsigned i, unsigned room)
{
	char json[64];

	snprintf(json, sizeof json, "{\"op\":\"%s\",\"room\":\"%s\"}",
		 in[i][room] ? "leave" : "join", names[room]);
	in[i][room] = !in[i][room];
	chat_message(links[i].session, json, strlen(json));
}

static void speak(unsigned room)
{
	static char body[2000];

	memset(body, 'x', sizeof body);
	body[0] = '"';
	body[1 + pick(pick(20) ? 50 : 1900)] = '"';
	*(strchr(body + 1, '"') + 1) = '\0';
	heads[room] += pick(100) ? 1 : 1 + pick(3); /* seldom one is lost */
	said(names[room], heads[room], body, false, 0);
	if (!pick(50))
		said(names[room], heads[room] - pick(2), body, false, 0); /* a repeat */
}

static void step(void)
{
	unsigned i = pick(LINKS), room = pick(ROOMS);

	switch (pick(16)) {
	case 0: join_or_leave(i, room); break;
	case 1: links[i].stuck = !pick(4); break;
	case 2:
		if (!pick(20))
			reconnect(i);
		break;
	case 3: take(&links[i], 1 + pick(3000)); break;
	case 4:
		if (!pick(200)) {
			heads[room] += pick(3);
			chat_overrun(chat);
		}
		break;
	case 5:
	case 6:
	case 7: chat_flush(chat); break;
	default: speak(room);
	}
}

static void a_client_can_trust_what_it_sees(void **state)
{
	limits.room_log_bytes = 16384;
	limits.room_logs_bytes = 40000;
	head_of = newest;
	chat_start(0);
	for (unsigned i = 0; i < LINKS; i++)
		reconnect(i);
	for (unsigned n = 0; n < STEPS; n++) {
		step();
		for (unsigned i = 0; i < LINKS; i++) {
			see_all(i);
			if (links[i].closed) {
				n_closed++;
				reconnect(i);
			}
		}
	}
	chat_flush(chat);
	for (unsigned i = 0; i < LINKS; i++) {
		while (take(&links[i], TAKE_MAX))
			;
		see_all(i);
		for (unsigned room = 0; room < ROOMS && !links[i].closed; room++)
			assert_int_equal(next_of[i][room],
					 in[i][room] ? heads[room] + 1 : 0);
	}
	/* And it was worth it. */
	assert_true(n_told > STEPS && n_gaps > 100 && n_closed > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_client_can_trust_what_it_sees,
						links_setup, links_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
