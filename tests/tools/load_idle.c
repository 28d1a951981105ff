/* load_idle - N connections that do nothing but be there. */
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	DIALLING_MAX = 256 /* at a time */
};

struct idle {
	struct load_dialler dialler;
	uint64_t n_opened, n_refused, n_lost;
	unsigned n_told; /* open ones, as last printed */
	bool complete;   /* all were up at one time */
};

static void on_opened(struct load_link *link)
{
	struct idle *idle = link->load->mode;

	idle->dialler.n_dialling--;
	idle->dialler.n_open++;
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
		idle->dialler.n_dialling--;
		idle->n_refused++;
	} else {
		idle->dialler.n_open--;
		idle->n_lost++;
	}
}

static void tell(struct idle *idle)
{
	if (idle->dialler.n_open == idle->n_told)
		return;
	if (idle->dialler.n_open == idle->dialler.n_links) {
		printf("open %u\n", idle->dialler.n_open);
		idle->complete = true;
	} else if (idle->complete && idle->dialler.n_open < idle->n_told) {
		printf("lost %u\n", idle->dialler.n_links - idle->dialler.n_open);
	}
	if (idle->complete)
		idle->n_told = idle->dialler.n_open;
}

int load_idle(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct load_link *links = calloc(numbers[0], sizeof(*links));
	struct idle idle = { .dialler = { .links = links,
					  .link_size = sizeof(*links),
					  .n_links = numbers[0],
					  .at_once = DIALLING_MAX } };

	CHECK(links);
	load_begin(load, &on, &idle);
	load_watch_stdin(load, NULL);
	while (!load->stop) {
		/* Those that were lost stay so unless --reconnect. */
		if (!idle.complete || load->reconnect)
			load_dial_gone(load, &idle.dialler);
		load_turn(load, LOAD_RETRY_MS / 4);
		tell(&idle);
	}
	printf("end opened=%lu refused=%lu lost=%lu\n", idle.n_opened, idle.n_refused,
	       idle.n_lost);
	for (unsigned i = 0; i < idle.dialler.n_links; i++)
		load_forget(&links[i]);
	free(links);
	return EXIT_SUCCESS;
}
