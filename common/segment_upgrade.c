#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_open.h"
#include "common/segment_writer.h"

int segment_check(int fd, struct why *why)
{
	struct segment *segment;
	int r = segment_map(fd, false, &segment, why);

	if (r == 0)
		segment_unmap(segment);
	return r;
}

/* This build's counters, and behind them those that only another has had. */
static void describe(struct segment *segment)
{
	struct segment_header *shared = segment_header(segment), header = *shared;
	struct segment_about mine[COUNTER_COUNT];
	unsigned char *about = segment->memory + segment->shape.about_offset;
	word *sequence = &segment_sequences(segment)->supervisor;

	segment_describe(mine);
	memcpy(header.build, segment->shape.build, sizeof header.build);
	header.layout = segment->shape.layout;
	header.n_counters = segment->shape.n_counters;
	segment_change_begins(sequence);
	memcpy(about, mine, sizeof mine);
	header.checksum = segment_checksum(&header, about,
					   header.n_counters * sizeof *mine);
	*shared = header;
	segment_change_ends(sequence);
}

int segment_take_over(int fd, const char *name, struct segment **ret_segment,
		      struct why *why)
{
	char path[SEGMENT_PATH_MAX];
	struct segment *segment;
	int r;

	if (segment_path(name, path) < 0)
		return why_set(why, -EINVAL, "PARLEY_SEGMENT=%s is no name", name);
	r = segment_map(fd, false, &segment, why);
	if (r < 0)
		return r;
	/* It outlived the exec; this only makes sure. */
	r = segment_lock(fd, LOCK_SUPERVISOR);
	if (r < 0) {
		segment_unmap(segment);
		return why_set(why, r, "the segment handed over is another's: %s",
			       strerror(-r));
	}
	segment_call(segment, path);
	for (unsigned i = segment->shape.n_counters; i < COUNTER_COUNT; i++)
		segment->is_total[i] = counter_is_total((enum counter)i);
	if (segment->shape.n_counters < COUNTER_COUNT)
		segment->shape.n_counters = COUNTER_COUNT;
	describe(segment);
	*ret_segment = segment;
	return 0;
}
