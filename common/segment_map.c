#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/segment_layout.h"
#include "common/segment_open.h"

/* ---- a file that is cut short under the mapping ---- */

/* For on_sigbus: the mapping of this process, of which there is one at most. */
static struct {
	unsigned char *volatile memory;
	volatile size_t size, page;
} mapped;

/*
 * A store beyond the end of a mapped file is SIGBUS: one `truncate` would end every
 * process of the gateway. What is missing becomes private memory; readers see the file
 * as it is, short, and say so.
 */
static void on_sigbus(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, from = (uintptr_t)mapped.memory;
	int error = errno;
	unsigned char *page;
	void *fresh;

	(void)context;
	if (from && at >= from && at - from < mapped.size) {
		page = mapped.memory + (at - from) / mapped.page * mapped.page;
		fresh = mmap(page, mapped.page, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (fresh == page) {
			errno = error;
			return;
		}
	}
	/* Not ours: the same fault again, now with its usual end. */
	(void)signal(signal_number, SIG_DFL);
}

static void outlive_cuts(const struct segment *segment)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	mapped.page = (size_t)sysconf(_SC_PAGESIZE);
	mapped.size = segment->size;
	mapped.memory = segment->memory;
	/* Cannot fail, and would only leave the usual end. */
	(void)sigaction(SIGBUS, &action, NULL);
}

/* ---- mapping ---- */

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

/* Which of them are totals: ours by counters.def, others by their description. */
static void tell_totals(struct segment *segment, const struct segment_about *about)
{
	for (unsigned i = 0; i < segment->shape.n_counters; i++)
		segment->is_total[i] = i < COUNTER_COUNT
					       ? counter_is_total((enum counter)i)
					       : about[i].kind == COUNTER_TOTAL;
}

/* Takes its shape from the file. NULL, or what is wrong with it. */
static const char *look_into(struct segment *segment, bool described)
{
	struct segment_about about[SEGMENT_ROOM_MAX];
	struct segment_header claimed, *shape = &segment->shape;
	size_t about_len;

	if (pread(segment->fd, &claimed, sizeof claimed, 0) != sizeof claimed ||
	    memcmp(claimed.magic, SEGMENT_MAGIC, sizeof claimed.magic) != 0 ||
	    claimed.version != SEGMENT_VERSION || claimed.n_workers < 1 ||
	    claimed.n_workers >= SEGMENT_SEATS_MAX)
		return "is none of Parley's";
	if (claimed.counters_room > SEGMENT_ROOM_MAX ||
	    claimed.counters_room < COUNTER_COUNT)
		return "has no room for the counters of this build";
	segment_layout(shape, claimed.n_workers, claimed.counters_room);
	if (!segment_same_layout(shape, &claimed) ||
	    claimed.n_counters > claimed.counters_room)
		return "is laid out otherwise than in this build";
	about_len = claimed.n_counters * sizeof *about;
	if (pread(segment->fd, about, about_len, shape->about_offset) !=
	    (ssize_t)about_len)
		return "is cut short";
	if (!segment_agrees(about, claimed.n_counters) ||
	    (described && claimed.n_counters < COUNTER_COUNT))
		return "has other counters than this build";
	shape->n_counters = claimed.n_counters;
	tell_totals(segment, about);
	return NULL;
}

int segment_map(int fd, bool described, struct segment **ret_segment, struct why *why)
{
	struct segment *segment = calloc(1, sizeof *segment);
	struct stat stat = { .st_size = 0 };
	const char *what;

	if (!segment)
		return why_set(why, -ENOMEM, "no memory for the segment");
	segment->fd = fd;
	what = look_into(segment, described);
	if (!what &&
	    (fstat(fd, &stat) < 0 || (uint64_t)stat.st_size < segment->shape.size))
		what = "is cut short";
	if (what) {
		free(segment);
		return why_set(why, -EPROTO, "the segment handed over %s", what);
	}
	segment->magic = SEGMENT_OBJECT;
	segment->size = segment->shape.size;
	segment->dev = stat.st_dev;
	segment->ino = stat.st_ino;
	segment->memory = mmap(NULL, segment->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, 0);
	if (segment->memory == MAP_FAILED) {
		int r = -errno;

		free(segment);
		return why_set(why, r, "the segment cannot be mapped: %s", strerror(-r));
	}
	outlive_cuts(segment);
	*ret_segment = segment;
	return 0;
}

void segment_unmap(struct segment *segment)
{
	mapped.memory = NULL;
	munmap(segment->memory, segment->size);
	segment->magic = 0;
	free(segment);
}

uint64_t segment_start_ticks(void)
{
	char text[1024], *after;
	uint64_t ticks = 0;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return 0;
	text[len] = 0;
	/* The name, field 2, may hold anything; no parenthesis follows its own last. */
	after = strrchr(text, ')');
	for (int field = 2; after && field < 22; field++)
		after = strchr(after + 1, ' ');
	if (after)
		ticks = strtoull(after, NULL, 10);
	return ticks;
}
