#include "gateway/supervisor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int proc_parse(const char *text, struct proc_look *ret_look)
{
	/* The name ends at the last parenthesis: what follows are numbers. */
	const char *after = strrchr(text, ')');
	unsigned long long user, system, start;

	if (!after ||
	    sscanf(after + 1,
		   " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d "
		   "%*d %*d %*d %llu",
		   &ret_look->state, &user, &system, &start) != 4)
		return -EPROTO;
	ret_look->cpu_ticks = user + system;
	ret_look->start_ticks = start;
	return 0;
}

int proc_look(pid_t pid, struct proc_look *ret_look)
{
	char path[64], text[1024];
	ssize_t len;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	len = read(fd, text, sizeof text - 1);
	close(fd);
	if (len <= 0)
		return -ESRCH;
	text[len] = 0;
	return proc_parse(text, ret_look);
}
