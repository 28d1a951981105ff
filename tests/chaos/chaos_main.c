/*
 * chaos - proves the delivery promises of a gateway that is being harmed.
 *
 *   chaos [--seed N] [--clients N] [--rooms N] [--seats N] [--seconds N] [--step MS]
 *         [--settle SECONDS] [--trims] [--first] ADDRESS
 *
 * Clients join rooms, send, repeat, leave, rejoin from earlier, read history, read
 * slowly, go deaf and are cut off, each by its own stream of the seed, for --seconds
 * (default 10). Then all come back, and everything must settle within --settle: each
 * message acknowledged, each member at the head, history read to its end. Meanwhile
 * somebody (tests/chaos/run) harms the gateway.
 *
 * On USR1 all come to rest where they belong: connected, in their rooms, everything
 * acknowledged and heard; then it prints `calm open=N`. On USR2 they go on.
 *
 * Prints `seed=` first, each violation in words, and the counts last. Exit 1 on any
 * violation. --seats: rooms a client is in; --step: mean time between two steps of a
 * client; --trims: old messages may be gone, if that is told; --first: ends at the first
 * violation.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "tests/chaos/chaos.h"

enum {
	TURN_MS = 5,
	RECEIVE_BYTES = 16384 /* of the kernel, so that slowness is felt */
};

static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	{ "--clients", offsetof(struct chaos, n_clients) },
	{ "--rooms", offsetof(struct chaos, n_rooms) },
	{ "--seats", offsetof(struct chaos, n_seats) },
	{ "--seconds", offsetof(struct chaos, seconds) },
	{ "--settle", offsetof(struct chaos, settle_seconds) },
	{ "--step", offsetof(struct chaos, step_ms) },
};

static bool take_number(struct chaos *chaos, const char *name, const char *text)
{
	if (!strcmp(name, "--seed")) {
		chaos->seed = strtoull(text, NULL, 10);
		return true;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(numbers[i].name, name)) {
			unsigned *is = (unsigned *)(void *)((char *)chaos +
							    numbers[i].at);

			*is = (unsigned)strtoul(text, NULL, 10);
			return true;
		}
	return false;
}

static bool take_options(struct chaos *chaos, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--trims"))
			chaos->trims = true;
		else if (!strcmp(argv[i], "--first"))
			chaos->first = true;
		else if (i + 1 >= argc || !take_number(chaos, argv[i], argv[i + 1]))
			return false;
		else
			i++;
	}
	return i + 1 == argc && !ws_address(argv[i], &chaos->load.to) &&
	       chaos->n_clients && chaos->n_rooms && chaos->step_ms && chaos->n_seats &&
	       chaos->n_seats <= SEATS_MAX && chaos->n_seats <= chaos->n_rooms;
}

/* Different rooms, by the seed. */
static void seat_client(struct client *client)
{
	struct chaos *chaos = client->chaos;
	uint64_t first = rng_below(&client->ways, chaos->n_rooms);

	client->n_seats = chaos->n_seats;
	for (unsigned i = 0; i < client->n_seats; i++)
		client->seats[i].room = (uint32_t)((first + i) % chaos->n_rooms);
}

static void init(struct chaos *chaos)
{
	unsigned n = chaos->n_clients + chaos->n_rooms;

	chaos->start_ms = chaos->now_ms = load_now_ms();
	chaos->load.receive_bytes = RECEIVE_BYTES;
	chaos->rooms = calloc(chaos->n_rooms, sizeof(*chaos->rooms));
	chaos->clients = calloc(n, sizeof(*chaos->clients));
	CHECK(chaos->rooms && chaos->clients);
	/* A store may know the rooms of an earlier run. */
	for (unsigned i = 0; i < chaos->n_rooms; i++)
		(void)snprintf(chaos->rooms[i].name, sizeof(chaos->rooms[i].name),
			       "chaos-%ld-%u", (long)getpid(), i);
	for (unsigned i = 0; i < n; i++) {
		struct client *client = &chaos->clients[i];

		client->chaos = chaos;
		client->number = i;
		client->reader = i >= chaos->n_clients;
		schedule_init(client);
		if (!client->reader) {
			seat_client(client);
		} else {
			client->n_seats = 1;
			client->seats[0].room = i - chaos->n_clients;
		}
	}
	load_begin(&chaos->load, &client_events, chaos);
}

static void release(struct chaos *chaos)
{
	for (unsigned i = 0; i < chaos->n_clients + chaos->n_rooms; i++) {
		load_forget(&chaos->clients[i].link);
		free(chaos->clients[i].sends);
	}
	for (unsigned i = 0; i < chaos->n_rooms; i++)
		free(chaos->rooms[i].entries);
	free(chaos->clients);
	free(chaos->rooms);
}

/* The last of USR1 and USR2; the bridge from signals to the loop. */
static volatile sig_atomic_t asked_by;

static void on_asked(int signal)
{
	asked_by = signal;
}

static void obey(struct chaos *chaos)
{
	bool calm = asked_by == SIGUSR1;

	if (calm == chaos->calm)
		return;
	chaos->calm = calm;
	chaos->calm_told = false;
	/* Not all at once. */
	for (unsigned i = 0; i < chaos->n_clients; i++)
		chaos->clients[i].step_ms = chaos->now_ms +
					    rng_below(&chaos->clients[i].ways,
						      2ull * chaos->step_ms);
}

static void tell_calm(struct chaos *chaos)
{
	unsigned open = 0;

	for (unsigned i = 0; i < chaos->n_clients; i++) {
		if (!schedule_settled(&chaos->clients[i]))
			return;
		open += client_open(&chaos->clients[i]);
	}
	chaos->calm_told = true;
	printf("calm open=%u\n", open);
}

static void turn(struct chaos *chaos)
{
	obey(chaos);
	load_turn(&chaos->load, TURN_MS);
	chaos->now_ms = load_now_ms();
	for (unsigned i = 0; i < chaos->n_clients + chaos->n_rooms; i++)
		schedule_tick(&chaos->clients[i]);
	if (chaos->calm && !chaos->calm_told)
		tell_calm(chaos);
}

static bool settled(const struct chaos *chaos)
{
	for (unsigned i = 0; i < chaos->n_clients + chaos->n_rooms; i++)
		if (!schedule_settled(&chaos->clients[i]))
			return false;
	return true;
}

/* Nothing more is wanted to be known. */
static bool over(const struct chaos *chaos)
{
	return chaos->first && chaos->counts.violations;
}

static void run(struct chaos *chaos)
{
	uint64_t end_ms = chaos->start_ms + chaos->seconds * 1000ull;

	while (!chaos->load.stop && !over(chaos) && chaos->now_ms < end_ms)
		turn(chaos);
	chaos->quiet_end = true;
	end_ms = chaos->now_ms + chaos->settle_seconds * 1000ull;
	while (!over(chaos) && chaos->now_ms < end_ms && !settled(chaos))
		turn(chaos);
	if (over(chaos))
		return;
	for (unsigned i = 0; i < chaos->n_clients + chaos->n_rooms; i++)
		if (!schedule_settled(&chaos->clients[i]))
			schedule_unsettled(&chaos->clients[i]);
	ledger_close(chaos);
}

static void tell(const struct chaos *chaos)
{
	const struct counts *n = &chaos->counts;

	printf("seed=%lu clients=%u rooms=%u sent=%lu acked=%lu abandoned=%lu "
	       "repeats=%lu "
	       "deliveries=%lu resumes=%lu histories=%lu cuts=%lu slow=%lu lost=%lu "
	       "refused=%lu elapsed_ms=%lu violations=%lu\n",
	       chaos->seed, chaos->n_clients, chaos->n_rooms, n->sent, n->acked,
	       n->abandoned, n->repeats, n->deliveries, n->resumes, n->histories, n->cuts,
	       n->slow, n->lost, n->refused, load_now_ms() - chaos->start_ms,
	       n->violations);
}

int main(int argc, char **argv)
{
	struct chaos chaos = {
		.seed = 1,
		.n_clients = 200,
		.n_rooms = 20,
		.n_seats = 3,
		.seconds = 10,
		.settle_seconds = 30,
		.step_ms = 200,
	};

	if (!take_options(&chaos, argc, argv)) {
		fprintf(stderr,
			"usage: chaos [--seed N] [--clients N] [--rooms N] "
			"[--seats N] [--seconds N] [--step MS] [--settle SECONDS] "
			"[--trims] [--first] ADDRESS\n");
		return EXIT_FAILURE;
	}
	if (load_init(&chaos.load) < 0) {
		perror("chaos");
		return EXIT_FAILURE;
	}
	(void)signal(SIGUSR1, on_asked);
	(void)signal(SIGUSR2, on_asked);
	setlinebuf(stdout);
	printf("seed=%lu\n", chaos.seed);
	init(&chaos);
	run(&chaos);
	tell(&chaos);
	release(&chaos);
	load_release(&chaos.load);
	return chaos.counts.violations ? EXIT_FAILURE : EXIT_SUCCESS;
}
