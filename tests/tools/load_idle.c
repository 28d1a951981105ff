/* load_idle - N connections that do nothing but be there. */
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	DIALLING_MAX = 256, /* at a time */
	RETRY_MS = 200
};

struct idle {
	struct load_link *links;
	unsigned n_links, n_dialling, n_open;
	unsigned next; /* first link that was not looked at in this round */
	uint64_t round_at_ms;
	uint64_t n_opened, n_refused, n_lost;
	unsigned n_told; /* open ones, as last printed */
	bool complete;   /* all were up at one time */
};

static void on_opened(struct load_link *link)
{
	struct idle *idle = link->load->mode;

	idle->n_dialling--;
	idle->n_open++;
	idle->n_opened++;
	if (link->load->room)
		load_join(link, link->load->room);
}

/* Who is in a room resumes there when it comes again. */
static void on_message(struct load_link *link, const char *text, size_t len)
{
	if (load_op_is(text, len, "joined") && !link->resumes)
		link->seen = load_number(text, len, "\"head\":");
	else if (load_op_is(text, len, "message"))
		link->seen = load_number(text, len, "\"seq\":");
	else
		return;
	link->resumes = true;
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct idle *idle = link->load->mode;

	if (end == LOAD_REFUSED) {
		idle->n_dialling--;
		idle->n_refused++;
	} else {
		idle->n_open--;
		idle->n_lost++;
	}
}

/* Dials what is not there, each link once a round. Links that were lost stay so
 * unless --reconnect; those that were refused are dialled again. */
static void dial(struct load *load, struct idle *idle)
{
	uint64_t now = load_now_ms();

	if (idle->n_open + idle->n_dialling == idle->n_links ||
	    (idle->complete && !load->reconnect))
		return;
	if (idle->next == idle->n_links && now >= idle->round_at_ms) {
		idle->next = 0;
		idle->round_at_ms = now + RETRY_MS;
	}
	for (; idle->next < idle->n_links && idle->n_dialling < DIALLING_MAX;
	     idle->next++) {
		if (idle->links[idle->next].state != LOAD_GONE)
			continue;
		if (!load_dial(load, &idle->links[idle->next], idle->next))
			idle->n_dialling++;
	}
}

static void tell(struct idle *idle)
{
	if (idle->n_open == idle->n_told)
		return;
	if (idle->n_open == idle->n_links) {
		printf("open %u\n", idle->n_open);
		idle->complete = true;
	} else if (idle->complete && idle->n_open < idle->n_told) {
		printf("lost %u\n", idle->n_links - idle->n_open);
	}
	if (idle->complete)
		idle->n_told = idle->n_open;
}

int load_idle(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct idle idle = { .n_links = numbers[0] };

	idle.links = calloc(idle.n_links, sizeof(*idle.links));
	CHECK(idle.links);
	load_begin(load, &on, &idle);
	load_watch_stdin(load, NULL);
	while (!load->stop) {
		dial(load, &idle);
		load_turn(load, RETRY_MS / 4);
		tell(&idle);
	}
	printf("end opened=%lu refused=%lu lost=%lu\n", idle.n_opened, idle.n_refused,
	       idle.n_lost);
	for (unsigned i = 0; i < idle.n_links; i++)
		load_forget(&idle.links[i]);
	free(idle.links);
	return EXIT_SUCCESS;
}
