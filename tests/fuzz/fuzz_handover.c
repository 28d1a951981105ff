/*
 * Whatever is handed over as a supervisor's state is refused in words, or agrees with
 * itself so far that nothing is indexed beyond its end.
 */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "gateway/supervisor/handover.h"

static struct supervisor supervisor;

static int look(int fd)
{
	CHECK(fd >= 3);
	return 0;
}

static void judge_seat(const struct supervisor *s, const struct seat *seat)
{
	const struct child *both[] = { seat->process, seat->coming };

	CHECK(seat->state < SEAT_STATE_COUNT);
	for (unsigned i = 0; i < 2; i++)
		CHECK(!both[i] ||
		      (both[i] >= s->children && both[i] < s->children + s->n_slots &&
		       both[i]->state != CHILD_free));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct supervisor *s = &supervisor;
	struct why why = { "" };

	memset(&supervisor, 0, sizeof supervisor);
	if (handover_parse((const char *)data, size, &supervisor, &why) < 0) {
		CHECK(*why.text);
		return 0;
	}
	CHECK(s->n_workers < SEGMENT_SEATS_MAX && s->n_slots <= SEGMENT_SLOTS_MAX);
	for (unsigned i = 0; i < s->n_seats; i++)
		judge_seat(s, &s->seats[i]);
	for (unsigned i = 0; i < s->n_slots; i++)
		CHECK(s->children[i].state < CHILD_STATE_COUNT &&
		      s->children[i].seat < s->n_seats && s->children[i].pid != 1);
	CHECK(handover_fds(s, look) == 0);
	return 0;
}
