#include "healthd/sse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int put(char *out, size_t size, size_t *len, const char *bytes, size_t n)
{
	if (n > size - *len)
		return -ENOSPC;
	memcpy(out + *len, bytes, n);
	*len += n;
	return 0;
}

/* Up to the next byte that may not stand in a line. */
static size_t plain(const char *data, size_t len)
{
	size_t n = 0;

	while (n < len && data[n] != '\n' && data[n] != '\r' && data[n] != '\0')
		n++;
	return n;
}

int sse_event(char *out, size_t size, const char *name, const char *data, size_t len)
{
	size_t n = 0, used;

	if (put(out, size, &n, "event: ", 7) < 0 ||
	    put(out, size, &n, name, strlen(name)) < 0 ||
	    put(out, size, &n, "\ndata: ", 7) < 0)
		return -ENOSPC;
	for (; len > 0; data += used, len -= used) {
		used = plain(data, len);
		if (put(out, size, &n, data, used) < 0)
			return -ENOSPC;
		if (used == len)
			break;
		if (data[used] == '\n' && put(out, size, &n, "\ndata: ", 7) < 0)
			return -ENOSPC;
		used++;
	}
	return put(out, size, &n, "\n\n", 2) < 0 ? -ENOSPC : (int)n;
}

int sse_begin(char *out, size_t size, unsigned retry_ms)
{
	int n = snprintf(out, size, "retry: %u\n\n", retry_ms);

	return (size_t)n < size ? n : -ENOSPC;
}

int sse_comment(char *out, size_t size)
{
	if (size < 3)
		return -ENOSPC;
	memcpy(out, ":\n\n", 3);
	return 3;
}
