#include "gateway/store/postgres_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

struct pgwatch {
	uv_poll_t poll;
	int events;
	pgwatch_ready *ready;
	void *app;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
	const struct pgwatch *watch = poll->data;

	(void)status; /* an error shows when the descriptor is read */
	(void)events;
	watch->ready(watch->app);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void pgwatch_end(struct pgwatch **watch)
{
	if (*watch)
		uv_close((uv_handle_t *)&(*watch)->poll, on_closed);
	*watch = NULL;
}

int pgwatch_for(struct pgwatch **watch, struct uv_loop_s *loop, int fd, int events,
		pgwatch_ready *ready, void *app)
{
	struct pgwatch *w = *watch;
	int r;

	if (!w) {
		w = calloc(1, sizeof *w);
		if (!w)
			return -ENOMEM;
		r = uv_poll_init(loop, &w->poll, fd);
		if (r < 0) {
			free(w);
			return r;
		}
		w->poll.data = w;
		w->ready = ready;
		w->app = app;
		*watch = w;
	}
	if (w->events == events) /* else libuv would ask epoll again */
		return 0;
	w->events = events;
	return uv_poll_start(&w->poll, events, on_ready);
}
