#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/segment_chronicle.h"
#include "gateway/supervisor/parts.h"

enum {
	SEQUENCER_LEAVE_MS = 2000
};

/* What is made once, or stands in the segment where it never changes. */
static const struct fixed {
	const char *name;
	size_t offset, size;
	bool text;
} fixed[] = {
#define FIELD(field) offsetof(struct settings, field), sizeof((struct settings *)0)->field
	{ "PARLEY_LISTEN", FIELD(listen), true },
	{ "PARLEY_SEGMENT", FIELD(segment), true },
	{ "PARLEY_SEGMENT_GROUP", FIELD(segment_group), true },
	{ "PARLEY_WORKERS", FIELD(workers), false },
	/* Sockets that others can reach, and clients who are in, go with it. */
	{ "PARLEY_AUTH", FIELD(auth), true },
	{ "PARLEY_CONNECTIONS_MAX", FIELD(connections_max), false },
	{ "PARLEY_HANG_REPORT_MS", FIELD(hang_report_ms), false },
	{ "PARLEY_HANG_ACT_MS", FIELD(hang_act_ms), false },
	{ "PARLEY_BUS_RING_BYTES", FIELD(bus_ring_bytes), false },
	{ "PARLEY_ROOMS_MAX", FIELD(rooms_max), false },
#undef FIELD
};

/* Puts back what cannot change while we run, and says so. */
static void keep_fixed(const struct settings *now, struct settings *fresh)
{
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		const struct fixed *f = &fixed[i];
		const char *old = (const char *)now + f->offset;
		char *new = (char *)fresh + f->offset;

		if (f->text ? strcmp(old, new) == 0 : memcmp(old, new, f->size) == 0)
			continue;
		LOG(warning, "setting needs a restart, kept as it was name=%s", f->name);
		memcpy(new, old, f->size);
	}
}

static void close_keys(const int fds[KEYS_FILES])
{
	for (unsigned i = 0; i < KEYS_FILES; i++)
		close(fds[i]);
}

/* 1: processes are to be replaced. 0: those that live have what is new. */
static int read_again(struct supervisor *s, struct why *why)
{
	const struct supervisor_source *source = s->source;
	enum log_level level = LOG_info;
	struct settings fresh;
	int fd = -1, key_fds[KEYS_FILES], r;
	bool alone;

	r = settings_reload(&fresh, SETTINGS_GATEWAY, source->argc, source->argv,
			    source->environ, NULL, why);
	if (r < 0)
		return r;
	keep_fixed(&s->settings, &fresh);
	r = source->read_keys(&fresh, key_fds, why);
	if (r < 0)
		return r;
	r = setup_settings(&fresh, &fd, why);
	if (r < 0) {
		close_keys(key_fds);
		return r;
	}
	alone = certificate_alone(s, fd, key_fds);
	close(s->settings_fd);
	close_keys(s->key_fds);
	s->settings_fd = fd;
	memcpy(s->key_fds, key_fds, sizeof key_fds);
	s->settings = fresh;
	r = certificate_post(s, why);
	if (r < 0 || alone)
		return r;
	s->settings_version++;
	if (log_level_parse(fresh.log_level, &level) == 0)
		log_open(level, "gateway");
	return 1;
}

void roll_announce(struct supervisor *s, bool begins)
{
	char lines[64] = "READY=1";

	/* Before it is ready for the first time it cannot be so again. */
	if (s->state != GATEWAY_running)
		return;
	if (begins)
		snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 clock_mono_ns() / 1000);
	manager_tell(&s->manager, lines);
}

static bool is_old(const struct supervisor *s, const struct seat *seat)
{
	return seat->process && seat->process->settings != s->settings_version;
}

/* ---- telling ---- */

/* Whether nothing is left to do for the seat. */
static bool is_done(const struct supervisor *s, const struct seat *seat)
{
	return !is_old(s, seat) && seat->state != SEAT_replacing;
}

void roll_tell(struct supervisor *s)
{
	struct segment_chronicle *told = segment_chronicle(s->segment);
	bool rolls = s->rolling && supervisor_wants_workers(s);
	uint64_t total = rolls ? s->n_workers : 0, done = 0;

	for (unsigned i = 0; i < total; i++)
		done += is_done(s, &s->seats[i]);
	if (word_get(&told->roll.total) == total && word_get(&told->roll.done) == done)
		return;
	segment_tell_begins(s->segment);
	word_set(&told->roll.total, total);
	word_set(&told->roll.done, done);
	segment_tell_ends(s->segment);
}

static void tell_begin(struct supervisor *s)
{
	struct segment_chronicle *told = segment_chronicle(s->segment);

	segment_tell_begins(s->segment);
	word_set(&told->roll.from_ms, supervisor_now_ms() - s->started_ms);
	word_set(&told->roll.spread_ms, (uint64_t)s->settings.drain_spread_ms);
	segment_tell_ends(s->segment);
	roll_tell(s);
}

/* ---- rolling ---- */

void roll_begin(struct supervisor *s)
{
	struct why why;
	int r;

	if (!supervisor_wants_workers(s))
		return;
	roll_announce(s, true);
	r = read_again(s, &why);
	if (r < 0) {
		LOG(error, "reload refused, settings kept why=\"%s\"", why.text);
		if (!s->rolling)
			roll_announce(s, false);
		return;
	}
	word_add(&s->words->reloads, 1);
	if (r == 0) {
		LOG(notice, "gateway has a new certificate, all else is as it was");
		if (!s->rolling)
			roll_announce(s, false);
		return;
	}
	LOG(notice, "gateway reloads");
	s->rolling = true;
	tell_begin(s);
	roll_step(s);
}

void roll_upgraded(struct supervisor *s)
{
	struct why why;
	int r;

	roll_announce(s, true);
	r = read_again(s, &why);
	if (r < 0)
		LOG(error, "settings not read again, kept why=\"%s\"", why.text);
	if (r <= 0)
		s->settings_version++; /* the program is another in any case */
	s->rolling = true;
	tell_begin(s);
	roll_step(s);
}

/* True when this worker's seat is done, or will start with the new settings anyway. */
static bool roll_worker(struct supervisor *s, struct seat *seat)
{
	switch (seat->state) {
	case SEAT_empty:
	case SEAT_backoff:
	case SEAT_crash_loop: return true;
	case SEAT_serving:
		if (!is_old(s, seat))
			return true;
		processes_replace(s, seat, false);
		return false;
	default: return false; /* one at a time: wait until it serves and is alone */
	}
}

/* There is room for one sequencer only: its successor starts when it is gone. */
static bool roll_sequencer(struct supervisor *s, struct seat *seat)
{
	if (is_old(s, seat) && seat->process->state == CHILD_up)
		processes_stop(s, seat->process, SEQUENCER_LEAVE_MS);
	return seat->state == SEAT_serving && !is_old(s, seat);
}

/* True when all is done. */
static bool roll_on(struct supervisor *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (!roll_worker(s, &s->seats[i]))
			return false;
	return roll_sequencer(s, &s->seats[s->n_workers]);
}

void roll_step(struct supervisor *s)
{
	bool rolls = s->rolling && s->state == GATEWAY_running;

	if (rolls)
		s->rolling = !roll_on(s);
	roll_tell(s); /* also that there is none, to who took the segment over */
	if (!rolls || s->rolling)
		return;
	roll_announce(s, false);
	LOG(notice, "gateway reloaded");
}
