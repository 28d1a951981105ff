/*
 * audit_list - the kernel's own list of the sockets on a port, and who has which.
 *
 * Blocks, for a thread of its own: 200,000 sockets take a fraction of a second. Asks by
 * netlink (sock_diag), where the kernel itself leaves out what is not of the port, or
 * reads /proc/net/tcp and tcp6. What nobody has accepted yet, or nobody has open any
 * more, has no inode there, and is left out.
 */
#ifndef AUDIT_LIST_H
#define AUDIT_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	AUDIT_SOCKETS_MAX = 2000000, /* beyond it -E2BIG */
	AUDIT_LISTENERS_MAX = 256,
	AUDIT_ANSWER_MS = 2000, /* that the kernel may take for a part of its answer */
};

struct audit_list {
	uint16_t port;
	const atomic_bool *stop; /* set by others: -ECANCELED soon */
	uint32_t *inodes; /* of accepted sockets; sorted once audit_list_sort was */
	size_t n, size;
	uint32_t listeners[AUDIT_LISTENERS_MAX];
	unsigned n_listeners;
};

void audit_list_init(struct audit_list *list, uint16_t port, const atomic_bool *stop);
void audit_list_release(struct audit_list *list);

/* Each fills an empty list; 0 or a negative errno. */
int audit_list_diag(struct audit_list *list);
int audit_list_proc(struct audit_list *list);

/* Puts them in order, each once. */
void audit_list_sort(struct audit_list *list);

/* How many of them this process has. -EPERM, -ENOENT and the like: that cannot be seen.
 * -ESRCH: it has none of the listening sockets either, so that it is not the one that is
 * meant (pids may be of another namespace). After audit_list_sort. */
int64_t audit_list_of(const struct audit_list *list, pid_t pid);

/* ---- for tests and the two above: bytes of the kernel's ---- */

/* Takes one datagram of netlink. 1: that was the end, 0: more follows, or -errno. */
int audit_take_diag(struct audit_list *list, const void *data, size_t len);

/* Takes one line of /proc/net/tcp. 0, or -ENOMEM, -E2BIG; what is no socket is passed
 * over. */
int audit_take_proc(struct audit_list *list, const char *line);

#endif
