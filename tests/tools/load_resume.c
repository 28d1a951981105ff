/*
 * load_resume - many who lost their link while others went on, and come back for it.
 *
 * All join a room and wait until each has lost its link. Then one comes back alone and
 * says BEHIND messages, and all others resume after what they had.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	DIALLING_MAX = 256, /* at a time */
	SILENCE_MS = 60000
};

enum stage {
	GATHERING,
	WAITING,
	SAYING,
	RESUMING
};

struct member {
	struct load_link link; /* first */
	uint64_t next;         /* sequence it must see next; 0 until joined once */
	bool joined;           /* on this link */
};

struct resume {
	enum stage stage;
	struct member *members; /* the first one says what the others miss */
	unsigned n_members, n_behind;
	unsigned n_dialling, n_open, n_joined, n_acked, n_done, next;
	uint64_t head, n_delivered, n_lost, n_repeated, n_errors, heard_ms, joined_ms;
	char room[80];
};

static void on_opened(struct load_link *link)
{
	struct resume *resume = link->load->mode;
	struct member *member = (struct member *)link;
	char text[192];
	int len;

	resume->n_dialling--;
	resume->n_open++;
	if (member->next)
		len = snprintf(text, sizeof(text),
			       "{\"op\":\"join\",\"room\":\"%s\",\"since\":%lu}",
			       resume->room, member->next - 1);
	else
		len = snprintf(text, sizeof(text), "{\"op\":\"join\",\"room\":\"%s\"}",
			       resume->room);
	load_send(link, text, (size_t)len);
	load_flush(link);
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct resume *resume = link->load->mode;
	struct member *member = (struct member *)link;

	if (end == LOAD_REFUSED)
		resume->n_dialling--;
	else
		resume->n_open--;
	resume->n_joined -= member->joined;
	member->joined = false;
}

static void say_all(struct resume *resume)
{
	char text[256];

	for (unsigned i = 0; i < resume->n_behind; i++) {
		int len = snprintf(text, sizeof(text),
				   "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"b%u\","
				   "\"body\":\"%064u\"}",
				   resume->room, i, i);

		load_send(&resume->members[0].link, text, (size_t)len);
	}
	load_flush(&resume->members[0].link);
}

static void on_joined(struct resume *resume, struct member *member, uint64_t head)
{
	member->joined = true;
	resume->n_joined++;
	resume->joined_ms = load_now_ms();
	if (!member->next)
		member->next = head + 1;
	if (resume->stage == SAYING && member == resume->members)
		say_all(resume);
}

static void on_delivery(struct resume *resume, struct member *member, uint64_t seq)
{
	resume->n_delivered++;
	resume->n_repeated += seq < member->next;
	if (seq < member->next)
		return;
	resume->n_lost += seq - member->next;
	member->next = seq + 1;
	resume->n_done += seq == resume->head + resume->n_behind;
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct resume *resume = link->load->mode;
	struct member *member = (struct member *)link;

	if (load_op_is(text, len, "message")) {
		on_delivery(resume, member, load_number(text, len, "\"seq\":"));
	} else if (load_op_is(text, len, "joined")) {
		on_joined(resume, member, load_number(text, len, "\"head\":"));
	} else if (load_op_is(text, len, "sent")) {
		resume->n_acked++;
	} else if (load_op_is(text, len, "error")) {
		if (!resume->n_errors++)
			fprintf(stderr, "load: %.*s\n", (int)len, text);
	} else {
		return;
	}
	resume->heard_ms = load_now_ms();
}

/* The first `n` of them; those that are not there, in turn. */
static void dial(struct load *load, struct resume *resume, unsigned n)
{
	for (unsigned i = 0; i < n && resume->n_open + resume->n_dialling < n &&
			     resume->n_dialling < DIALLING_MAX;
	     i++) {
		struct member *member = &resume->members[resume->next++ % n];

		if (member->link.state == LOAD_GONE &&
		    !load_dial(load, &member->link, (unsigned)(member - resume->members)))
			resume->n_dialling++;
	}
}

static bool turn(struct load *load, struct resume *resume, unsigned n_there)
{
	dial(load, resume, n_there);
	load_turn(load, 20);
	if (resume->stage != WAITING && load_now_ms() - resume->heard_ms > SILENCE_MS) {
		fprintf(stderr, "load: nothing for %d ms\n", SILENCE_MS);
		resume->n_errors++;
	}
	return !load->stop && !resume->n_errors;
}

static void enter(struct resume *resume, enum stage stage)
{
	resume->stage = stage;
	resume->heard_ms = load_now_ms();
	resume->next = 0;
}

/* Everyone in; everyone out again; the first one back, and done with saying. */
static void fall_behind(struct load *load, struct resume *resume)
{
	enter(resume, GATHERING);
	while (resume->n_joined < resume->n_members &&
	       turn(load, resume, resume->n_members))
		;
	resume->head = resume->members[0].next - 1;
	printf("open %u\n", resume->n_joined);
	enter(resume, WAITING);
	while (resume->n_open && turn(load, resume, 0))
		;
	enter(resume, SAYING);
	while (resume->n_acked < resume->n_behind && turn(load, resume, 1))
		;
}

int load_resume(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct resume resume = { .n_members = numbers[0] + 1, .n_behind = numbers[1] };
	uint64_t start_ms;
	bool good;

	resume.members = calloc(resume.n_members, sizeof(*resume.members));
	CHECK(resume.members);
	(void)snprintf(resume.room, sizeof(resume.room), "resume-%ld", (long)getpid());
	load_begin(load, &on, &resume);
	fall_behind(load, &resume);
	enter(&resume, RESUMING);
	start_ms = load_now_ms();
	while (resume.n_done < resume.n_members && turn(load, &resume, resume.n_members))
		;
	printf("clients=%u behind=%u complete=%u deliveries=%lu lost=%lu repeated=%lu "
	       "errors=%lu joined_ms=%lu elapsed_ms=%lu cpu_ms=%lu\n",
	       numbers[0], resume.n_behind, resume.n_done, resume.n_delivered,
	       resume.n_lost, resume.n_repeated, resume.n_errors,
	       resume.joined_ms - start_ms, load_now_ms() - start_ms, load_cpu_ms());
	good = resume.n_done == resume.n_members &&
	       !(resume.n_lost + resume.n_repeated + resume.n_errors);
	for (unsigned i = 0; i < resume.n_members; i++)
		load_forget(&resume.members[i].link);
	free(resume.members);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
