#include "gateway/supervisor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FIELD_STATE = 3, /* the first behind the name; numbers as in proc(5) */
	FIELD_UTIME = 14,
	FIELD_STIME = 15,
	FIELD_START = 22,
};

static int parse_number(const char *text, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	return errno == 0 && end > text && *text >= '0' && *text <= '9' ? 0 : -EPROTO;
}

int proc_parse(const char *text, size_t len, struct proc_stat *ret_stat)
{
	const char *field[FIELD_START + 1] = { NULL };
	struct proc_stat stat;
	uint64_t user, system;
	const char *at;
	char copy[1024];

	if (len >= sizeof copy || memchr(text, 0, len))
		return -EPROTO;
	memcpy(copy, text, len);
	copy[len] = 0;
	/* Whatever the name holds, no parenthesis follows its own last one. */
	at = strrchr(copy, ')');
	for (int i = FIELD_STATE; at && i <= FIELD_START; i++) {
		at = strchr(at, ' ');
		field[i] = at ? ++at : NULL;
	}
	if (!at || !*field[FIELD_STATE] || field[FIELD_STATE][1] != ' ' ||
	    parse_number(field[FIELD_UTIME], &user) < 0 ||
	    parse_number(field[FIELD_STIME], &system) < 0 ||
	    parse_number(field[FIELD_START], &stat.start_ticks) < 0)
		return -EPROTO;
	stat.state = *field[FIELD_STATE];
	stat.cpu_ms = (user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	*ret_stat = stat;
	return 0;
}

/* One read of a small file of /proc; returns its length. */
static ssize_t read_file(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

int proc_read(pid_t pid, struct proc_stat *ret_stat)
{
	char text[1024];
	ssize_t n = read_file(pid, "stat", text, sizeof text);

	return n < 0 ? (int)n : proc_parse(text, (size_t)n, ret_stat);
}

bool proc_dumps_core(pid_t pid)
{
	char text[4096];
	ssize_t n = read_file(pid, "status", text, sizeof text - 1);

	if (n < 0)
		return false;
	text[n] = 0;
	/* The name in the first line has its newlines escaped. */
	return strstr(text, "\nCoreDumping:\t1\n") != NULL;
}
