#include "gateway/sequencer/heads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/sequencer/siphash.h"

#define HEADS_MAGIC   0x73646165686c7270ull /* "prlheads" */
#define ROOMS_MAX_MAX (1ull << 30)

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

struct shape {
	uint64_t magic, n_entries, n_rooms_max; /* n_entries: a power of two */
	uint64_t key[2];
};

struct shared {
	struct shape shape;
	_Atomic uint64_t n_rooms, applied;
	struct entry entries[];
};

struct heads {
	struct shared *shared;
	struct shape shape; /* as it was when opened */
	size_t size;
};

static size_t memory_size(uint64_t n_entries)
{
	return sizeof(struct shared) + n_entries * sizeof(struct entry);
}

/* Not fallocated: rooms never used cost nothing. Sealed: whoever shortened it would
 * kill the others with SIGBUS. */
static int fill(int fd, const struct shape *shape)
{
	if (ftruncate(fd, (off_t)memory_size(shape->n_entries)) < 0)
		return -errno;
	if (pwrite(fd, shape, sizeof *shape, 0) != sizeof *shape)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

int heads_create(uint64_t n_rooms_max, int *ret_fd, struct why *why)
{
	struct shape shape = { .magic = HEADS_MAGIC, .n_rooms_max = n_rooms_max };
	int fd, r;

	CHECK(n_rooms_max <= ROOMS_MAX_MAX);
	/* Never more than half full: looking up stays short. */
	shape.n_entries = 1024;
	while (shape.n_entries < 2 * n_rooms_max)
		shape.n_entries *= 2;
	if (getrandom(shape.key, sizeof shape.key, 0) != sizeof shape.key)
		return why_set(why, -EIO, "no random bits for heads");
	fd = memfd_create("parley-heads", MFD_ALLOW_SEALING);
	if (fd < 0)
		return why_set(why, -errno, "no memory for heads: %s", strerror(errno));
	r = fill(fd, &shape);
	if (r < 0) {
		close(fd);
		return why_set(why, r, "no memory for heads: %s", strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

static int read_shape(int fd, struct shape *ret_shape, struct why *why)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0 ||
	    pread(fd, ret_shape, sizeof *ret_shape, 0) != sizeof *ret_shape)
		return why_set(why, -EPROTO, "heads cannot be read");
	/* A free entry ends every search: there must be one. */
	if (ret_shape->magic != HEADS_MAGIC || ret_shape->n_entries > 4 * ROOMS_MAX_MAX ||
	    (ret_shape->n_entries & (ret_shape->n_entries - 1)) ||
	    ret_shape->n_rooms_max >= ret_shape->n_entries ||
	    (uint64_t)stat.st_size != memory_size(ret_shape->n_entries))
		return why_set(why, -EPROTO, "heads are not ours");
	return 0;
}

int heads_open(int fd, bool writes, struct heads **ret_heads, struct why *why)
{
	int protection = writes ? PROT_READ | PROT_WRITE : PROT_READ;
	struct shape shape;
	struct heads *heads;
	int r = read_shape(fd, &shape, why);

	if (r < 0)
		return r;
	heads = calloc(1, sizeof *heads);
	if (!heads)
		return why_set(why, -ENOMEM, "no memory for heads");
	heads->shape = shape;
	heads->size = memory_size(shape.n_entries);
	heads->shared = mmap(NULL, heads->size, protection, MAP_SHARED, fd, 0);
	if (heads->shared == MAP_FAILED) {
		r = -errno;
		free(heads);
		return why_set(why, r, "heads cannot be mapped: %s", strerror(-r));
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

/* The room's entry, or NULL and the free one where it belongs. */
static struct entry *find(const struct heads *heads, struct text room,
			  struct entry **ret_free)
{
	uint64_t mask = heads->shape.n_entries - 1;
	uint64_t at;

	CHECK(room.len >= 1 && room.len <= ROOM_NAME_MAX);
	for (at = siphash(heads->shape.key, room.at, room.len);; at++) {
		struct entry *entry = &heads->shared->entries[at & mask];
		uint32_t len = atomic_load_explicit(&entry->name_len,
						    memory_order_acquire);

		if (len == room.len && memcmp(entry->name, room.at, len) == 0)
			return entry;
		if (len == 0) {
			*ret_free = entry;
			return NULL;
		}
	}
}

uint64_t heads_get(const struct heads *heads, struct text room)
{
	struct entry *free_entry;
	const struct entry *entry = find(heads, room, &free_entry);

	return entry ? atomic_load_explicit(&entry->seq, memory_order_relaxed) : 0;
}

int heads_reserve(struct heads *heads, struct text room)
{
	struct shared *shared = heads->shared;
	uint64_t n_rooms = atomic_load_explicit(&shared->n_rooms, memory_order_relaxed);
	struct entry *entry;

	if (find(heads, room, &entry))
		return 0;
	if (n_rooms >= heads->shape.n_rooms_max)
		return -ENOSPC;
	memcpy(entry->name, room.at, room.len);
	/* Counted before it is taken: dying between the two wastes one place. */
	atomic_store_explicit(&shared->n_rooms, n_rooms + 1, memory_order_relaxed);
	atomic_store_explicit(&entry->name_len, room.len, memory_order_release);
	return 0;
}

void heads_set(struct heads *heads, struct text room, uint64_t seq)
{
	struct entry *free_entry;
	struct entry *entry = find(heads, room, &free_entry);

	CHECK(entry);
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
