#include "gateway/supervisor/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/supervisor/fields.h"

enum {
	FD_MIN = 3,
	SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL,
};

/* ---- what is handed over: one table for both ways ---- */

#define FD    FD_MIN, INT32_MAX
#define NO_FD -1, INT32_MAX

#define OF struct supervisor
static const struct field whole[] = {
	FIELD(state, GATEWAY_starting, GATEWAY_running),
	FIELD(n_workers, 1, SEGMENT_SEATS_MAX - 1),
	FIELD(generation, FIELD_ANY),
	FIELD(settings_version, FIELD_ANY),
	FIELD(started_ms, FIELD_ANY),
	FIELD(last_abort_ms, FIELD_ANY),
	FIELD(segment_fd, FD),
	FIELD(bus_fd, FD),
	FIELD(settings_fd, FD),
	FIELDS(lifeline, FD),
	FIELD(listeners.n, 1, SEGMENT_SEATS_MAX - 1),
	FIELD(listeners.shared, FIELD_FLAG),
	FIELD(listeners.port, 0, UINT16_MAX),
};
/* Of as many as there are. */
static const struct field keys = FIELDS(key_fds, FD);
static const struct field wakes = FIELDS(wake_fds, FD);
static const struct field sockets = FIELDS(listeners.fds, FD);
static const struct field pipes = FIELDS(ready_fds, NO_FD);
#undef OF

#define OF struct seat
static const struct field of_seat[] = {
	FIELD(state, 0, SEAT_STATE_COUNT - 1),
	FIELD(backoff.n_short, 0, INT32_MAX),
	FIELD(backoff.n_deaths, 0, INT32_MAX),
	FIELDS(backoff.deaths_ms, FIELD_ANY),
	FIELD(restarts, FIELD_ANY),
	FIELDS(deaths, FIELD_ANY),
	FIELD(last.reason, 0, EXIT_REASON_COUNT - 1),
	FIELD(last.signal, 0, 255),
	FIELD(last.code, 0, 255),
	FIELD(since_ms, FIELD_ANY),
	FIELD(retry_at_ms, FIELD_ANY),
	FIELD(bereaved, FIELD_FLAG),
};
#undef OF

#define OF struct child
static const struct field of_child[] = {
	FIELD(state, 0, CHILD_STATE_COUNT - 1),
	FIELD(role, ROLE_WORKER, ROLE_SEQUENCER),
	FIELD(seat, 0, SEGMENT_SEATS_MAX - 1),
	FIELD(pid, 0, INT32_MAX),
	FIELD(generation, FIELD_ANY),
	FIELD(settings, FIELD_ANY),
	FIELD(spawned_ms, FIELD_ANY),
	FIELD(ready_ms, FIELD_ANY),
	FIELD(deadline_ms, FIELD_ANY),
	FIELD(why, 0, EXIT_REASON_COUNT - 1),
	FIELD(overdue, FIELD_FLAG),
	FIELD(hang, 0, HANG_KIND_COUNT - 1),
	FIELD(beat, FIELD_ANY),
	FIELD(beat_seen_ms, FIELD_ANY),
	FIELD(watched_from_ms, FIELD_ANY),
	FIELD(cpu_before_ms, FIELD_ANY),
};
#undef OF

#define OF struct mourning
static const struct field of_mourning[] = {
	FIELD(generation, FIELD_ANY),
	FIELD(died_ms, FIELD_ANY),
	FIELD(links, FIELD_ANY),
	FIELD(seat, 0, SEGMENT_SEATS_MAX - 1),
};
#undef OF

/* ---- there ---- */

/* A child by its slot, counted from 1. */
static json_t *slot_of(const struct supervisor *s, const struct child *child)
{
	return json_integer(child ? child - s->children + 1 : 0);
}

static json_t *put_seats(const struct supervisor *s)
{
	json_t *seats = json_array();

	for (unsigned i = 0; i < s->n_seats; i++) {
		json_t *seat = json_object();

		fields_put(seat, of_seat, FIELDS_OF(of_seat), &s->seats[i]);
		(void)json_object_set_new(seat, "process",
					  slot_of(s, s->seats[i].process));
		(void)json_object_set_new(seat, "coming", slot_of(s, s->seats[i].coming));
		(void)json_array_append_new(seats, seat);
	}
	return seats;
}

/* `n` objects of the same fields, `stride` bytes from one to the next. */
static json_t *put_objects(const struct field *fields, size_t n_fields, const void *from,
			   size_t stride, unsigned n)
{
	json_t *objects = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_t *object = json_object();

		fields_put(object, fields, n_fields, (const char *)from + i * stride);
		(void)json_array_append_new(objects, object);
	}
	return objects;
}

static json_t *put_supervisor(const struct supervisor *s)
{
	const struct field lists[] = { keys, field_first(&wakes, s->n_slots),
				       field_first(&sockets, s->listeners.n),
				       field_first(&pipes, s->n_slots) };
	json_t *object = json_object();

	(void)json_object_set_new(object, "format", json_integer(HANDOVER_FORMAT));
	fields_put(object, whole, FIELDS_OF(whole), s);
	for (size_t i = 0; i < FIELDS_OF(lists); i++)
		fields_put_list(object, &lists[i], s);
	(void)json_object_set_new(object, "seats", put_seats(s));
	(void)json_object_set_new(object, "children",
				  put_objects(of_child, FIELDS_OF(of_child), s->children,
					      sizeof *s->children, s->n_slots));
	(void)json_object_set_new(object, "mourning",
				  put_objects(of_mourning, FIELDS_OF(of_mourning),
					      s->mourning, sizeof *s->mourning,
					      SEGMENT_DEATHS));
	return object;
}

int handover_write(const struct supervisor *s, int *ret_fd, struct why *why)
{
	json_t *object = put_supervisor(s);
	int fd = memfd_create("parley-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = -EIO;

	if (fd >= 0 && json_dumpfd(object, fd, JSON_COMPACT) == 0 &&
	    fcntl(fd, F_ADD_SEALS, SEALS) == 0) {
		*ret_fd = fd;
		r = 0;
	} else {
		(void)why_set(why, r, "cannot write down the state: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	json_decref(object);
	return r;
}

/* ---- and back ---- */

/* NULL, or the name of what is not as it must be; so are all of these. */
static const char *get_named_list(const json_t *object, const struct field *field,
				  size_t count, struct supervisor *s)
{
	struct field f = field_first(field, count);

	return fields_get_list(object, &f, s);
}

/* A build that has more of them than the one before reads them by itself. */
static const char *get_keys(const json_t *object, struct supervisor *s)
{
	size_t n = json_array_size(json_object_get(object, keys.name));

	memset(s->key_fds, -1, sizeof s->key_fds);
	return n > keys.count ? keys.name : get_named_list(object, &keys, n, s);
}

static bool get_slot(const json_t *seat, const char *name, struct supervisor *s,
		     struct child **ret_child)
{
	const json_t *number = json_object_get(seat, name);
	json_int_t value = json_integer_value(number);

	if (!json_is_integer(number) || value < 0 || value > (json_int_t)s->n_slots)
		return false;
	*ret_child = value ? &s->children[value - 1] : NULL;
	return true;
}

static const char *get_objects(const json_t *object, const char *name,
			       const struct field *fields, size_t n_fields, void *to,
			       size_t stride, unsigned n)
{
	const json_t *objects = json_object_get(object, name);
	const char *bad = json_array_size(objects) == n ? NULL : name;

	for (unsigned i = 0; i < n && !bad; i++)
		bad = fields_get(json_array_get(objects, i), fields, n_fields,
				 (char *)to + i * stride);
	return bad;
}

static const char *get_seats(const json_t *seats, struct supervisor *s)
{
	const char *bad = json_array_size(seats) == s->n_seats ? NULL : "seats";

	for (unsigned i = 0; i < s->n_seats && !bad; i++) {
		const json_t *seat = json_array_get(seats, i);

		bad = fields_get(seat, of_seat, FIELDS_OF(of_seat), &s->seats[i]);
		if (!bad && (!get_slot(seat, "process", s, &s->seats[i].process) ||
			     !get_slot(seat, "coming", s, &s->seats[i].coming)))
			bad = "process";
	}
	return bad;
}

/* ---- whether it agrees ---- */

static bool is_of(const struct child *child, unsigned seat)
{
	return !child || (child->state != CHILD_free && child->seat == seat);
}

static bool seat_agrees(const struct seat *seat, unsigned i)
{
	bool may = seat->state != SEAT_empty && seat->state != SEAT_backoff;
	bool must = may && seat->state != SEAT_crash_loop;

	return (seat->process ? may : !must) &&
	       (!seat->coming || seat->state == SEAT_replacing) &&
	       (!seat->coming || seat->coming != seat->process) &&
	       is_of(seat->process, i) && is_of(seat->coming, i);
}

static bool child_agrees(const struct supervisor *s, unsigned slot)
{
	const struct child *child = &s->children[slot];
	bool last = slot == s->n_slots - 1;

	if (child->state == CHILD_free)
		return child->pid == 0 && child->seat < s->n_seats;
	return child->pid > 1 && child->generation > 0 &&
	       child->generation <= s->generation && child->seat < s->n_seats &&
	       (child->role == ROLE_SEQUENCER) == last &&
	       (child->seat == s->n_workers) == last;
}

static const char *disagrees(const struct supervisor *s)
{
	if (s->listeners.n != (s->listeners.shared ? 1 : s->n_workers))
		return "listeners.n";
	for (unsigned i = 0; i < s->n_seats; i++)
		if (!seat_agrees(&s->seats[i], i))
			return "seats";
	for (unsigned i = 0; i < s->n_slots; i++) {
		if (!child_agrees(s, i))
			return "children";
		if (s->ready_fds[i] >= 0 && s->ready_fds[i] < FD_MIN)
			return "ready_fds";
	}
	return NULL;
}

static const char *get_supervisor(const json_t *object, struct supervisor *s)
{
	const char *bad = fields_get(object, whole, FIELDS_OF(whole), s);

	if (bad)
		return bad;
	s->n_seats = segment_seats(s->n_workers);
	s->n_slots = segment_slots(s->n_workers);
	if ((bad = get_keys(object, s)) ||
	    (bad = get_named_list(object, &wakes, s->n_slots, s)) ||
	    (bad = get_named_list(object, &sockets, s->listeners.n, s)) ||
	    (bad = get_named_list(object, &pipes, s->n_slots, s)) ||
	    (bad = get_objects(object, "children", of_child, FIELDS_OF(of_child),
			       s->children, sizeof *s->children, s->n_slots)) ||
	    (bad = get_objects(object, "mourning", of_mourning, FIELDS_OF(of_mourning),
			       s->mourning, sizeof *s->mourning, SEGMENT_DEATHS)) ||
	    (bad = get_seats(json_object_get(object, "seats"), s)))
		return bad;
	return disagrees(s);
}

int handover_parse(const char *text, size_t len, struct supervisor *s, struct why *why)
{
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *format = json_object_get(object, "format");
	const char *bad;
	int r = 0;

	if (!json_is_integer(format))
		r = why_set(why, -EPROTO, "what was handed over is no state of ours");
	else if (json_integer_value(format) != HANDOVER_FORMAT)
		r = why_set(why, -EPROTO,
			    "the state handed over is of format %lld, and this build "
			    "knows %d",
			    (long long)json_integer_value(format), HANDOVER_FORMAT);
	else if ((bad = get_supervisor(object, s)))
		r = why_set(why, -EPROTO, "the state handed over has an impossible %s",
			    bad);
	json_decref(object);
	return r;
}

int handover_read(int fd, struct supervisor *s, struct why *why)
{
	char *text = malloc(HANDOVER_MAX);
	ssize_t len;
	int r;

	if (!text)
		return why_set(why, -ENOMEM, "no memory for what was handed over");
	len = pread(fd, text, HANDOVER_MAX, 0);
	if (len < 0)
		r = why_set(why, -errno, "what was handed over cannot be read: %s",
			    strerror(errno));
	else
		r = handover_parse(text, (size_t)len, s, why);
	free(text);
	return r;
}

/* ---- descriptors ---- */

static int each(const int *fds, unsigned n, int (*act)(int fd))
{
	int r = 0;

	for (unsigned i = 0; i < n && r >= 0; i++)
		if (fds[i] >= 0)
			r = act(fds[i]);
	return r;
}

int handover_close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

int handover_fds(const struct supervisor *s, int (*act)(int fd))
{
	const int alone[] = { s->segment_fd, s->bus_fd, s->settings_fd };
	int r;

	if ((r = each(alone, FIELDS_OF(alone), act)) < 0 ||
	    (r = each(s->lifeline, 2, act)) < 0 ||
	    (r = each(s->key_fds, KEYS_FILES, act)) < 0 ||
	    (r = each(s->wake_fds, s->n_slots, act)) < 0 ||
	    (r = each(s->listeners.fds, s->listeners.n, act)) < 0)
		return r;
	return each(s->ready_fds, s->n_slots, act);
}
