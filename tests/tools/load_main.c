/*
 * load - many chat clients in one process, for tests and benchmarks. They connect to
 * /chat as u0, u1, … and speak parley.v1.
 *
 *   load idle N ADDRESS              N connections that stay until stdin ends or a
 *                                    signal comes; those that are refused are dialled
 *                                    again. Prints `open N` once all are up, `lost N`
 *                                    when N of them are gone.
 *   load storm RATE SECONDS ADDRESS  so many connects a second, each ended at once or
 *                                    soon: with a Close, with FIN, with a reset, before
 *                                    the handshake is answered. Prints
 *                                    `started= opened= refused= lost= abandoned=
 *                                    pending= elapsed_ms=`; exit 0 whatever they are.
 *   load room MEMBERS MESSAGES INFLIGHT ADDRESS
 *                                    one more member publishes, with so many messages
 *                                    under way that not all members have yet. Prints
 *                                    `members= messages= acked= deliveries= lost=
 *                                    repeated= errors= elapsed_ms= rate= cpu_ms=`;
 *                                    cpu_ms is its own. Exit 1 unless each member saw
 *                                    each message once and in order.
 *   load rooms ROOMS MEMBERS MESSAGES ADDRESS
 *                                    so many rooms of so many members, who publish by
 *                                    turns, --inflight in each room. Prints and ends as
 *                                    room does.
 *   load sends ROOMS SECONDS INFLIGHT ADDRESS
 *                                    messages to all these rooms in turn, so many of
 *                                    them not yet answered. Prints `rooms= inflight=
 *                                    acked= elapsed_ms= rate= p50_us= p99_us= max_us=
 *                                    errors= cpu_ms=`; the times are from send to
 *                                    `sent`. Exit 1 on any error.
 *   load resume N BEHIND ADDRESS     N connections join a room; prints `open N`. Once
 *                                    all are lost, one more says BEHIND messages, and
 *                                    then all resume. Prints `clients= behind=
 *                                    complete= deliveries= lost= repeated= errors=
 *                                    joined_ms= elapsed_ms= cpu_ms=`. Exit 1 unless
 *                                    each saw each message once and in order.
 *   load slow N RATE ADDRESS         N members of --room that read RATE bytes a second
 *                                    each; prints `open N`. Those that are closed
 *                                    resume. After the end of stdin all read what is
 *                                    left. Prints `readers= complete= closed_slow=
 *                                    closed_other= resumed= head= lost= repeated=
 *                                    errors=`. Exit 1 unless each saw each message of
 *                                    the room once and in order.
 *   load crowd N SIZE ADDRESS        N connections, each in --room and in a room of SIZE,
 *                                    until stdin ends; a lost one is dialled again and
 *                                    resumes. It obeys words on stdin: `large` (the
 *                                    first one says a message in --room), `small` (one
 *                                    in each small room does), `tell` (prints `clients=
 *                                    open= in= gone= back= head= behind= behind_small=
 *                                    owed= acked= deliveries= lost= repeated= errors=
 *                                    cpu_ms=`; gone: links that ended, back: joins that
 *                                    resumed, head: of --room, behind: clients that
 *                                    lack some of it, owed: messages not
 *                                    acknowledged). At the end it tells once more; exit
 *                                    1 on any loss, repeat or error.
 *
 * Options, anywhere: --room NAME (idle joins it; room: instead of one of its own),
 * --bytes N (length of a message's body, 64), --reconnect (idle: dials lost ones again,
 * which then resume in --room; who comes again shows the session that it had),
 * --from ADDRESS:0 (dials from there), --dialect NAME (room, rooms: of another server
 * than ours; see dialect.h), --inflight N (rooms: 1), --hold (room, rooms: prints `open`
 * when all are in, and goes on when a line can be read), --rate N (room: so many messages
 * a second, whatever is under way; prints `p50_us= p99_us= max_us=` as well, from when
 * each was to be sent to each delivery), --deflate (permessage-deflate is offered).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tools/dialect.h"
#include "tests/tools/load.h"

static const struct {
	const char *name;
	int n_numbers;
	int (*run)(struct load *load, const unsigned numbers[3]);
} modes[] = {
	{ "idle", 1, load_idle },     { "storm", 2, load_storm },
	{ "room", 3, load_room },     { "sends", 3, load_sends },
	{ "resume", 2, load_resume }, { "slow", 2, load_slow },
	{ "rooms", 3, load_rooms },   { "crowd", 2, load_crowd },
};

static int usage(void)
{
	fprintf(stderr, "usage: load [--room NAME] [--bytes N] [--reconnect] [--hold] "
			"[--deflate] "
			"[--dialect NAME] [--from ADDRESS:0] [--inflight N] [--rate N] "
			"idle N | storm RATE "
			"SECONDS | room MEMBERS MESSAGES INFLIGHT | "
			"rooms ROOMS MEMBERS MESSAGES | "
			"sends ROOMS SECONDS INFLIGHT | resume N BEHIND | "
			"slow N RATE | crowd N SIZE ADDRESS\n");
	return EXIT_FAILURE;
}

static bool take_option(struct load *load, const char *name, const char *value)
{
	unsigned number = (unsigned)strtoul(value, NULL, 10);

	if (!strcmp(name, "--room"))
		load->room = value;
	else if (!strcmp(name, "--bytes"))
		load->body_bytes = number;
	else if (!strcmp(name, "--inflight"))
		load->in_flight = number;
	else if (!strcmp(name, "--from"))
		return !ws_address(value, &load->from);
	else if (!strcmp(name, "--rate"))
		load->rate = number;
	else if (!strcmp(name, "--dialect"))
		return (load->dialect = dialect_find(value));
	else
		return false;
	return true;
}

/* Takes the options out of the words; returns how many words are left, or -1. */
static int take_options(struct load *load, int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--reconnect"))
			load->reconnect = true;
		else if (!strcmp(argv[i], "--hold"))
			load->hold = true;
		else if (!strcmp(argv[i], "--deflate"))
			load->deflate = true;
		else if (argv[i][0] != '-')
			argv[n++] = argv[i];
		else if (i + 1 == argc || !take_option(load, argv[i], argv[i + 1]))
			return -1;
		else
			i++;
	}
	return n;
}

static int run(struct load *load, int n_words, char **words)
{
	unsigned numbers[3] = { 0 };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (n_words != modes[i].n_numbers + 2 ||
		    strcmp(words[0], modes[i].name) != 0)
			continue;
		for (int j = 0; j < modes[i].n_numbers; j++)
			numbers[j] = (unsigned)strtoul(words[j + 1], NULL, 10);
		if (!numbers[0] || ws_address(words[n_words - 1], &load->to) < 0)
			return usage();
		return modes[i].run(load, numbers);
	}
	return usage();
}

int main(int argc, char **argv)
{
	struct load load = { .body_bytes = 64 };
	int n = take_options(&load, argc, argv), r;

	if (n < 1)
		return usage();
	if (load_init(&load) < 0) {
		perror("load");
		return EXIT_FAILURE;
	}
	setlinebuf(stdout);
	r = run(&load, n, argv);
	load_release(&load);
	return r;
}
