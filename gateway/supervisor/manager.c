#include "gateway/supervisor/manager.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/notify.h"

void manager_init(struct manager *m)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	memset(m, 0, sizeof *m);
	if (usec && (!pid || strtol(pid, NULL, 10) == getpid()))
		m->watchdog_ms = strtoull(usec, NULL, 10) / 1000;
}

/* Puts off what the manager has no room for; later lines of a name win. */
static void put_off(struct manager *m, const char *lines)
{
	char before[sizeof m->pending];
	int n;

	memcpy(before, m->pending, sizeof before);
	n = snprintf(m->pending, sizeof m->pending, "%s%s%s", before, *before ? "\n" : "",
		     lines);
	/* Too much for the whole of it: the newest says most. */
	if (n >= (int)sizeof m->pending)
		snprintf(m->pending, sizeof m->pending, "%s", lines);
}

void manager_tell(struct manager *m, const char *lines)
{
	int r = *m->pending ? -EAGAIN : notify_send(lines);

	if (r == -EAGAIN)
		put_off(m, lines);
	else if (r < 0)
		LOG(warning, "service manager not told why=\"%s\"", strerror(-r));
}

void manager_status(struct manager *m, const char *format, ...)
{
	char status[sizeof m->status], line[sizeof m->status + 16];
	va_list args;

	va_start(args, format);
	vsnprintf(status, sizeof status, format, args);
	va_end(args);
	if (strcmp(status, m->status) == 0)
		return;
	memcpy(m->status, status, sizeof status);
	snprintf(line, sizeof line, "STATUS=%s", status);
	manager_tell(m, line);
}

void manager_tick(struct manager *m, uint64_t now_ms)
{
	char lines[sizeof m->pending];

	if (*m->pending) {
		memcpy(lines, m->pending, sizeof lines);
		*m->pending = 0;
		manager_tell(m, lines);
	}
	if (m->watchdog_ms && now_ms >= m->pet_at_ms) {
		m->pet_at_ms = now_ms + m->watchdog_ms / 2;
		/* A full queue does not matter here: the next one is soon. */
		(void)notify_send("WATCHDOG=1");
	}
}
