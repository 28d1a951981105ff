#include "common/segment_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_snapshot.h"

enum {
	TRIES_MAX = 200, /* about 2 ms of a writer that changes and changes */
	PATH_SIZE = 96,
};

/* When a beat was last seen to change. */
struct pulse {
	uint64_t generation, beat, seen_ns;
};

struct segment_reader {
	char path[PATH_SIZE];
	int fd; /* -1: none open */
	dev_t dev;
	ino_t ino;
	uint64_t instance[2];
	struct pulse supervisor, slots[SEGMENT_SLOTS_MAX];
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

	if (!*name || strchr(name, '/') || strlen(name) > 64)
		return -EINVAL;
	reader = aligned_alloc(_Alignof(struct segment_reader), sizeof *reader);
	if (!reader)
		return -ENOMEM;
	memset(reader, 0, offsetof(struct segment_reader, bytes));
	snprintf(reader->path, sizeof reader->path, "/dev/shm/%s", name);
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
static int locked(int fd, unsigned byte)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = (off_t)byte,
			      .l_len = 1 };

	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

/* ---- which file ---- */

static enum look fail(struct snapshot *s, enum look look, const char *path,
		      const char *what)
{
	s->look = look;
	snprintf(s->reason, sizeof s->reason, "the segment %s %s", path, what);
	return look;
}

static void let_go(struct segment_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static enum look open_name(struct segment_reader *r, struct snapshot *s)
{
	struct stat stat;

	r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (r->fd < 0 && errno == ENOENT)
		return fail(s, LOOK_missing, r->path,
			    "does not exist: no gateway runs under this name");
	if (r->fd < 0)
		return fail(s, LOOK_denied, r->path, strerror(errno));
	if (fstat(r->fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
		let_go(r);
		return fail(s, LOOK_foreign, r->path, "is not a file");
	}
	r->dev = stat.st_dev;
	r->ino = stat.st_ino;
	return LOOK_ok;
}

/* Goes on with the open file while its supervisor lives, whatever the name says; else
 * follows the name. */
static enum look choose_file(struct segment_reader *r, struct snapshot *s)
{
	struct stat stat;
	bool named = lstat(r->path, &stat) == 0;

	if (r->fd >= 0 && named && stat.st_dev == r->dev && stat.st_ino == r->ino)
		return LOOK_ok;
	if (r->fd >= 0 && (!named || locked(r->fd, LOCK_SUPERVISOR) == 1)) {
		snprintf(s->reason, sizeof s->reason, "the name %s %s", r->path,
			 named ? "was given to another file" : "was deleted");
		/* Without a name and without a life there is nothing to go on with, but
		 * the file still tells how it ended. */
		return LOOK_ok;
	}
	let_go(r);
	return open_name(r, s);
}

/* ---- reading it whole ---- */

static bool read_at(struct segment_reader *r, size_t at, size_t len)
{
	return pread(r->fd, r->bytes + at, len, (off_t)at) == (ssize_t)len;
}

/* 1: whole and of one moment. 0: torn. Negative: cannot be read to its end. */
static int read_once(struct segment_reader *r, const struct segment_header *h,
		     struct segment_sequences *before, struct segment_sequences *after)
{
	off_t at = (off_t)h->sequences_offset;

	if (pread(r->fd, before, sizeof *before, at) != sizeof *before ||
	    !read_at(r, 0, h->size) ||
	    pread(r->fd, after, sizeof *after, at) != sizeof *after)
		return -EIO;
	if (word_get(&before->supervisor) & 1 ||
	    word_get(&before->supervisor) != word_get(&after->supervisor))
		return 0;
	for (unsigned i = 0; i < h->n_slots; i++) {
		uint64_t was = word_get(&before->slot[i]);

		/* Odd for good when its process died taking the slot: then it is no part
		 * of any sum, and nobody need wait for it. */
		if ((was & 1 || was != word_get(&after->slot[i])) &&
		    locked(r->fd, lock_slot(i)) != 0)
			return 0;
	}
	return 1;
}

static enum look read_whole(struct segment_reader *r, struct snapshot *s,
			    struct segment_sequences *ret_sequences)
{
	struct segment_header header;
	struct segment_sequences before;
	ssize_t len = pread(r->fd, &header, sizeof header, 0);
	const char *what;

	if (len < (ssize_t)sizeof header)
		return fail(s, LOOK_short, r->path, "is cut short");
	if (memcmp(header.magic, SEGMENT_MAGIC, 8) != 0)
		return fail(s, LOOK_foreign, r->path, "is not a segment of Parley's");
	if (header.version != SEGMENT_VERSION)
		return fail(s, LOOK_other_version, r->path,
			    "is of a version that is not spoken here");
	what = snapshot_check_header(&header);
	if (what)
		return fail(s, LOOK_corrupt, r->path, what);
	for (int i = 0; i < TRIES_MAX; i++) {
		int whole = read_once(r, &header, &before, ret_sequences);

		if (whole < 0)
			return fail(s, LOOK_short, r->path, "is cut short");
		if (whole)
			return memcmp(&header, r->bytes, sizeof header) == 0
				       ? LOOK_ok
				       : fail(s, LOOK_corrupt, r->path,
					      "changes in its header");
		sched_yield();
	}
	return fail(s, LOOK_torn, r->path, "is being written to without an end");
}

/* ---- time ---- */

static uint64_t age_ns(struct pulse *pulse, uint64_t generation, uint64_t beat,
		       uint64_t now_ns)
{
	if (pulse->generation != generation || pulse->beat != beat ||
	    pulse->seen_ns > now_ns)
		*pulse = (struct pulse){ generation, beat, now_ns };
	return now_ns - pulse->seen_ns;
}

static void tell_ages(struct segment_reader *r, struct snapshot *s, uint64_t now_ns)
{
	if (memcmp(r->instance, s->instance, sizeof r->instance) != 0) {
		memcpy(r->instance, s->instance, sizeof r->instance);
		memset(&r->supervisor, 0, sizeof r->supervisor);
		memset(r->slots, 0, sizeof r->slots);
		r->supervisor.seen_ns = UINT64_MAX; /* seen now for the first time */
	}
	s->beat_age_ns = age_ns(&r->supervisor, 1, s->beat, now_ns);
	for (unsigned i = 0; i < s->n_slots; i++)
		s->slots[i].beat_age_ns = age_ns(&r->slots[i], s->slots[i].generation + 1,
						 s->slots[i].beat, now_ns);
}

static void look_now(struct segment_reader *r, uint64_t now_ns, struct snapshot *s)
{
	struct segment_sequences sequences;
	const char *what;
	int alive;

	/* All but the slots: they are big, and n_slots says how many of them count. */
	memset(s, 0, offsetof(struct snapshot, slots));
	memset(s->retired, 0, sizeof s->retired);
	memset(s->has, 0, sizeof s->has);
	if (choose_file(r, s) != LOOK_ok)
		return;
	alive = locked(r->fd, LOCK_SUPERVISOR);
	s->supervisor_known = alive >= 0;
	s->supervisor_alive = alive == 1;
	if (read_whole(r, s, &sequences) != LOOK_ok)
		return;
	what = snapshot_take(r->bytes, &sequences, s);
	if (what) {
		fail(s, LOOK_corrupt, r->path, what);
		return;
	}
	for (unsigned i = 0; i < s->n_slots; i++)
		s->slots[i].alive = s->slots[i].generation &&
				    locked(r->fd, lock_slot(i)) == 1;
	tell_ages(r, s, now_ns);
	s->look = LOOK_ok;
}

void segment_reader_look(struct segment_reader *reader, uint64_t now_ns,
			 struct snapshot *ret_snapshot)
{
	look_now(reader, now_ns, ret_snapshot);
}

uint64_t snapshot_sum(const struct snapshot *snapshot, enum counter id)
{
	const struct snapshot *s = snapshot;
	bool total = counter_is_total(id);
	uint64_t sum = total ? s->retired[id] : 0;

	for (unsigned i = 0; i < s->n_slots; i++)
		if (total ? s->slots[i].counted : s->slots[i].alive)
			sum += s->slots[i].counters[id];
	return sum;
}
