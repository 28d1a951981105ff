#include "gateway/bus/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"

#define BUS_MAGIC 0x31737562796c7270ull /* "prlybus1" */
#define PAGE      4096u

/*
 * The memory: a header page, a page per end, then the rings. Positions count bytes
 * ever written and never go back; a record lies at position % ring size, 8-aligned,
 * and may wrap.
 */
struct shared_head {
	uint64_t magic, ring_bytes;
	uint32_t n_ends;
};

struct shared_end {
	/* Everything before `head` is whole. */
	_Atomic uint64_t head;
	/* The writer may be overwriting what lies `ring_bytes` before this. */
	_Atomic uint64_t reserved;
	/* 1 while its process blocks, or is about to. */
	_Atomic uint32_t sleeping;
};

struct record_head {
	uint32_t len, type;
};

struct bus {
	uint8_t *memory;
	size_t size, ring_bytes;
	unsigned own, n_ends;
	int *wake_fds;
	uint8_t *scratch; /* a copy of the record that was read last */
};

static size_t memory_size(unsigned n_ends, uint64_t ring_bytes)
{
	return PAGE + (size_t)n_ends * (PAGE + ring_bytes);
}

static struct shared_end *end_of(const struct bus *bus, unsigned end)
{
	CHECK(end < bus->n_ends);
	return (struct shared_end *)(bus->memory + PAGE + (size_t)end * PAGE);
}

static uint8_t *ring_of(const struct bus *bus, unsigned end)
{
	return bus->memory + PAGE + (size_t)bus->n_ends * PAGE +
	       (size_t)end * bus->ring_bytes;
}

static uint64_t aligned(uint64_t len)
{
	return (len + 7) & ~7ull;
}

/* ---- life ---- */

int bus_create(unsigned n_ends, uint64_t ring_bytes, int *ret_fd, struct why *why)
{
	struct shared_head head = { .magic = BUS_MAGIC, .n_ends = n_ends };
	int fd, r;

	head.ring_bytes = PAGE;
	while (head.ring_bytes < ring_bytes)
		head.ring_bytes *= 2;
	fd = memfd_create("parley-bus", 0);
	if (fd < 0)
		return why_set(why, -errno, "no memory for the bus: %s", strerror(errno));
	/* Not fallocated: what is never written costs nothing. */
	if (ftruncate(fd, (off_t)memory_size(n_ends, head.ring_bytes)) < 0 ||
	    pwrite(fd, &head, sizeof head, 0) != sizeof head) {
		r = -errno;
		close(fd);
		return why_set(why, r, "no memory for the bus: %s", strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

static int read_head(int fd, struct shared_head *ret_head, struct why *why)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0 ||
	    pread(fd, ret_head, sizeof *ret_head, 0) != sizeof *ret_head)
		return why_set(why, -EPROTO, "the bus cannot be read");
	if (ret_head->magic != BUS_MAGIC || ret_head->ring_bytes < PAGE ||
	    (ret_head->ring_bytes & (ret_head->ring_bytes - 1)) ||
	    ret_head->ring_bytes > 1ull << 40 || ret_head->n_ends > 65536 ||
	    (uint64_t)stat.st_size != memory_size(ret_head->n_ends, ret_head->ring_bytes))
		return why_set(why, -EPROTO, "the bus is not one of ours");
	return 0;
}

int bus_open(int fd, unsigned own, const int *wake_fds, unsigned n_ends,
	     struct bus **ret_bus, struct why *why)
{
	struct shared_head head;
	struct bus *bus;
	int r = read_head(fd, &head, why);

	if (r < 0)
		return r;
	if (head.n_ends != n_ends || own >= n_ends)
		return why_set(why, -EPROTO, "the bus has %u ends, not %u", head.n_ends,
			       n_ends);
	bus = calloc(1, sizeof *bus);
	if (!bus)
		return why_set(why, -ENOMEM, "no memory for the bus");
	bus->size = memory_size(n_ends, head.ring_bytes);
	bus->ring_bytes = head.ring_bytes;
	bus->n_ends = n_ends;
	bus->own = own;
	bus->wake_fds = calloc(n_ends, sizeof *bus->wake_fds);
	bus->scratch = malloc(bus_record_max(bus));
	bus->memory = mmap(NULL, bus->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!bus->wake_fds || !bus->scratch || bus->memory == MAP_FAILED) {
		bus_close(bus);
		return why_set(why, -ENOMEM, "no memory for the bus");
	}
	memcpy(bus->wake_fds, wake_fds, n_ends * sizeof *wake_fds);
	/* The flag of a predecessor who died asleep. */
	atomic_store(&end_of(bus, own)->sleeping, 0);
	*ret_bus = bus;
	return 0;
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	if (bus->memory && bus->memory != MAP_FAILED)
		munmap(bus->memory, bus->size);
	free(bus->wake_fds);
	free(bus->scratch);
	free(bus);
}

size_t bus_record_max(const struct bus *bus)
{
	return bus->ring_bytes / 4 - sizeof(struct record_head);
}

/* ---- writing ---- */

static void copy_in(struct bus *bus, uint64_t at, const void *data, size_t len)
{
	uint8_t *ring = ring_of(bus, bus->own);
	size_t place = (size_t)(at & (bus->ring_bytes - 1));
	size_t first = len < bus->ring_bytes - place ? len : bus->ring_bytes - place;

	memcpy(ring + place, data, first);
	if (len > first)
		memcpy(ring, (const uint8_t *)data + first, len - first);
}

int bus_write(struct bus *bus, uint32_t type, const struct iovec *parts, unsigned n_parts)
{
	struct shared_end *end = end_of(bus, bus->own);
	/* Only this process writes here: its own view is the newest. */
	uint64_t at = atomic_load_explicit(&end->head, memory_order_relaxed);
	struct record_head head = { .type = type };
	size_t len = 0;

	for (unsigned i = 0; i < n_parts; i++)
		len += parts[i].iov_len;
	if (len > bus_record_max(bus))
		return -EMSGSIZE;
	head.len = (uint32_t)len;
	/* Readers of what is about to be overwritten must see this before any of it
	 * changes: the store, then a fence, then the bytes. */
	atomic_store_explicit(&end->reserved, at + aligned(sizeof head + len),
			      memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	copy_in(bus, at, &head, sizeof head);
	at += sizeof head;
	for (unsigned i = 0; i < n_parts; i++) {
		copy_in(bus, at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	/* The record is whole: published with everything before it. */
	atomic_store_explicit(&end->head, aligned(at), memory_order_release);
	return 0;
}

uint64_t bus_written(const struct bus *bus)
{
	return atomic_load_explicit(&end_of(bus, bus->own)->head, memory_order_relaxed);
}

bool bus_wake(struct bus *bus, unsigned end)
{
	static const uint64_t one = 1;
	uint32_t asleep = 1;

	/* Pairs with the fence in bus_sleep: either we see the flag, or the sleeper
	 * sees our record. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&end_of(bus, end)->sleeping, memory_order_relaxed) == 0)
		return false;
	/* One writer of many wakes; a full eventfd is awake already. */
	if (!atomic_compare_exchange_strong(&end_of(bus, end)->sleeping, &asleep, 0))
		return false;
	return write(bus->wake_fds[end], &one, sizeof one) == sizeof one;
}

/* ---- reading ---- */

void bus_reader_from_now(struct bus_reader *reader, struct bus *bus, unsigned end)
{
	reader->end = end;
	reader->at = atomic_load_explicit(&end_of(bus, end)->head, memory_order_acquire);
}

static void copy_out(const struct bus *bus, unsigned end, uint64_t at, void *data,
		     size_t len)
{
	const uint8_t *ring = ring_of(bus, end);
	size_t place = (size_t)(at & (bus->ring_bytes - 1));
	size_t first = len < bus->ring_bytes - place ? len : bus->ring_bytes - place;

	memcpy(data, ring + place, first);
	if (len > first)
		memcpy((uint8_t *)data + first, ring, len - first);
}

/* Whether what was copied from `at` may have been overwritten meanwhile. */
static bool overtaken(const struct bus *bus, const struct shared_end *end, uint64_t at)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&end->reserved, memory_order_relaxed) - at >
	       bus->ring_bytes;
}

int bus_read(struct bus *bus, struct bus_reader *reader, struct bus_record *ret_record)
{
	struct shared_end *end = end_of(bus, reader->end);
	uint64_t head_at = atomic_load_explicit(&end->head, memory_order_acquire);
	struct record_head head;
	int r = -EOVERFLOW;

	if (head_at == reader->at)
		return 0;
	if (head_at - reader->at > bus->ring_bytes)
		goto lost;
	copy_out(bus, reader->end, reader->at, &head, sizeof head);
	if (overtaken(bus, end, reader->at))
		goto lost;
	if (head.len > bus_record_max(bus) ||
	    aligned(sizeof head + head.len) > head_at - reader->at) {
		r = -EPROTO;
		goto lost;
	}
	copy_out(bus, reader->end, reader->at + sizeof head, bus->scratch, head.len);
	if (overtaken(bus, end, reader->at))
		goto lost;
	reader->at += aligned(sizeof head + head.len);
	*ret_record = (struct bus_record){ head.type, head.len, bus->scratch };
	return 1;
lost:
	bus_reader_from_now(reader, bus, reader->end);
	return r;
}

/* ---- sleeping ---- */

bool bus_sleep(struct bus *bus, const struct bus_reader *readers, unsigned n_readers)
{
	struct shared_end *own = end_of(bus, bus->own);

	atomic_store_explicit(&own->sleeping, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst); /* pairs with bus_wake */
	for (unsigned i = 0; i < n_readers; i++) {
		const struct shared_end *end = end_of(bus, readers[i].end);

		if (atomic_load_explicit(&end->head, memory_order_acquire) !=
		    readers[i].at) {
			bus_awake(bus);
			return false;
		}
	}
	return true;
}

void bus_awake(struct bus *bus)
{
	atomic_store_explicit(&end_of(bus, bus->own)->sleeping, 0, memory_order_relaxed);
}
