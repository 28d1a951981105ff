/*
 * bus - one ring per process in anonymous shared memory: one writer, many readers.
 *
 * A record is at most a quarter of the ring. A reader that is too slow is lapped
 * and told so; it then goes on at the newest record. A writer that dies in the
 * middle of a record leaves nothing of it. Nothing blocks, and nothing is a system
 * call but waking a process that has said it sleeps (one eventfd write).
 * A ring is never reset: its next writer goes on where the last one ended.
 */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/why.h"

struct bus;

/* Supervisor: the memory for n_ends rings, as a memfd (not close-on-exec). ring_bytes
 * is rounded up to a power of two. */
int bus_create(unsigned n_ends, uint64_t ring_bytes, int *ret_fd, struct why *why);

/* Whether bus_open could, for so many ends. */
int bus_check(int fd, unsigned n_ends, struct why *why);

/* Maps it; others' rings read-only. `own`: the end that this process writes. wake_fds:
 * a non-blocking eventfd per end, copied; the descriptors stay the caller's. Checks what
 * the memory says of itself (-EPROTO). */
int bus_open(int fd, unsigned own, const int *wake_fds, unsigned n_ends,
	     struct bus **ret_bus, struct why *why);
void bus_close(struct bus *bus);

/* Appends one record of `type` to the own ring. -EMSGSIZE: longer than a quarter of it.
 */
int bus_write(struct bus *bus, uint32_t type, const struct iovec *parts,
	      unsigned n_parts);

/* Position behind the last record of the own ring, as readers count. */
uint64_t bus_written(const struct bus *bus);

/* Longest record, bytes. */
size_t bus_record_max(const struct bus *bus);

/* Wakes `end` if it sleeps; call once after a turn's writes. True if it had to be. A
 * process that died asleep costs one vain wake. */
bool bus_wake(struct bus *bus, unsigned end);

/* A reading position in one ring. */
struct bus_reader {
	unsigned end;
	uint64_t at;
};
void bus_reader_from_now(struct bus_reader *reader, struct bus *bus, unsigned end);

struct bus_record {
	uint32_t type;
	size_t len;
	const uint8_t *data; /* in the bus's own memory: lent until the next bus_read */
};

/* 1: *ret_record is the next. 0: nothing new. -EOVERFLOW: lapped; records were lost and
 * the reader is now at the newest. -EPROTO: the ring holds nonsense (same consequence).
 */
int bus_read(struct bus *bus, struct bus_reader *reader, struct bus_record *ret_record);

/* Before blocking: says "wake me" and returns true, or false when one of `readers` has
 * news (then do not block). After blocking: bus_awake. */
bool bus_sleep(struct bus *bus, const struct bus_reader *readers, unsigned n_readers);
void bus_awake(struct bus *bus);

#endif
