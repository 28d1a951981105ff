/*
 * Whatever lies under the segment's name is looked at or refused in words.
 *
 * Input: a byte of flags, then bytes. They are the whole file (FLAG_raw), or patches
 * over a valid segment: offset (3 bytes), length (1 byte), bytes; a patch of length
 * 0 cuts the file there. FLAG_sum mends the checksum, as someone who means harm would.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/histogram.h"
#include "common/segment_chronicle.h"
#include "common/segment_reader.h"
#include "common/segment_snapshot.h"
#include "common/segment_writer.h"

enum {
	FLAG_raw = 1,
	FLAG_sum = 2,
	VALID_MAX = 131072,
	HEAD_LEN = 1,
	PATCH_HEAD_LEN = 4,
};

static char name[64], path[96];
static unsigned char valid[VALID_MAX], file[VALID_MAX];
static size_t valid_len;
static struct snapshot seen;

static void on_exit_forget(void)
{
	(void)unlink(path);
}

/* So that there is something to patch. */
static void tell_of_a_death(struct segment *segment)
{
	struct segment_death death = { .generation = 3,
				       .reason = EXIT_killed,
				       .links = 10,
				       .back = 4,
				       .n_events = 2 };

	segment_bury(segment, &death);
	segment_count_return(segment, 0, 3);
	word_set(&segment_slot(segment, 0)->generation, 4);
}

static void make_valid(void)
{
	struct segment_shape shape = { .n_workers = 1, .group = "" };
	struct segment *segment;
	int fd;

	snprintf(name, sizeof name, "parley-fuzz-%ld", (long)getpid());
	snprintf(path, sizeof path, "/dev/shm/%s", name);
	CHECK(segment_create(name, &shape, &segment, NULL) == 0);
	tell_of_a_death(segment);
	valid_len = (size_t)segment_header(segment)->size;
	CHECK(valid_len <= sizeof valid);
	memcpy(valid, segment_header(segment), valid_len);
	segment_close(segment, true);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK(atexit(on_exit_forget) == 0);
}

static size_t patch(const uint8_t *data, size_t size)
{
	size_t len = valid_len;

	memcpy(file, valid, valid_len);
	while (size >= PATCH_HEAD_LEN) {
		size_t at = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];
		size_t n = data[3];

		at %= valid_len;
		data += PATCH_HEAD_LEN;
		size -= PATCH_HEAD_LEN;
		if (n == 0)
			len = at;
		n = n < size ? n : size;
		n = n < valid_len - at ? n : valid_len - at;
		memcpy(file + at, data, n);
		data += n;
		size -= n;
	}
	return len;
}

static void mend_checksum(size_t len)
{
	struct segment_header *header = (void *)file;

	if (len < sizeof *header || snapshot_check_header(header) || header->size > len)
		return;
	header->checksum = segment_checksum(header, file + header->about_offset,
					    (size_t)header->n_counters *
						    header->about_stride);
}

static void write_file(size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, file, len) == (ssize_t)len);
	close(fd);
}

static void judge_histograms(const struct snapshot *s)
{
	static const enum histogram all[] = {
#define COUNTER(id, KIND, unit, metric, label, help)
#define HISTOGRAM(id, metric, help) HISTOGRAM_##id,
#include "common/counters.def"
#undef COUNTER
	};
	struct histogram_seen h;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!snapshot_histogram(s, all[i], &h))
			continue;
		for (unsigned k = 1; k < HISTOGRAM_BUCKETS; k++)
			CHECK(h.upto[k] >= h.upto[k - 1]);
	}
}

static void judge_death(const struct snapshot *s, const struct snapshot_death *death)
{
	CHECK(death->generation && death->seat < s->n_seats);
	CHECK(death->reason < EXIT_REASON_COUNT && death->role <= ROLE_SEQUENCER);
	CHECK(death->n_events <= SEGMENT_DEATH_EVENTS);
	CHECK(death->back <= death->links && death->trimmed <= death->back);
	CHECK(death->whole <= death->back - death->trimmed);
}

/* Nothing that a user of the snapshot indexes with is out of its range. */
static void judge(const struct snapshot *s)
{
	CHECK(s->look < LOOK_COUNT);
	CHECK(s->n_slots <= SEGMENT_SLOTS_MAX && s->n_seats <= SEGMENT_SEATS_MAX);
	CHECK(!s->supervisor_alive); /* nobody holds a lock of this file */
	CHECK(s->n_deaths <= SEGMENT_DEATHS);
	for (unsigned i = 0; i < s->n_deaths; i++)
		judge_death(s, &s->deaths[i]);
	if (s->look != LOOK_ok) {
		CHECK(*s->reason && s->n_slots == 0 && s->n_seats == 0 && !s->n_deaths);
		return;
	}
	CHECK(s->state < GATEWAY_STATE_COUNT);
	for (unsigned i = 0; i < s->n_seats; i++) {
		CHECK(s->seats[i].state < SEAT_STATE_COUNT);
		CHECK(s->seats[i].slot >= -1 && s->seats[i].slot < (int)s->n_slots);
		CHECK(s->seats[i].last_reason < EXIT_REASON_COUNT);
	}
	for (unsigned i = 0; i < s->n_slots; i++) {
		CHECK(s->slots[i].state < CHILD_STATE_COUNT && !s->slots[i].alive);
		CHECK(s->slots[i].hang < HANG_KIND_COUNT);
		CHECK(s->slots[i].seat < s->n_seats);
	}
	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		if (!counter_is_total(id))
			CHECK(snapshot_sum(s, id) == 0); /* all are dead */
	judge_histograms(s);
}

static void look(struct segment_reader *reader, uint64_t now_ns, size_t len)
{
	write_file(len);
	segment_reader_look(reader, now_ns, &seen);
	judge(&seen);
}

static size_t fill_file(const uint8_t *data, size_t size)
{
	size_t len = size - HEAD_LEN;

	if (data[0] & FLAG_raw)
		memcpy(file, data + HEAD_LEN, len);
	else
		len = patch(data + HEAD_LEN, len);
	if (data[0] & FLAG_sum)
		mend_checksum(len);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_reader *reader;

	if (!valid_len)
		make_valid();
	if (size < HEAD_LEN || size > VALID_MAX)
		return -1;
	CHECK(segment_reader_new(name, &reader) == 0);
	/* Hostile, valid, hostile: what a reader keeps from look to look is in play. */
	look(reader, 1, fill_file(data, size));
	memcpy(file, valid, valid_len);
	look(reader, 2, valid_len);
	CHECK(seen.look == LOOK_ok && seen.n_deaths == 1 && seen.deaths[0].back == 5);
	look(reader, 3, fill_file(data, size));
	segment_reader_free(reader);
	return 0;
}
