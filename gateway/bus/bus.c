#include "gateway/bus/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/bus/ring.h"

/* Processes of two builds speak over one bus during an upgrade: whoever changes what lies
 * in it, or the records of records.h, gives it another number, and is not taken over. */
#define BUS_MAGIC 0x32737562796c7270ull /* "prlybus2" */

/*
 * The memory, each part on pages of its own, so that a process can write to its own
 * ring and to the naps, and only read the rest:
 *
 *   shared_head | nap of each end | for each end: ring_control, ring
 */
enum {
	PART = 65536, /* a multiple of the page size of every machine */
	WORDS_OFFSET = 4096,
	ENDS_MAX = PART / 64,
};
#define RING_BYTES_MAX (1ull << 32)

struct shared_head {
	uint64_t magic, ring_bytes;
	uint64_t n_ends;
};

/*
 * Odd while the end's process blocks, or is about to; counts its naps. The sleeper
 * makes it odd; it or a waker makes it even. Since no value comes twice, a waker that
 * was slow cannot end a later nap, and a nap that death left odd costs one wake.
 */
struct nap {
	alignas(64) _Atomic uint64_t count;
};
_Static_assert(sizeof(struct nap) * ENDS_MAX <= PART, "the naps fill one part");

struct bus {
	uint8_t *memory;
	size_t size;
	uint64_t ring_bytes;
	unsigned own, n_ends;
	int *wake_fds;
	uint64_t *scratch; /* a copy of the record that was read last */
};

static size_t end_size(uint64_t ring_bytes)
{
	return (size_t)((WORDS_OFFSET + ring_bytes + PART - 1) / PART * PART);
}

static size_t memory_size(uint64_t n_ends, uint64_t ring_bytes)
{
	return 2 * (size_t)PART + (size_t)n_ends * end_size(ring_bytes);
}

static struct nap *nap_of(const struct bus *bus, unsigned end)
{
	CHECK(end < bus->n_ends);
	return (struct nap *)(bus->memory + PART) + end;
}

static uint8_t *end_of(const struct bus *bus, unsigned end)
{
	CHECK(end < bus->n_ends);
	return bus->memory + 2 * (size_t)PART + end * end_size(bus->ring_bytes);
}

static struct ring ring_of(const struct bus *bus, unsigned end)
{
	uint8_t *at = end_of(bus, end);

	return (struct ring){ (struct ring_control *)at,
			      (_Atomic uint64_t *)(at + WORDS_OFFSET), bus->ring_bytes };
}

/* ---- life ---- */

/* Not fallocated: what is never written costs nothing. Sealed: whoever shortened it
 * would kill all the others with SIGBUS. */
static int fill(int fd, const struct shared_head *head)
{
	if (ftruncate(fd, (off_t)memory_size(head->n_ends, head->ring_bytes)) < 0)
		return -errno;
	if (pwrite(fd, head, sizeof *head, 0) != sizeof *head)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

int bus_create(unsigned n_ends, uint64_t ring_bytes, int *ret_fd, struct why *why)
{
	struct shared_head head = { .magic = BUS_MAGIC, .n_ends = n_ends };
	int fd, r;

	CHECK(n_ends <= ENDS_MAX && ring_bytes <= RING_BYTES_MAX);
	head.ring_bytes = RING_SIZE_MIN;
	while (head.ring_bytes < ring_bytes)
		head.ring_bytes *= 2;
	fd = memfd_create("parley-bus", MFD_ALLOW_SEALING);
	if (fd < 0)
		return why_set(why, -errno, "no memory for the bus: %s", strerror(errno));
	r = fill(fd, &head);
	if (r < 0) {
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
	if (ret_head->magic != BUS_MAGIC || ret_head->ring_bytes < RING_SIZE_MIN ||
	    ret_head->ring_bytes > RING_BYTES_MAX ||
	    (ret_head->ring_bytes & (ret_head->ring_bytes - 1)) ||
	    ret_head->n_ends > ENDS_MAX ||
	    (uint64_t)stat.st_size != memory_size(ret_head->n_ends, ret_head->ring_bytes))
		return why_set(why, -EPROTO, "the bus is not one of ours");
	return 0;
}

/* Others' rings can only be read: a process that runs wild spoils no ring but its own. */
static int map(struct bus *bus, int fd)
{
	void *memory = mmap(NULL, bus->size, PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	bus->memory = memory;
	if (mprotect(bus->memory + PART, PART, PROT_READ | PROT_WRITE) < 0 ||
	    mprotect(end_of(bus, bus->own), end_size(bus->ring_bytes),
		     PROT_READ | PROT_WRITE) < 0)
		return -errno;
	return 0;
}

static int read_head_for(int fd, unsigned n_ends, struct shared_head *ret_head,
			 struct why *why)
{
	int r = read_head(fd, ret_head, why);

	if (r == 0 && ret_head->n_ends != n_ends)
		r = why_set(why, -EPROTO, "the bus has %u ends, not %u",
			    (unsigned)ret_head->n_ends, n_ends);
	return r;
}

int bus_check(int fd, unsigned n_ends, struct why *why)
{
	struct shared_head head;

	return read_head_for(fd, n_ends, &head, why);
}

int bus_open(int fd, unsigned own, const int *wake_fds, unsigned n_ends,
	     struct bus **ret_bus, struct why *why)
{
	struct shared_head head;
	struct bus *bus;
	int r = read_head_for(fd, n_ends, &head, why);

	if (r < 0)
		return r;
	if (own >= n_ends)
		return why_set(why, -EPROTO, "the bus has no end %u", own);
	bus = calloc(1, sizeof *bus);
	if (!bus)
		return why_set(why, -ENOMEM, "no memory for the bus");
	bus->size = memory_size(n_ends, head.ring_bytes);
	bus->ring_bytes = head.ring_bytes;
	bus->n_ends = n_ends;
	bus->own = own;
	bus->wake_fds = calloc(n_ends, sizeof *bus->wake_fds);
	bus->scratch = malloc(ring_record_max(bus->ring_bytes));
	r = bus->wake_fds && bus->scratch ? map(bus, fd) : -ENOMEM;
	if (r < 0) {
		bus_close(bus);
		return why_set(why, r, "the bus cannot be mapped: %s", strerror(-r));
	}
	memcpy(bus->wake_fds, wake_fds, n_ends * sizeof *wake_fds);
	bus_awake(bus); /* a predecessor may have died asleep */
	*ret_bus = bus;
	return 0;
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	if (bus->memory)
		munmap(bus->memory, bus->size);
	free(bus->wake_fds);
	free(bus->scratch);
	free(bus);
}

/* ---- writing and reading ---- */

size_t bus_record_max(const struct bus *bus)
{
	return ring_record_max(bus->ring_bytes);
}

int bus_write(struct bus *bus, uint32_t type, const struct iovec *parts, unsigned n_parts)
{
	struct ring ring = ring_of(bus, bus->own);

	return ring_write(&ring, type, parts, n_parts);
}

uint64_t bus_written(const struct bus *bus)
{
	struct ring ring = ring_of(bus, bus->own);

	return ring_head(&ring);
}

void bus_reader_from_now(struct bus_reader *reader, struct bus *bus, unsigned end)
{
	struct ring ring = ring_of(bus, end);

	reader->end = end;
	reader->at = ring_head(&ring);
}

int bus_read(struct bus *bus, struct bus_reader *reader, struct bus_record *ret_record)
{
	struct ring ring = ring_of(bus, reader->end);

	return ring_read(&ring, &reader->at, bus->scratch, ret_record);
}

/* ---- sleeping and waking ---- */

/*
 * No wake is lost: the waker has stored its record's head, then a fence, then looks at
 * the nap; the sleeper stores its nap, then a fence, then looks at the heads. Of two
 * seq_cst fences one is first: if the waker's, the sleeper sees the record and stays
 * awake; if the sleeper's, the waker sees the nap.
 */
bool bus_wake(struct bus *bus, unsigned end)
{
	static const uint64_t one = 1;
	struct nap *nap = nap_of(bus, end);
	uint64_t count;

	atomic_thread_fence(memory_order_seq_cst);
	count = atomic_load_explicit(&nap->count, memory_order_relaxed);
	if (count % 2 == 0)
		return false;
	/* First woken, then said so: whoever dies between the two has woken it. A full
	 * eventfd is readable, which is all that is wanted. */
	(void)!write(bus->wake_fds[end], &one, sizeof one);
	atomic_compare_exchange_strong_explicit(&nap->count, &count, count + 1,
						memory_order_relaxed,
						memory_order_relaxed);
	return true;
}

bool bus_sleep(struct bus *bus, const struct bus_reader *readers, unsigned n_readers)
{
	struct nap *nap = nap_of(bus, bus->own);
	uint64_t count = atomic_load_explicit(&nap->count, memory_order_relaxed);

	atomic_store_explicit(&nap->count, count | 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst); /* pairs with bus_wake's */
	for (unsigned i = 0; i < n_readers; i++) {
		struct ring ring = ring_of(bus, readers[i].end);

		if (ring_head(&ring) != readers[i].at) {
			bus_awake(bus);
			return false;
		}
	}
	return true;
}

void bus_awake(struct bus *bus)
{
	struct nap *nap = nap_of(bus, bus->own);
	uint64_t count = atomic_load_explicit(&nap->count, memory_order_relaxed);

	/* Fails only when a waker has just done it. */
	if (count % 2)
		atomic_compare_exchange_strong_explicit(&nap->count, &count, count + 1,
							memory_order_relaxed,
							memory_order_relaxed);
}
