/* load_storm - connects and disconnects at a steady pace, in every way there is. */
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	HOLD_MS = 100,
	LINKS_MAX = 16000,
	LAST_WAIT_MS = 5000 /* for links that are still on their way at the end */
};

struct storm_link {
	struct load_link link; /* first */
	uint64_t number, hold_until_ms;
	struct storm_link *next; /* free, or held */
};

struct storm {
	struct storm_link *links, *free;
	struct storm_link *held, **held_end; /* in the order of hold_until_ms */
	uint64_t n_started, n_opened, n_refused, n_lost, n_abandoned;
	unsigned n_links, n_used;
};

static void hold(struct storm *storm, struct storm_link *link)
{
	link->hold_until_ms = load_now_ms() + HOLD_MS;
	link->next = NULL;
	*storm->held_end = link;
	storm->held_end = &link->next;
}

static void on_opened(struct load_link *link)
{
	struct storm *storm = link->load->mode;
	struct storm_link *mine = (struct storm_link *)link;

	storm->n_opened++;
	switch (mine->number % 4) {
	case 0: load_close(link); return;
	case 1: load_reset(link); return;
	case 2: load_hang_up(link); return;
	}
	hold(storm, mine);
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
}

static void give_back(struct storm *storm, struct storm_link *link)
{
	link->next = storm->free;
	storm->free = link;
	storm->n_used--;
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct storm *storm = link->load->mode;
	struct storm_link *mine = (struct storm_link *)link;

	storm->n_refused += end == LOAD_REFUSED;
	storm->n_lost += end == LOAD_LOST;
	/* One that is held leaves that list when its time comes. */
	if (!mine->hold_until_ms)
		give_back(storm, mine);
}

static void let_go(struct storm *storm)
{
	uint64_t now = load_now_ms();

	while (storm->held && storm->held->hold_until_ms <= now) {
		struct storm_link *link = storm->held;

		storm->held = link->next;
		if (!storm->held)
			storm->held_end = &storm->held;
		link->hold_until_ms = 0;
		if (link->link.state == LOAD_OPEN)
			load_close(&link->link);
		else if (link->link.state == LOAD_GONE)
			give_back(storm, link);
	}
}

static void start(struct load *load, struct storm *storm)
{
	struct storm_link *link = storm->free;

	storm->free = link->next;
	storm->n_used++;
	link->number = storm->n_started++;
	link->hold_until_ms = 0;
	if (load_dial(load, &link->link, (unsigned)link->number) < 0) {
		storm->n_refused++;
		give_back(storm, link);
	} else if (link->number % 16 == 15) {
		/* Gone before the handshake is answered, or even asked. */
		storm->n_abandoned++;
		load_reset(&link->link);
	}
}

static void storm_init(struct storm *storm)
{
	unsigned max = load_links_max();

	storm->n_links = max < LINKS_MAX ? max : LINKS_MAX;
	storm->links = calloc(storm->n_links, sizeof(*storm->links));
	CHECK(storm->links);
	storm->held_end = &storm->held;
	storm->n_used = storm->n_links;
	for (unsigned i = 0; i < storm->n_links; i++)
		give_back(storm, &storm->links[i]);
}

int load_storm(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	const uint64_t rate = numbers[0], length_ms = numbers[1] * 1000ull;
	struct storm storm = { .n_started = 0 };
	uint64_t start_ms, passed;

	load_begin(load, &on, &storm);
	storm_init(&storm);
	start_ms = load_now_ms();
	do {
		passed = load_now_ms() - start_ms;
		while (storm.free && passed < length_ms &&
		       storm.n_started < passed * rate / 1000)
			start(load, &storm);
		load_turn(load, 5);
		let_go(&storm);
	} while (!load->stop && (passed < length_ms ||
				 (storm.n_used && passed < length_ms + LAST_WAIT_MS)));
	printf("started=%lu opened=%lu refused=%lu lost=%lu abandoned=%lu pending=%u "
	       "elapsed_ms=%lu\n",
	       storm.n_started, storm.n_opened, storm.n_refused, storm.n_lost,
	       storm.n_abandoned, storm.n_used, load_now_ms() - start_ms);
	for (unsigned i = 0; i < storm.n_links; i++)
		load_forget(&storm.links[i].link);
	free(storm.links);
	return EXIT_SUCCESS;
}
