/*
 * load_slow - members of a busy room that read slowly or never, and in the end all.
 *
 * One that the server closes comes back and resumes after what it had. When stdin has
 * ended, all read as fast as they can, until they are where the room is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "tests/tools/load.h"

enum {
	LOOK_MS = 100,
	RECEIVE_BYTES = 4096, /* of the kernel: it reads for nobody */
	CATCH_UP_MS = 60000,
	STILL_MS = 300 /* the room's head stood still so long: that was all */
};

struct reader {
	struct load_link link; /* first */
	uint64_t next;         /* sequence it must see next; 0 until joined once */
	bool joined;
};

struct slow {
	struct load *load;
	struct reader *readers; /* the first one is not slow */
	unsigned n_readers, n_joined, n_told;
	size_t look_bytes; /* what one may read a look */
	bool ending;
	uint64_t head, head_ms; /* newest sequence that anyone has seen; since when */
	uint64_t n_closed_slow, n_closed_other, n_resumed, n_lost, n_repeated, n_errors;
};

static void on_head(struct slow *slow, uint64_t head)
{
	if (head <= slow->head)
		return;
	slow->head = head;
	slow->head_ms = load_now_ms();
}

static void on_opened(struct load_link *link)
{
	struct slow *slow = link->load->mode;
	struct reader *reader = (struct reader *)link;
	char text[256];
	int len = snprintf(text, sizeof(text), "{\"op\":\"join\",\"room\":\"%s\"",
			   link->load->room);

	if (reader->next) {
		slow->n_resumed++;
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",\"since\":%lu",
				reader->next - 1);
	}
	len += snprintf(text + len, sizeof(text) - (size_t)len, "}");
	load_send(link, text, (size_t)len);
	load_flush(link);
}

/* Those who are to be slow are so from when they are in. */
static void on_joined(struct slow *slow, struct reader *reader, uint64_t head)
{
	if (!reader->next)
		reader->next = head + 1;
	reader->joined = true;
	slow->n_joined++;
	on_head(slow, head);
	if (!slow->ending && reader != slow->readers)
		load_allow(&reader->link, slow->look_bytes);
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct slow *slow = link->load->mode;
	struct reader *reader = (struct reader *)link;
	uint64_t seq;

	if (load_op_is(text, len, "joined")) {
		on_joined(slow, reader, load_number(text, len, "\"head\":"));
	} else if (load_op_is(text, len, "message")) {
		seq = load_number(text, len, "\"seq\":");
		slow->n_repeated += seq < reader->next;
		slow->n_lost += seq > reader->next ? seq - reader->next : 0;
		reader->next = seq + 1;
		on_head(slow, seq);
	} else if (load_op_is(text, len, "error")) {
		fprintf(stderr, "load: %.*s\n", (int)len, text);
		slow->n_errors++;
	}
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct slow *slow = link->load->mode;
	struct reader *reader = (struct reader *)link;

	if (end == LOAD_LOST && link->close_code == 4000)
		slow->n_closed_slow++;
	else
		slow->n_closed_other++;
	slow->n_joined -= reader->joined;
	reader->joined = false;
}

static void look(struct slow *slow)
{
	for (unsigned i = 0; i < slow->n_readers; i++) {
		struct reader *reader = &slow->readers[i];

		if (reader->link.state == LOAD_GONE)
			(void)load_dial(slow->load, &reader->link, i);
		else if ((reader->joined && i) || slow->ending)
			load_allow(&reader->link,
				   slow->ending ? SIZE_MAX : slow->look_bytes);
	}
	if (slow->n_told == slow->n_readers || slow->n_joined != slow->n_readers)
		return;
	slow->n_told = slow->n_readers;
	printf("open %u\n", slow->n_readers - 1);
}

static bool complete(const struct slow *slow)
{
	for (unsigned i = 0; i < slow->n_readers; i++)
		if (!slow->readers[i].joined || slow->readers[i].next <= slow->head)
			return false;
	return load_now_ms() - slow->head_ms > STILL_MS;
}

static void turn(struct load *load, struct slow *slow, uint64_t *look_ms)
{
	load_turn(load, LOOK_MS / 4);
	if (load_now_ms() < *look_ms)
		return;
	look(slow);
	*look_ms = load_now_ms() + LOOK_MS;
}

int load_slow(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct slow slow = {
		.load = load,
		.n_readers = numbers[0] + 1,
		.look_bytes = numbers[1] * LOOK_MS / 1000,
	};
	uint64_t look_ms = 0, end_ms;
	bool good;

	if (!load->room)
		load->room = "slow";
	load->receive_bytes = RECEIVE_BYTES;
	slow.readers = calloc(slow.n_readers, sizeof(*slow.readers));
	CHECK(slow.readers);
	load_begin(load, &on, &slow);
	load_watch_stdin(load, NULL);
	while (!load->stop)
		turn(load, &slow, &look_ms);
	slow.ending = true;
	end_ms = load_now_ms() + CATCH_UP_MS;
	while (!complete(&slow) && load_now_ms() < end_ms)
		turn(load, &slow, &look_ms);
	good = complete(&slow) && !(slow.n_lost + slow.n_repeated + slow.n_errors);
	printf("readers=%u complete=%d closed_slow=%lu closed_other=%lu resumed=%lu "
	       "head=%lu lost=%lu repeated=%lu errors=%lu\n",
	       numbers[0], complete(&slow), slow.n_closed_slow, slow.n_closed_other,
	       slow.n_resumed, slow.head, slow.n_lost, slow.n_repeated, slow.n_errors);
	for (unsigned i = 0; i < slow.n_readers; i++)
		load_forget(&slow.readers[i].link);
	free(slow.readers);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
