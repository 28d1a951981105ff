#include "gateway/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a reader gets at once; an odd version is being written. */
struct board_head {
	uint64_t version, len;
};

struct board_memory {
	_Atomic uint64_t version;
	_Atomic uint64_t len;
	uint8_t bytes[];
};
_Static_assert(sizeof(struct board_memory) == sizeof(struct board_head),
	       "the head is what lies before the bytes");

int board_make(struct board *board, size_t size, struct why *why)
{
	size_t whole = sizeof(struct board_memory) + size;
	int fd = memfd_create("parley-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)whole) == 0)
		memory = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return why_set(why, r, "cannot make a board: %s", strerror(-r));
	}
	/* Only the mapping that is there may write from now on. Kernels before 5.1 do not
	 * have this seal: then children are trusted. */
	(void)fcntl(fd, F_ADD_SEALS,
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	*board = (struct board){ .fd = fd, .size = size, .memory = memory };
	return 0;
}

void board_release(struct board *board)
{
	if (!board->memory)
		return;
	munmap(board->memory, sizeof *board->memory + board->size);
	close(board->fd);
	*board = (struct board){ .fd = -1 };
}

int board_post(struct board *board, int fd)
{
	struct board_memory *memory = board->memory;
	uint64_t version = atomic_load_explicit(&memory->version, memory_order_relaxed);
	ssize_t n;
	int r;

	atomic_store_explicit(&memory->version, version + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	n = pread(fd, memory->bytes, board->size, 0);
	r = n < 0 ? -errno : 0;
	if (n >= 0)
		atomic_store_explicit(&memory->len, (uint64_t)n, memory_order_relaxed);
	atomic_store_explicit(&memory->version, version + 2, memory_order_release);
	return r;
}

static int read_at(int fd, void *data, size_t len, size_t offset)
{
	ssize_t n = pread(fd, data, len, (off_t)offset);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EINVAL;
}

int board_read(int fd, uint64_t *version, void *data, size_t size, size_t *ret_len)
{
	struct board_head before = { .len = 0 }, after = { .len = 0 };
	int r = read_at(fd, &before, sizeof before, 0);

	if (r < 0 || before.version % 2 || before.version == *version)
		return r;
	if (before.len > size)
		return -EINVAL;
	r = read_at(fd, data, before.len, sizeof before);
	if (r == 0)
		r = read_at(fd, &after, sizeof after, 0);
	if (r < 0 || after.version != before.version)
		return r;
	*version = before.version;
	*ret_len = before.len;
	return 1;
}
