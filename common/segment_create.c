#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment_open.h"
#include "common/segment_writer.h"

static int fill(int fd, const struct segment_shape *shape)
{
	struct segment_about about[COUNTER_COUNT];
	struct segment_header header;
	int r;

	memset(&header, 0, sizeof header);
	memcpy(header.magic, SEGMENT_MAGIC, sizeof header.magic);
	segment_layout(&header, shape->n_workers, SEGMENT_ROOM);
	header.connections_max = shape->connections_max;
	header.hang_report_ms = shape->hang_report_ms;
	header.hang_act_ms = shape->hang_act_ms;
	if (getrandom(header.instance, sizeof header.instance, 0) !=
	    sizeof header.instance)
		return -EIO;
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
	char names[4096]; /* the group's own and its members' */
	struct group group, *found;
	int r;

	if (!*name)
		return 0;
	r = getgrnam_r(name, &group, names, sizeof names, &found);
	if (r)
		return -r;
	if (!found)
		return -ENOENT;
	return fchown(fd, (uid_t)-1, group.gr_gid) < 0 ? -errno : 0;
}

/* A file of its own, whole and locked, under a name that nobody looks for. */
static int make_file(const char *path, const struct segment_shape *shape, struct why *why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600), r;

	if (fd < 0)
		return why_set(why, -errno, "cannot make the segment %s: %s", path,
			       strerror(errno));
	r = fill(fd, shape);
	if (r < 0) {
		(void)why_set(why, r, "cannot make the segment %s: %s", path,
			      strerror(-r));
		goto out;
	}
	/* Before anybody else may open it: a lock of theirs cannot stand in the way. */
	r = segment_lock(fd, LOCK_SUPERVISOR);
	if (r < 0) {
		(void)why_set(why, r, "cannot lock the segment %s: %s", path,
			      strerror(-r));
		goto out;
	}
	r = give_group(fd, shape->group);
	if (r == 0 && fchmod(fd, 0640) < 0)
		r = -errno;
	if (r < 0)
		(void)why_set(why, r, "cannot give the segment to group %s: %s",
			      shape->group, strerror(-r));
out:
	if (r < 0) {
		close(fd);
		(void)unlink(path);
	}
	return r < 0 ? r : fd;
}

static int make(const char *path, const struct segment_shape *shape,
		struct segment **ret_segment, struct why *why)
{
	char temporary[SEGMENT_BESIDE_MAX];
	struct segment *segment;
	int fd, r = segment_temporary(path, temporary);

	if (r < 0)
		return why_set(why, r, "no randomness for the segment %s", path);
	fd = make_file(temporary, shape, why);
	if (fd < 0)
		return fd;
	r = segment_map(fd, true, &segment, why);
	if (r < 0) {
		close(fd);
		(void)unlink(temporary);
		return r;
	}
	segment_call(segment, path);
	word_set(&segment_supervisor(segment)->pid, (uint64_t)getpid());
	word_set(&segment_supervisor(segment)->start_ticks, segment_start_ticks());
	r = segment_take_names(segment, temporary, why);
	if (r < 0) {
		(void)unlink(temporary);
		segment_close(segment, false);
		return r;
	}
	*ret_segment = segment;
	return 0;
}

int segment_create(const char *name, const struct segment_shape *shape,
		   struct segment **ret_segment, struct why *why)
{
	char path[SEGMENT_PATH_MAX], kept[SEGMENT_BESIDE_MAX];
	int r;

	CHECK(shape->n_workers >= 1 && shape->n_workers < SEGMENT_SEATS_MAX);
	if (segment_path(name, path) < 0)
		return why_set(why, -EINVAL, "PARLEY_SEGMENT=%s is no name", name);
	snprintf(kept, sizeof kept, "%s.kept", path);
	/* Once more with nobody else in between before the names are taken; here so that
	 * nothing is made in vain. */
	r = segment_refuse_living(path, kept, why);
	return r < 0 ? r : make(path, shape, ret_segment, why);
}
