#include "common/segment_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/segment_snapshot.h"

enum {
	TRIES_MAX = 1000, /* whichever comes first */
	TRIES_NS_MAX = 5000000,
};

/* When a beat was last seen to change. */
struct pulse {
	uint64_t generation, beat, seen_ns;
	bool moved;
};

struct segment_reader {
	char path[SEGMENT_PATH_MAX];
	int fd; /* -1: none open */
	dev_t dev;
	ino_t ino;
	bool proved; /* a look at this very file was ok: it is a gateway's */
	uint64_t instance[2];
	struct pulse supervisor, slots[SEGMENT_SLOTS_MAX];
	struct snapshot_known known;
	_Alignas(64) unsigned char bytes[SEGMENT_BYTES_MAX];
};

const char *look_name(enum look look)
{
	static const char *const names[] = {
#define X(s) #s,
		LOOKS(X)
#undef X
	};

	return look < LOOK_COUNT ? names[look] : "unknown";
}

int segment_reader_new(const char *name, struct segment_reader **ret_reader)
{
	struct segment_reader *reader;
	char path[SEGMENT_PATH_MAX];

	if (segment_path(name, path) < 0)
		return -EINVAL;
	reader = aligned_alloc(_Alignof(struct segment_reader), sizeof *reader);
	if (!reader)
		return -ENOMEM;
	memset(reader, 0, offsetof(struct segment_reader, bytes));
	memcpy(reader->path, path, sizeof path);
	reader->fd = -1;
	*ret_reader = reader;
	return 0;
}

void segment_reader_free(struct segment_reader *reader)
{
	if (!reader)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	free(reader);
}

/* ---- locks: who lives ---- */

/* 1: held by a process. 0: by none. Negative: could not be asked. A read lock is asked
 * for, so that a reader's own lock stands in nobody's way and fakes no life. */
static int locked_range(int fd, off_t from, off_t len)
{
	struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = len
	};

	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

static int locked(int fd, unsigned byte)
{
	return locked_range(fd, (off_t)byte, 1);
}

/* Nobody holds a lock of what is known to be a gateway's segment, whatever is left of
 * its bytes: its supervisor is dead, and so are all its workers. */
static bool is_deserted(const struct segment_reader *r)
{
	return r->proved && locked_range(r->fd, 0, 0) == 0;
}

int segment_reader_owner(const struct segment_reader *reader, pid_t *ret_pid)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = LOCK_SUPERVISOR,
			      .l_len = 1 };

	if (reader->fd < 0)
		return -ENOENT;
	if (fcntl(reader->fd, F_GETLK, &lock) < 0)
		return -errno;
	if (lock.l_type == F_UNLCK)
		return -ESRCH;
	if (lock.l_pid <= 0)
		return -EXDEV;
	*ret_pid = lock.l_pid;
	return 0;
}

/* ---- which file ---- */

static enum look fail(struct snapshot *s, enum look look, const char *path,
		      const char *what)
{
	s->look = look;
	snprintf(s->reason, sizeof s->reason, "the segment %s %s", path, what);
	return look;
}

static enum look fail_to_open(struct snapshot *s, const char *path, int error)
{
	if (error == ENOENT)
		return fail(s, LOOK_missing, path,
			    "does not exist: no gateway runs under this name");
	if (error == ELOOP || error == ENXIO)
		return fail(s, LOOK_foreign, path, "is not a file");
	s->look = LOOK_denied;
	snprintf(s->reason, sizeof s->reason, "the segment %s cannot be opened: %s", path,
		 strerror(error));
	return LOOK_denied;
}

static void let_go(struct segment_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static enum look go_over(struct segment_reader *r, int fd, struct snapshot *s)
{
	struct stat stat;

	let_go(r);
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
		close(fd);
		return fail(s, LOOK_foreign, r->path, "is not a file");
	}
	r->fd = fd;
	r->dev = stat.st_dev;
	r->ino = stat.st_ino;
	r->proved = false;
	return LOOK_ok;
}

/*
 * The file that has the name; but while that is not a living gateway's and ours is, the
 * name was taken from ours, whose supervisor puts it back. Without a name there is
 * nothing to go over to, and the file still tells how it ended.
 */
static enum look choose_file(struct segment_reader *r, struct snapshot *s)
{
	struct stat stat;
	bool named = lstat(r->path, &stat) == 0;
	int fd, error;

	if (r->fd >= 0 && named && stat.st_dev == r->dev && stat.st_ino == r->ino)
		return LOOK_ok;
	fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	error = errno;
	if (r->fd >= 0 && (fd < 0 || locked(fd, LOCK_SUPERVISOR) != 1) &&
	    (!named || locked(r->fd, LOCK_SUPERVISOR) == 1)) {
		if (fd >= 0)
			close(fd);
		snprintf(s->reason, sizeof s->reason, "the name %s %s", r->path,
			 named ? "was given to another file" : "was deleted");
		return LOOK_ok;
	}
	if (fd >= 0)
		return go_over(r, fd, s);
	let_go(r);
	return fail_to_open(s, r->path, error);
}

/* ---- one look ---- */

/* Leaves no number of a look that failed, and of a snapshot used before. */
static void forget_numbers(struct snapshot *s)
{
	size_t first = offsetof(struct snapshot, instance);

	/* The slots are big, and n_slots says how many of them count. */
	memset((char *)s + first, 0, offsetof(struct snapshot, slots) - first);
	memset(s->retired, 0, sizeof s->retired);
	memset(s->has, 0, sizeof s->has);
}

static enum look read_header(struct segment_reader *r, struct snapshot *s,
			     struct segment_header *ret_header)
{
	struct segment_header *h = ret_header;
	const char *what;

	if (pread(r->fd, h, sizeof *h, 0) != sizeof *h)
		return fail(s, LOOK_short, r->path, "is cut short");
	if (memcmp(h->magic, SEGMENT_MAGIC, 8) != 0)
		return fail(s, LOOK_foreign, r->path, "is not a segment of Parley's");
	if (h->version != SEGMENT_VERSION)
		return fail(s, LOOK_other_version, r->path,
			    "is of a version that is not spoken here");
	what = snapshot_check_header(h);
	return what ? fail(s, LOOK_corrupt, r->path, what) : LOOK_ok;
}

static bool read_sequences(struct segment_reader *r, const struct segment_header *h,
			   struct segment_sequences *ret_sequences)
{
	ssize_t len = pread(r->fd, ret_sequences, sizeof *ret_sequences,
			    (off_t)h->sequences_offset);

	atomic_thread_fence(memory_order_acquire);
	return len == sizeof *ret_sequences;
}

static bool same(const struct segment_sequences *a, const struct segment_sequences *b,
		 unsigned n_slots)
{
	bool equal = word_get(&a->supervisor) == word_get(&b->supervisor);

	for (unsigned i = 0; equal && i < n_slots; i++)
		equal = word_get(&a->slot[i]) == word_get(&b->slot[i]);
	return equal;
}

/* Its lock was denied it by a reader's: see segment_attach. */
static bool lives_unlocked(const struct snapshot *s, const struct snapshot_slot *slot)
{
	return slot->unlocked && s->supervisor_alive && slot->state != CHILD_free;
}

/*
 * Who lives, asked before the sequences are read again: had another process taken
 * the slot meanwhile, they tell. A slot whose sequence is odd is being taken, or its
 * process died doing so: nothing in it counts. False: it claims to be odd while its
 * process has long been up.
 */
static bool ask_the_living(struct segment_reader *r, struct snapshot *s,
			   const struct segment_sequences *sequences)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		struct snapshot_slot *slot = &s->slots[i];

		slot->alive = slot->counted && (locked(r->fd, lock_slot(i)) == 1 ||
						lives_unlocked(s, slot));
		if (word_get(&sequences->slot[i]) & 1 && slot->state == CHILD_up &&
		    locked(r->fd, lock_slot(i)) != 0)
			return false;
	}
	return true;
}

/* A supervisor that died while it folded a slot's totals, or told of a death, leaves
 * them in doubt. */
static void forget_totals(struct snapshot *s)
{
	s->n_deaths = 0;
	for (unsigned id = 0; id < COUNTER_COUNT; id++)
		s->has[id] = s->has[id] && !counter_is_total(id);
	snprintf(s->reason, sizeof s->reason,
		 "the totals are unknown: the supervisor died adding them up");
}

/* LOOK_torn: the writers were at it; the next look may do better. */
static enum look look_once(struct segment_reader *r, struct snapshot *s)
{
	struct segment_sequences before, after;
	struct segment_header header;
	int alive = locked(r->fd, LOCK_SUPERVISOR);
	const char *what;
	bool believable;

	forget_numbers(s);
	s->supervisor_known = alive >= 0;
	s->supervisor_alive = alive == 1;
	if (read_header(r, s, &header) != LOOK_ok)
		return s->look;
	if (!read_sequences(r, &header, &before) ||
	    pread(r->fd, r->bytes, header.size, 0) != (ssize_t)header.size)
		return fail(s, LOOK_short, r->path, "is cut short");
	/* It may change with an upgrade, under the supervisor's sequence. */
	what = memcmp(&header, r->bytes, sizeof header) != 0
		       ? "changes in its header"
		       : snapshot_take(r->bytes, &before, &r->known, s);
	believable = what || ask_the_living(r, s, &before);
	atomic_thread_fence(memory_order_acquire);
	if (!read_sequences(r, &header, &after))
		return fail(s, LOOK_short, r->path, "is cut short");
	if (!believable || !same(&before, &after, header.n_slots) ||
	    (word_get(&before.supervisor) & 1 && alive != 0))
		return fail(s, LOOK_torn, r->path, "is being written to without an end");
	if (what)
		return fail(s, LOOK_corrupt, r->path, what);
	s->look = LOOK_ok;
	s->reason[0] = 0; /* a try before this one may have left a word */
	if (word_get(&before.supervisor) & 1)
		forget_totals(s);
	return LOOK_ok;
}

/* ---- time ---- */

static void feel(struct pulse *pulse, uint64_t generation, uint64_t beat, uint64_t now_ns,
		 uint64_t *ret_age_ns, bool *ret_moved)
{
	bool same = pulse->generation == generation;

	if (!same || pulse->beat != beat || pulse->seen_ns > now_ns)
		*pulse = (struct pulse){ generation, beat, now_ns,
					 same && (pulse->moved || pulse->beat != beat) };
	*ret_age_ns = now_ns - pulse->seen_ns;
	*ret_moved = pulse->moved;
}

static void feel_pulses(struct segment_reader *r, struct snapshot *s, uint64_t now_ns)
{
	if (memcmp(r->instance, s->instance, sizeof r->instance) != 0) {
		memcpy(r->instance, s->instance, sizeof r->instance);
		memset(&r->supervisor, 0, sizeof r->supervisor);
		memset(r->slots, 0, sizeof r->slots);
	}
	feel(&r->supervisor, 1, s->beat, now_ns, &s->beat_age_ns, &s->beat_moved);
	for (unsigned i = 0; i < s->n_slots; i++) {
		struct snapshot_slot *slot = &s->slots[i];

		feel(&r->slots[i], slot->generation + 1, slot->beat, now_ns,
		     &slot->beat_age_ns, &slot->beat_moved);
	}
}

void segment_reader_look(struct segment_reader *reader, uint64_t now_ns,
			 struct snapshot *ret_snapshot)
{
	struct segment_reader *r = reader;
	struct snapshot *s = ret_snapshot;
	char about_name[sizeof s->reason];
	uint64_t started_ns;

	memset(s, 0, offsetof(struct snapshot, instance));
	forget_numbers(s);
	if (choose_file(r, s) != LOOK_ok)
		return;
	memcpy(about_name, s->reason, sizeof about_name);
	started_ns = clock_mono_ns();
	for (int i = 0; look_once(r, s) == LOOK_torn; i++) {
		if (i == TRIES_MAX || clock_mono_ns() - started_ns > TRIES_NS_MAX)
			break;
		sched_yield();
	}
	s->deserted = !s->supervisor_alive && is_deserted(r);
	if (s->look == LOOK_ok) {
		r->proved = true;
		if (*about_name)
			memcpy(s->reason, about_name, sizeof about_name);
		feel_pulses(r, s, now_ns);
	} else {
		forget_numbers(s);
	}
}

uint64_t snapshot_sum(const struct snapshot *snapshot, enum counter id)
{
	const struct snapshot *s = snapshot;
	bool total = counter_is_total(id);
	uint64_t sum = total ? s->retired[id] : 0;

	if (!s->has[id])
		return 0;
	for (unsigned i = 0; i < s->n_slots; i++)
		if (total ? s->slots[i].counted : s->slots[i].alive)
			sum += s->slots[i].counters[id];
	return sum;
}
