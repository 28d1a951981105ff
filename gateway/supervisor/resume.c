#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "gateway/bus/bus.h"
#include "gateway/supervisor/handover.h"
#include "gateway/supervisor/parts.h"

enum supervisor_handover supervisor_handover(int *ret_fd)
{
	const char *value = getenv(TRIAL_VARIABLE);
	enum supervisor_handover handover = HANDOVER_none;
	int fd = -1;

	if (value && sscanf(value, "take:%d", &fd) == 1 && fd >= 0)
		handover = HANDOVER_take;
	else if (value && sscanf(value, "try:%d", &fd) == 1 && fd >= 0)
		handover = HANDOVER_try;
	if (handover != HANDOVER_none) {
		(void)unsetenv(TRIAL_VARIABLE); /* fails only for a bad name */
		*ret_fd = fd;
	}
	return handover;
}

/* ---- would it do ---- */

static int read_settings(struct supervisor *s, struct why *why)
{
	settings_defaults(&s->settings);
	return settings_read_fd(&s->settings, s->settings_fd, "the settings handed over",
				why);
}

int supervisor_try(int fd, struct why *why)
{
	struct supervisor *s = calloc(1, sizeof *s);
	int r = s ? 0 : why_set(why, -ENOMEM, "no memory");

	if (r == 0)
		r = handover_read(fd, s, why);
	if (r == 0)
		r = read_settings(s, why);
	if (r == 0)
		r = segment_check(s->segment_fd, why);
	if (r == 0)
		r = bus_check(s->bus_fd, s->n_slots, why);
	free(s);
	return r;
}

/* ---- taking over ---- */

/* A pid that is not our child's could be anybody's. */
static int check_children(const struct supervisor *s, struct why *why)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		const struct child *child = &s->children[i];
		siginfo_t info;

		if (child->state != CHILD_free && waitid(P_PID, (id_t)child->pid, &info,
							 WEXITED | WNOHANG | WNOWAIT) < 0)
			return why_set(why, -EPROTO, "process %d is no child of ours",
				       (int)child->pid);
	}
	return 0;
}

/* Of files with keys that the program before did not know: empty, should they not be read
 * again now. */
static int fill_keys(struct supervisor *s, struct why *why)
{
	for (unsigned i = 0; i < KEYS_FILES; i++)
		if (s->key_fds[i] < 0 &&
		    (s->key_fds[i] = memfd_create("parley-no-keys", MFD_CLOEXEC)) < 0)
			return why_set(why, -errno, "no memory for keys");
	return 0;
}

static int adopt(struct supervisor *s, struct why *why)
{
	int r = 0;

	s->words = segment_supervisor(s->segment);
	for (unsigned i = 0; i < s->n_slots; i++)
		child_adopt(&s->children[i], i, segment_child(s->segment, i));
	for (unsigned i = 0; i < s->n_seats; i++)
		seat_adopt(&s->seats[i], i,
			   i < s->n_workers ? ROLE_WORKER : ROLE_SEQUENCER,
			   segment_seat(s->segment, i));
	for (unsigned i = 0; i < s->n_slots && r == 0; i++)
		if (s->ready_fds[i] >= 0)
			r = processes_watch(s, &s->children[i], s->ready_fds[i]);
	return r < 0 ? why_set(why, r, "a child cannot be watched: %s", strerror(-r)) : 0;
}

int resume_make(struct supervisor *s, int fd, struct why *why)
{
	int r = handover_read(fd, s, why);

	if (r < 0)
		return r;
	close(fd);
	r = handover_fds(s, handover_close_on_exec);
	if (r < 0)
		return why_set(why, r, "a descriptor was not handed over");
	if (s->started_ms > supervisor_now_ms())
		return why_set(why, -EPROTO, "the gateway was started in the future");
	if ((r = check_children(s, why)) < 0 || (r = fill_keys(s, why)) < 0 ||
	    (r = certificate_open(s, why)) < 0 || (r = read_settings(s, why)) < 0 ||
	    (r = segment_take_over(s->segment_fd, s->settings.segment, &s->segment,
				   why)) < 0)
		return r;
	word_add(&segment_supervisor(s->segment)->upgrades, 1);
	return adopt(s, why);
}
