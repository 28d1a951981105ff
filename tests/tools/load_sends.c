/* load_sends - so many messages under way over many rooms, and when each is answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "tests/tools/load.h"

enum {
	ROOMS_PER_LINK = 50,
	SILENCE_MS = 15000 /* without any answer: given up */
};

struct sends {
	struct load_link *links;
	unsigned n_links, n_rooms, n_in_flight;
	uint64_t length_ms;
	unsigned n_opened, n_joined, next_room;
	uint64_t *sent_ns;   /* per message under way, by its ref; 0: answered */
	uint32_t *latencies; /* microseconds */
	uint64_t n_acked;
	size_t size;
	uint64_t n_sent, n_errors, answered_ms;
	bool ending, *unflushed; /* per link */
	char *body, *text;
	size_t text_size;
};

static struct load_link *link_of(struct sends *sends, unsigned room)
{
	return &sends->links[room / ROOMS_PER_LINK];
}

static int name_of(unsigned room, char *name, size_t size)
{
	return snprintf(name, size, "load-%ld-%u", (long)getpid(), room);
}

/* The message `ref` in the next room in turn. */
static void say(struct sends *sends, unsigned ref)
{
	unsigned room = sends->next_room++ % sends->n_rooms;
	struct load_link *link = link_of(sends, room);
	char name[64];
	int len;

	(void)name_of(room, name, sizeof(name));
	len = snprintf(sends->text, sends->text_size,
		       "{\"op\":\"send\",\"room\":\"%s\",\"id\":\"%lu\",\"body\":\"%s\","
		       "\"ref\":%u}",
		       name, ++sends->n_sent, sends->body, ref);
	load_send(link, sends->text, (size_t)len);
	sends->unflushed[link - sends->links] = true;
	sends->sent_ns[ref] = clock_mono_ns();
}

static void on_sent(struct sends *sends, const char *text, size_t len)
{
	uint64_t ref = load_number(text, len, "\"ref\":");

	if (ref >= sends->n_in_flight || !sends->sent_ns[ref]) {
		sends->n_errors++;
		return;
	}
	if (sends->n_acked == sends->size) {
		sends->size = sends->size * 2 + 65536;
		sends->latencies = realloc(sends->latencies,
					   sends->size * sizeof(*sends->latencies));
		CHECK(sends->latencies);
	}
	sends->latencies[sends->n_acked++] =
		(uint32_t)((clock_mono_ns() - sends->sent_ns[ref]) / 1000);
	sends->sent_ns[ref] = 0;
	if (!sends->ending)
		say(sends, (unsigned)ref);
}

static void on_opened(struct load_link *link)
{
	struct sends *sends = link->load->mode;
	unsigned room = (unsigned)(link - sends->links) * ROOMS_PER_LINK;
	char name[64];

	sends->n_opened++;
	for (unsigned i = 0; i < ROOMS_PER_LINK && room < sends->n_rooms; i++, room++) {
		(void)name_of(room, name, sizeof(name));
		load_join(link, name);
	}
}

static void on_message(struct load_link *link, const char *text, size_t len)
{
	struct sends *sends = link->load->mode;

	if (load_op_is(text, len, "sent")) {
		on_sent(sends, text, len);
	} else if (load_op_is(text, len, "joined")) {
		sends->n_joined++;
	} else if (load_op_is(text, len, "error")) {
		if (!sends->n_errors++)
			fprintf(stderr, "load: %.*s\n", (int)len, text);
	}
	sends->answered_ms = load_now_ms();
}

static void on_ended(struct load_link *link, enum load_end end)
{
	struct sends *sends = link->load->mode;

	fprintf(stderr, "load: a link was %s\n",
		end == LOAD_REFUSED ? "refused" : "lost");
	sends->n_errors++;
}

/* Whether it goes on: neither stopped nor in error nor silent for long. */
static bool turn(struct load *load, struct sends *sends)
{
	for (unsigned i = 0; i < sends->n_links; i++) {
		if (sends->unflushed[i])
			load_flush(&sends->links[i]);
		sends->unflushed[i] = false;
	}
	load_turn(load, 100);
	if (load_now_ms() - sends->answered_ms > SILENCE_MS) {
		fprintf(stderr, "load: nothing for %d ms\n", SILENCE_MS);
		sends->n_errors++;
	}
	return !load->stop && !sends->n_errors;
}

static bool answered(const struct sends *sends)
{
	for (unsigned i = 0; i < sends->n_in_flight; i++)
		if (sends->sent_ns[i])
			return false;
	return true;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t share(const struct sends *sends, unsigned per_mille)
{
	return sends->n_acked ? sends->latencies[(sends->n_acked - 1) * per_mille / 1000]
			      : 0;
}

static void sends_init(struct sends *sends, const struct load *load,
		       const unsigned numbers[3])
{
	sends->n_rooms = numbers[0];
	sends->length_ms = numbers[1] * 1000ull;
	sends->n_in_flight = numbers[2];
	sends->n_links = (sends->n_rooms + ROOMS_PER_LINK - 1) / ROOMS_PER_LINK;
	sends->text_size = load->body_bytes + 256;
	sends->links = calloc(sends->n_links, sizeof(*sends->links));
	sends->unflushed = calloc(sends->n_links, sizeof(*sends->unflushed));
	sends->sent_ns = calloc(sends->n_in_flight + 1, sizeof(*sends->sent_ns));
	sends->body = calloc(1, load->body_bytes + 1);
	sends->text = malloc(sends->text_size);
	CHECK(sends->links && sends->unflushed && sends->sent_ns && sends->body &&
	      sends->text);
	memset(sends->body, 'x', load->body_bytes);
	sends->answered_ms = load_now_ms();
}

static void sends_release(struct sends *sends)
{
	for (unsigned i = 0; i < sends->n_links; i++)
		load_forget(&sends->links[i]);
	free(sends->links);
	free(sends->unflushed);
	free(sends->sent_ns);
	free(sends->latencies);
	free(sends->body);
	free(sends->text);
}

int load_sends(struct load *load, const unsigned numbers[3])
{
	static const struct load_events on = { on_opened, on_message, on_ended };
	struct sends sends = { .n_links = 0 };
	uint64_t start_ms, elapsed, cpu_ms;

	sends_init(&sends, load, numbers);
	load_begin(load, &on, &sends);
	for (unsigned i = 0; i < sends.n_links; i++)
		if (load_dial(load, &sends.links[i], i) < 0)
			sends.n_errors++;
	while (sends.n_joined < sends.n_rooms && turn(load, &sends))
		;
	start_ms = load_now_ms();
	cpu_ms = load_cpu_ms();
	for (unsigned i = 0; i < sends.n_in_flight; i++)
		say(&sends, i);
	while (turn(load, &sends) && load_now_ms() - start_ms < sends.length_ms)
		;
	elapsed = load_now_ms() - start_ms;
	sends.ending = true;
	qsort(sends.latencies, sends.n_acked, sizeof(*sends.latencies), by_size);
	printf("rooms=%u inflight=%u acked=%lu elapsed_ms=%lu rate=%lu p50_us=%u "
	       "p99_us=%u max_us=%u errors=%lu cpu_ms=%lu\n",
	       sends.n_rooms, sends.n_in_flight, sends.n_acked, elapsed,
	       sends.n_acked * 1000 / (elapsed ? elapsed : 1), share(&sends, 500),
	       share(&sends, 990), share(&sends, 1000), sends.n_errors,
	       load_cpu_ms() - cpu_ms);
	while (!answered(&sends) && turn(load, &sends))
		;
	sends_release(&sends);
	return sends.n_errors || load->stop ? EXIT_FAILURE : EXIT_SUCCESS;
}
