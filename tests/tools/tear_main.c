/*
 * tear - makes what the supervisor writes into its segment look half written, for tests:
 * `tear FILE`. Its sequence becomes odd, as if it never ended what it began; once more
 * makes it even again. Exit 0 when done, 1 with a word on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/segment.h"

static int tear(int fd)
{
	struct segment_header header;
	uint64_t sequence;
	off_t at;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.magic, SEGMENT_MAGIC, sizeof(header.magic)) != 0)
		return -EPROTO;
	at = (off_t)(header.sequences_offset +
		     offsetof(struct segment_sequences, supervisor));
	if (pread(fd, &sequence, sizeof(sequence), at) != (ssize_t)sizeof(sequence))
		return -EPROTO;
	sequence++;
	return pwrite(fd, &sequence, sizeof(sequence), at) == (ssize_t)sizeof(sequence)
		       ? 0
		       : -EIO;
}

int main(int argc, char **argv)
{
	int fd, r;

	if (argc != 2) {
		fprintf(stderr, "usage: tear FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	r = fd < 0 ? -errno : tear(fd);
	if (r < 0)
		fprintf(stderr, "tear: %s: %s\n", argv[1], strerror(-r));
	if (fd >= 0)
		(void)close(fd);
	return r < 0;
}
