#include "gateway/sequencer/heads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/segment.h"

#define HEADS_MAGIC 0x73646165686c7270ull /* "prlheads" */

/*
 * Open addressing, no removal. An entry is taken by its `name_len`, stored last: a
 * writer that dies before that leaves an entry that is still free. A sequence is
 * one word: it is either the old or the new one.
 */
struct entry {
	_Atomic uint64_t seq;
	_Atomic uint32_t name_len; /* 0: free */
	char name[ROOM_NAME_MAX];
	uint32_t unused;
};

struct shared {
	uint64_t magic, n_entries, n_rooms_max; /* n_entries: a power of two */
	_Atomic uint64_t n_rooms, applied;
	struct entry entries[];
};

struct heads {
	struct shared *shared;
	size_t size;
};

static size_t memory_size(uint64_t n_entries)
{
	return sizeof(struct shared) + n_entries * sizeof(struct entry);
}

int heads_create(uint64_t n_rooms_max, int *ret_fd, struct why *why)
{
	struct shared shared = { .magic = HEADS_MAGIC, .n_rooms_max = n_rooms_max };
	int fd, r;

	/* Never more than half full: looking up stays short. */
	shared.n_entries = 1024;
	while (shared.n_entries < 2 * n_rooms_max)
		shared.n_entries *= 2;
	fd = memfd_create("parley-heads", 0);
	if (fd < 0)
		return why_set(why, -errno, "no memory for heads: %s", strerror(errno));
	/* Not fallocated: rooms never used cost nothing. */
	if (ftruncate(fd, (off_t)memory_size(shared.n_entries)) < 0 ||
	    pwrite(fd, &shared, sizeof shared, 0) != sizeof shared) {
		r = -errno;
		close(fd);
		return why_set(why, r, "no memory for heads: %s", strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

int heads_open(int fd, struct heads **ret_heads, struct why *why)
{
	struct shared shared;
	struct heads *heads;
	struct stat stat;

	if (fstat(fd, &stat) < 0 || pread(fd, &shared, sizeof shared, 0) != sizeof shared)
		return why_set(why, -EPROTO, "heads cannot be read");
	if (shared.magic != HEADS_MAGIC || shared.n_entries > 1ull << 32 ||
	    (shared.n_entries & (shared.n_entries - 1)) ||
	    (uint64_t)stat.st_size != memory_size(shared.n_entries))
		return why_set(why, -EPROTO, "heads are not ours");
	heads = calloc(1, sizeof *heads);
	if (!heads)
		return why_set(why, -ENOMEM, "no memory for heads");
	heads->size = (size_t)stat.st_size;
	heads->shared = mmap(NULL, heads->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			     0);
	if (heads->shared == MAP_FAILED) {
		free(heads);
		return why_set(why, -ENOMEM, "no memory for heads");
	}
	*ret_heads = heads;
	return 0;
}

void heads_close(struct heads *heads)
{
	if (!heads)
		return;
	munmap(heads->shared, heads->size);
	free(heads);
}

/* The room's entry, or the free one where it belongs. */
static struct entry *find(const struct heads *heads, struct text room)
{
	uint64_t mask = heads->shared->n_entries - 1;
	uint64_t at = segment_hash(FNV_START, room.at, room.len);

	CHECK(room.len >= 1 && room.len <= ROOM_NAME_MAX);
	for (;; at++) {
		struct entry *entry = &heads->shared->entries[at & mask];
		uint32_t len = atomic_load_explicit(&entry->name_len,
						    memory_order_acquire);

		if (len == 0 ||
		    (len == room.len && memcmp(entry->name, room.at, len) == 0))
			return entry;
	}
}

uint64_t heads_get(const struct heads *heads, struct text room)
{
	const struct entry *entry = find(heads, room);

	return atomic_load_explicit(&entry->seq, memory_order_relaxed);
}

int heads_reserve(struct heads *heads, struct text room)
{
	struct shared *shared = heads->shared;
	struct entry *entry = find(heads, room);
	uint64_t n_rooms = atomic_load_explicit(&shared->n_rooms, memory_order_relaxed);

	if (atomic_load_explicit(&entry->name_len, memory_order_relaxed))
		return 0;
	if (n_rooms >= shared->n_rooms_max)
		return -ENOSPC;
	memcpy(entry->name, room.at, room.len);
	/* Counted before it is taken: dying between the two wastes one place. */
	atomic_store_explicit(&shared->n_rooms, n_rooms + 1, memory_order_relaxed);
	atomic_store_explicit(&entry->name_len, room.len, memory_order_release);
	return 0;
}

void heads_set(struct heads *heads, struct text room, uint64_t seq)
{
	struct entry *entry = find(heads, room);

	CHECK(atomic_load_explicit(&entry->name_len, memory_order_relaxed));
	atomic_store_explicit(&entry->seq, seq, memory_order_relaxed);
}

uint64_t heads_applied(const struct heads *heads)
{
	return atomic_load_explicit(&heads->shared->applied, memory_order_acquire);
}

void heads_set_applied(struct heads *heads, uint64_t position)
{
	atomic_store_explicit(&heads->shared->applied, position, memory_order_release);
}
