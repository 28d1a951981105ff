#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_layout.h"
#include "common/segment_open.h"
#include "common/segment_writer.h"

/* ---- file and mapping ---- */

int segment_lock(int fd, unsigned byte)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = (off_t)byte,
			      .l_len = 1 };

	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int segment_map(int fd, struct segment **ret_segment, struct why *why)
{
	struct segment_header expected;
	struct segment *segment = calloc(1, sizeof *segment);
	struct stat stat;

	if (!segment)
		return why_set(why, -ENOMEM, "no memory for the segment");
	segment->magic = SEGMENT_OBJECT;
	segment->fd = fd;
	if (fstat(fd, &stat) < 0 ||
	    pread(fd, &segment->shape, sizeof segment->shape, 0) != sizeof segment->shape)
		goto foreign;
	memset(&expected, 0, sizeof expected);
	segment_layout(&expected, segment->shape.n_workers);
	if (memcmp(segment->shape.magic, SEGMENT_MAGIC, 8) != 0 ||
	    segment->shape.n_workers < 1 || segment->shape.n_workers > 64 ||
	    segment->shape.layout != expected.layout ||
	    segment->shape.size != expected.size ||
	    (uint64_t)stat.st_size < expected.size)
		goto foreign;
	segment->size = expected.size;
	segment->dev = stat.st_dev;
	segment->ino = stat.st_ino;
	segment->memory = mmap(NULL, segment->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, 0);
	if (segment->memory == MAP_FAILED) {
		free(segment);
		return why_set(why, -ENOMEM, "the segment cannot be mapped");
	}
	*ret_segment = segment;
	return 0;
foreign:
	free(segment);
	return why_set(why, -EPROTO, "what was handed over is no segment of this build");
}

void segment_unmap(struct segment *segment)
{
	munmap(segment->memory, segment->size);
	segment->magic = 0;
	free(segment);
}

/* ---- names ---- */

static bool names_ours(const struct segment *segment, const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && stat.st_dev == segment->dev &&
	       stat.st_ino == segment->ino;
}

/* Gives the file `path` as a name, in place of whatever has it. */
static int give_name(const struct segment *segment, const char *from, const char *path)
{
	char temporary[SEGMENT_PATH_MAX + 16];

	snprintf(temporary, sizeof temporary, "%s.%ld", segment->path, (long)getpid());
	(void)unlink(temporary);
	if (link(from, temporary) < 0)
		return -errno;
	/* Were both the same file already, rename would leave the temporary name. */
	if (rename(temporary, path) < 0) {
		int r = -errno;

		(void)unlink(temporary);
		return r;
	}
	return 0;
}

int segment_keep_name(struct segment *segment)
{
	bool named = names_ours(segment, segment->path);
	bool kept = names_ours(segment, segment->kept);
	int r;

	CHECK_OBJ(segment, SEGMENT_OBJECT);
	if (named && kept)
		return 0;
	if (!named && !kept)
		return -ENOENT; /* a file without any name cannot be given one again */
	r = named ? give_name(segment, segment->path, segment->kept)
		  : give_name(segment, segment->kept, segment->path);
	return r < 0 ? r : !named;
}

void segment_close(struct segment *segment, bool forget)
{
	if (!segment)
		return;
	CHECK_OBJ(segment, SEGMENT_OBJECT);
	if (forget && names_ours(segment, segment->path))
		(void)unlink(segment->path);
	if (forget && names_ours(segment, segment->kept))
		(void)unlink(segment->kept);
	close(segment->fd);
	segment_unmap(segment);
}

/* ---- making one ---- */

static int fill(int fd, const struct segment_shape *shape)
{
	struct segment_about about[COUNTER_COUNT];
	struct segment_header header;
	int r;

	memset(&header, 0, sizeof header);
	memcpy(header.magic, SEGMENT_MAGIC, 8);
	segment_layout(&header, shape->n_workers);
	header.connections_max = shape->connections_max;
	header.hang_report_ms = shape->hang_report_ms;
	header.hang_act_ms = shape->hang_act_ms;
	CHECK(getrandom(header.instance, sizeof header.instance, 0) ==
	      sizeof header.instance);
	segment_describe(about);
	header.checksum = segment_checksum(&header, about, sizeof about);
	/* Allocated whole now: a full disk shows here and not as SIGBUS later. */
	r = posix_fallocate(fd, 0, (off_t)header.size);
	if (r)
		return -r;
	if (pwrite(fd, about, sizeof about, header.about_offset) != sizeof about ||
	    pwrite(fd, &header, sizeof header, 0) != sizeof header)
		return -EIO;
	return 0;
}

static int give_group(int fd, const char *name)
{
	const struct group *group;

	if (!*name)
		return 0;
	group = getgrnam(name); /* one thread, and not kept */
	if (!group)
		return -ENOENT;
	return fchown(fd, (uid_t)-1, group->gr_gid) < 0 ? -errno : 0;
}

/* A file of its own, whole and locked, under a name that nobody looks for. */
static int make_file(const char *path, const struct segment_shape *shape, struct why *why)
{
	int fd, r;

	(void)unlink(path); /* of a predecessor with our pid that died here */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return why_set(why, -errno, "cannot make the segment %s: %s", path,
			       strerror(errno));
	r = fill(fd, shape);
	if (r < 0)
		(void)why_set(why, r, "cannot make the segment %s: %s", path,
			      strerror(-r));
	if (r == 0) {
		r = give_group(fd, shape->group);
		if (r < 0)
			(void)why_set(why, r, "cannot give the segment to group %s: %s",
				      shape->group, strerror(-r));
	}
	if (r == 0 && (fchmod(fd, 0640) < 0 || segment_lock(fd, LOCK_SUPERVISOR) < 0))
		r = why_set(why, -EIO, "cannot lock the segment %s", path);
	if (r < 0) {
		close(fd);
		(void)unlink(path);
		return r;
	}
	return fd;
}

/* The pid that holds the supervisor's lock of an existing segment; 0 when nobody does. */
static pid_t holder(const char *path)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = LOCK_SUPERVISOR,
			      .l_len = 1 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	/* A pid of another namespace shows as 0: the lock counts, not its owner. */
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		pid = lock.l_pid > 0 ? lock.l_pid : 1;
	close(fd);
	return pid;
}

/*
 * Two gateways that start at once must not both find a stale segment: who looks and
 * renames holds the lock of a file beside it meanwhile. The file is removed by its
 * holder, so whoever waited for it looks whether it still is the one by that name.
 */
static int guard_open(const char *path, struct why *why)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	struct stat ours, named;

	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return why_set(why, -errno, "cannot open %s: %s", path,
				       strerror(errno));
		if (fcntl(fd, F_SETLKW, &lock) < 0 || fstat(fd, &ours) < 0) {
			int r = -errno;

			close(fd);
			return why_set(why, r, "cannot lock %s: %s", path, strerror(-r));
		}
		if (lstat(path, &named) == 0 && named.st_ino == ours.st_ino &&
		    named.st_dev == ours.st_dev)
			return fd;
		close(fd);
	}
}

static int take_name(struct segment *segment, const char *from, struct why *why)
{
	char path[SEGMENT_PATH_MAX + 16];
	int guard, r = 0;
	pid_t pid;

	snprintf(path, sizeof path, "%s.lock", segment->path);
	guard = guard_open(path, why);
	if (guard < 0)
		return guard;
	pid = holder(segment->path);
	if (pid)
		r = why_set(
			why, -EBUSY,
			"another gateway (pid %ld) has the segment %s: stop it or set "
			"PARLEY_SEGMENT",
			(long)pid, segment->path);
	else if (rename(from, segment->path) < 0)
		r = why_set(why, -errno, "cannot name the segment %s: %s", segment->path,
			    strerror(errno));
	if (r == 0) {
		(void)unlink(segment->kept); /* a stale one's */
		/* Without it a deleted name cannot be put back: segment_keep_name tries
		 * again. */
		(void)give_name(segment, segment->path, segment->kept);
	}
	(void)unlink(path);
	close(guard);
	return r;
}

int segment_create(const char *name, const struct segment_shape *shape,
		   struct segment **ret_segment, struct why *why)
{
	char path[SEGMENT_PATH_MAX - 16], temporary[SEGMENT_PATH_MAX + 16];
	struct segment *segment;
	int fd, r;

	CHECK(shape->n_workers >= 1 && shape->n_workers <= 64);
	if (!*name || strchr(name, '/') || strlen(name) > 64)
		return why_set(why, -EINVAL, "PARLEY_SEGMENT=%s is no name", name);
	snprintf(path, sizeof path, "/dev/shm/%s", name);
	snprintf(temporary, sizeof temporary, "%s.new.%ld", path, (long)getpid());
	fd = make_file(temporary, shape, why);
	if (fd < 0)
		return fd;
	r = segment_map(fd, &segment, why);
	if (r < 0) {
		close(fd);
		(void)unlink(temporary);
		return r;
	}
	snprintf(segment->path, sizeof segment->path, "%s", path);
	snprintf(segment->kept, sizeof segment->kept, "%s.kept", path);
	r = take_name(segment, temporary, why);
	if (r < 0) {
		(void)unlink(temporary);
		segment_close(segment, false);
		return r;
	}
	word_set(&segment_supervisor(segment)->pid, (uint64_t)getpid());
	*ret_segment = segment;
	return 0;
}
