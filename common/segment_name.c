#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/segment_open.h"
#include "common/segment_writer.h"

enum {
	GUARD_TRIES = 1000, /* a millisecond each */
};

/* ---- two names for one file ---- */

int segment_temporary(const char *path, char ret_temporary[SEGMENT_BESIDE_MAX])
{
	uint64_t random;

	/* Not the pid: two pid namespaces may share the directory, and have the same. */
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -EIO;
	snprintf(ret_temporary, SEGMENT_BESIDE_MAX, "%s.new-%" PRIx64, path, random);
	return 0;
}

void segment_call(struct segment *segment, const char *path)
{
	snprintf(segment->path, sizeof segment->path, "%s", path);
	snprintf(segment->kept, sizeof segment->kept, "%s.kept", path);
}

static bool names_ours(const struct segment *segment, const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && stat.st_dev == segment->dev &&
	       stat.st_ino == segment->ino;
}

/* Gives the file that has the name `from` the name `path` too, in place of whatever has
 * it, without a moment in which nothing does. */
static int give_name(const struct segment *segment, const char *from, const char *path)
{
	char temporary[SEGMENT_BESIDE_MAX];
	int r = segment_temporary(segment->path, temporary);

	if (r < 0)
		return r;
	if (link(from, temporary) < 0)
		return -errno;
	/* `from` may just have been given to a stranger's file. */
	if (!names_ours(segment, temporary))
		r = -ESTALE;
	else if (rename(temporary, path) < 0)
		r = -errno;
	/* Also when both names were of the same file: rename then does nothing. */
	(void)unlink(temporary);
	return r;
}

int segment_keep_name(struct segment *segment)
{
	bool named, kept;
	struct stat stat;
	int r;

	CHECK_OBJ(segment, SEGMENT_OBJECT);
	if (fstat(segment->fd, &stat) < 0)
		return -errno;
	if ((uint64_t)stat.st_size < segment->size)
		return -EIO;
	named = names_ours(segment, segment->path);
	kept = names_ours(segment, segment->kept);
	if (named && kept)
		return 0;
	if (!named && !kept)
		return -ENOENT;
	r = named ? give_name(segment, segment->path, segment->kept)
		  : give_name(segment, segment->kept, segment->path);
	return r < 0 ? r : !named;
}

void segment_close(struct segment *segment, bool forget)
{
	if (!segment)
		return;
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	/* While the lock is still ours: nobody else takes the names before. */
	if (forget && names_ours(segment, segment->kept))
		(void)unlink(segment->kept);
	if (forget && names_ours(segment, segment->path))
		(void)unlink(segment->path);
	close(segment->fd);
	segment_unmap(segment);
}

/* ---- who may take them ---- */

/* 1 and the pid (0 when it is of another namespace) when a living gateway has this name,
 * 0 when none has; -errno when it cannot be asked. */
static int living(const char *path, pid_t *ret_pid)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = LOCK_SUPERVISOR,
			      .l_len = 1 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r = 0;

	if (fd < 0) /* a symbolic link is no gateway's, and is replaced */
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
		*ret_pid = lock.l_pid > 0 ? lock.l_pid : 0;
		r = 1;
	}
	close(fd);
	return r;
}

int segment_refuse_living(const char *path, const char *kept, struct why *why)
{
	const char *const names[] = { path, kept };

	/* One whose name was deleted still has the other, and puts it back. */
	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = 0;
		int r = living(names[i], &pid);

		if (r < 0)
			return why_set(why, r, "cannot look at the segment %s: %s",
				       names[i], strerror(-r));
		/* Told with pid 0: it is of another pid namespace. */
		if (r > 0)
			return why_set(why, -EBUSY,
				       "another gateway (pid %ld) has the segment %s: "
				       "stop it or set PARLEY_SEGMENT",
				       (long)pid, path);
	}
	return 0;
}

/* Opens and locks the guard's file once. -EAGAIN: another has it, or just removed it. */
static int guard_try(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat ours, named;
	int r = -EAGAIN;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETLK, &lock) < 0)
		r = errno == EACCES ? -EAGAIN : -errno;
	else if (fstat(fd, &ours) == 0 && lstat(path, &named) == 0 &&
		 named.st_ino == ours.st_ino && named.st_dev == ours.st_dev)
		return fd;
	close(fd);
	return r;
}

/*
 * Two gateways that start at once must not both find a stale segment: who looks and
 * renames holds the lock of a file beside it meanwhile, which nobody else may open.
 * Its holder removes it, so whoever gets the lock looks whether the file still is the
 * one by that name.
 */
static int guard_open(const char *path, struct why *why)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < GUARD_TRIES; i++) {
		if (i > 0)
			clock_nap_ms(1);
		r = guard_try(path);
	}
	if (r == -EAGAIN)
		return why_set(why, -EBUSY,
			       "another gateway is starting on the same segment: it "
			       "holds %s",
			       path);
	return r < 0 ? why_set(why, r, "cannot lock %s: %s", path, strerror(-r)) : r;
}

int segment_take_names(struct segment *segment, const char *temporary, struct why *why)
{
	char path[SEGMENT_BESIDE_MAX];
	int guard, r;

	snprintf(path, sizeof path, "%s.lock", segment->path);
	guard = guard_open(path, why);
	if (guard < 0)
		return guard;
	r = segment_refuse_living(segment->path, segment->kept, why);
	if (r == 0 && rename(temporary, segment->path) < 0)
		r = why_set(why, -errno, "cannot name the segment %s: %s", segment->path,
			    strerror(errno));
	/* Without the second name a deleted one cannot be put back; segment_keep_name
	 * tries again. */
	if (r == 0)
		(void)give_name(segment, segment->path, segment->kept);
	(void)unlink(path);
	close(guard);
	return r;
}
