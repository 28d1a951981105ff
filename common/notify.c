#include "common/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns the address's length. An abstract name starts with a NUL and has no end but
 * the length; a path's terminator is counted. */
static int address_of(const char *name, struct sockaddr_un *ret_to)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2)
		return -EINVAL;
	if (len >= sizeof ret_to->sun_path)
		return -ENAMETOOLONG;
	memset(ret_to, 0, sizeof *ret_to);
	ret_to->sun_family = AF_UNIX;
	memcpy(ret_to->sun_path, name, len);
	if (name[0] == '@')
		ret_to->sun_path[0] = '\0';
	else
		len++;
	return (int)(offsetof(struct sockaddr_un, sun_path) + len);
}

int notify_send(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	int len, fd, rc = 1;

	if (!name || !*name)
		return 0;
	len = address_of(name, &to);
	if (len < 0)
		return len;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)len) < 0)
		rc = -errno;
	close(fd);
	return rc;
}
