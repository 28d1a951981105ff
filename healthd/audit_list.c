#include "healthd/audit_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	GROW = 4096,
	ANSWER_BYTES = 32768,
	PROC_LINE = 256,
	LOOKS_EVERY = 1024, /* descriptors, between two looks whether to stop */
};

/* Those that a program can have open. */
#define STATES                                                               \
	(1u << TCP_ESTABLISHED | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | \
	 1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING |     \
	 1u << TCP_LISTEN)

void audit_list_init(struct audit_list *list, uint16_t port, const atomic_bool *stop)
{
	memset(list, 0, sizeof *list);
	list->port = port;
	list->stop = stop;
}

void audit_list_release(struct audit_list *list)
{
	free(list->inodes);
	list->inodes = NULL;
	list->n = list->size = 0;
}

static bool stopped(const struct audit_list *list)
{
	return list->stop && atomic_load(list->stop);
}

static int add(struct audit_list *list, unsigned state, uint32_t inode)
{
	uint32_t *grown;

	if (!inode || state > TCP_CLOSING || !(STATES >> state & 1))
		return 0;
	if (state == TCP_LISTEN) {
		if (list->n_listeners < AUDIT_LISTENERS_MAX)
			list->listeners[list->n_listeners++] = inode;
		return 0;
	}
	if (list->n == AUDIT_SOCKETS_MAX)
		return -E2BIG;
	if (list->n == list->size) {
		grown = realloc(list->inodes,
				(2 * list->size + GROW) * sizeof *list->inodes);
		if (!grown)
			return -ENOMEM;
		list->inodes = grown;
		list->size = 2 * list->size + GROW;
	}
	list->inodes[list->n++] = inode;
	return 0;
}

/* ---- netlink -------------------------------------------------------------------- */

/* The kernel passes on what has this port at its own end: a comparison is two words, and
 * where it fails one jumps past the end. */
struct port_filter {
	struct inet_diag_bc_op at_least, least, at_most, most;
};

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 request;
	struct nlattr attribute;
	struct port_filter filter;
};

static int ask(int fd, uint8_t family, uint16_t port)
{
	enum {
		WORD = sizeof(struct inet_diag_bc_op)
	};
	struct question q = {
		.head = { .nlmsg_len = sizeof q,
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = family,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = STATES },
		.attribute = { .nla_len = sizeof q.attribute + sizeof q.filter,
			       .nla_type = INET_DIAG_REQ_BYTECODE },
		.filter = { .at_least = { INET_DIAG_BC_S_GE, 2 * WORD, 5 * WORD },
			    .least = { .no = port },
			    .at_most = { INET_DIAG_BC_S_LE, 2 * WORD, 3 * WORD },
			    .most = { .no = port } },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, &q, sizeof q, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		return -errno;
	return 0;
}

int audit_take_diag(struct audit_list *list, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr head;
		struct inet_diag_msg socket;
		size_t step;
		int rc = 0;

		memcpy(&head, at, sizeof head);
		if (head.nlmsg_len < sizeof head || head.nlmsg_len > len)
			return -EBADMSG;
		if (head.nlmsg_type == NLMSG_DONE)
			return 1;
		if (head.nlmsg_type == NLMSG_ERROR) {
			if (head.nlmsg_len >= sizeof head + sizeof rc)
				memcpy(&rc, at + sizeof head, sizeof rc);
			return rc < 0 && rc > -4096 ? rc : -EBADMSG;
		}
		if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
		    head.nlmsg_len >= sizeof head + sizeof socket) {
			memcpy(&socket, at + sizeof head, sizeof socket);
			if (ntohs(socket.id.idiag_sport) == list->port)
				rc = add(list, socket.idiag_state, socket.idiag_inode);
		}
		if (rc < 0)
			return rc;
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		at += step < len ? step : len;
		len -= step < len ? step : len;
	}
	return 0;
}

/* Each recv makes the kernel go on a little: no lock is held for long. */
static int take_answer(struct audit_list *list, int fd, void *buffer)
{
	int rc = 0;

	while (rc == 0) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof from;
		ssize_t len = recvfrom(fd, buffer, ANSWER_BYTES, 0,
				       (struct sockaddr *)&from, &from_len);

		if (stopped(list))
			return -ECANCELED;
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (from_len == sizeof from && from.nl_pid == 0)
			rc = audit_take_diag(list, buffer, (size_t)len);
	}
	return rc < 0 ? rc : 0;
}

int audit_list_diag(struct audit_list *list)
{
	const struct timeval patience = { .tv_sec = AUDIT_ANSWER_MS / 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	void *buffer = malloc(ANSWER_BYTES);
	int rc = fd < 0 ? -errno : 0;

	if (rc == 0 && !buffer)
		rc = -ENOMEM;
	if (rc == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
		rc = -errno;
	if (rc == 0)
		rc = ask(fd, AF_INET, list->port);
	if (rc == 0)
		rc = take_answer(list, fd, buffer);
	if (rc == 0)
		rc = ask(fd, AF_INET6, list->port);
	if (rc == 0)
		rc = take_answer(list, fd, buffer);
	free(buffer);
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return rc;
}

/* ---- /proc/net ------------------------------------------------------------------ */

int audit_take_proc(struct audit_list *list, const char *line)
{
	unsigned port, state;
	uint32_t inode;

	/* Slot, address:port, the peer's, state, queues, timer, retransmits, uid,
	 * timeout, inode. */
	if (sscanf(line,
		   " %*5[0-9]: %*32[0-9A-F]:%4X %*32[0-9A-F]:%*4X %2X %*17[0-9A-F:]"
		   " %*11[0-9A-F:] %*8[0-9A-F] %*10[0-9] %*10[0-9] %10" SCNu32,
		   &port, &state, &inode) != 3 ||
	    port != list->port)
		return 0;
	return add(list, state, inode);
}

static int read_proc(struct audit_list *list, const char *path, bool optional)
{
	FILE *file = fopen(path, "re");
	char line[PROC_LINE];
	int rc = 0;

	if (!file)
		return optional && errno == ENOENT ? 0 : -errno;
	while (rc == 0 && fgets(line, sizeof line, file))
		rc = stopped(list) ? -ECANCELED : audit_take_proc(list, line);
	if (rc == 0 && ferror(file))
		rc = -EIO;
	(void)fclose(file); /* was only read */
	return rc;
}

int audit_list_proc(struct audit_list *list)
{
	int rc = read_proc(list, "/proc/net/tcp", false);

	return rc < 0 ? rc : read_proc(list, "/proc/net/tcp6", true);
}

/* ---- whose they are ------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

void audit_list_sort(struct audit_list *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->inodes, list->n, sizeof *list->inodes, compare);
	for (size_t i = 0; i < list->n; i++)
		if (i == 0 || list->inodes[i] != list->inodes[n - 1])
			list->inodes[n++] = list->inodes[i];
	list->n = n;
}

static bool listens(const struct audit_list *list, uint32_t inode)
{
	for (unsigned i = 0; i < list->n_listeners; i++)
		if (list->listeners[i] == inode)
			return true;
	return false;
}

/* The inode of "socket:[123]", 0 for anything else. */
static uint32_t inode_of(int dir, const char *name)
{
	char text[64];
	ssize_t len = readlinkat(dir, name, text, sizeof text - 1);
	uint32_t inode;

	if (len < 0)
		return 0;
	text[len] = 0;
	return sscanf(text, "socket:[%10" SCNu32 "]", &inode) == 1 ? inode : 0;
}

int64_t audit_list_of(const struct audit_list *list, pid_t pid)
{
	char path[32];
	struct dirent *entry;
	bool is_one_of_them = false;
	int64_t n = 0, seen = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) && !(seen++ % LOOKS_EVERY == 0 && stopped(list))) {
		uint32_t inode = inode_of(dirfd(dir), entry->d_name);

		if (inode && listens(list, inode))
			is_one_of_them = true;
		else if (inode && list->n &&
			 bsearch(&inode, list->inodes, list->n, sizeof inode, compare))
			n++;
	}
	closedir(dir);
	return is_one_of_them ? n : -ESRCH;
}
