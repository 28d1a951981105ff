/*
 * postgres_watch - a descriptor that is watched, as long as somebody wants it to be.
 *
 * Its handle outlives it until libuv lets go; so the next descriptor can be watched at
 * once, even if it has the same number.
 */
#ifndef POSTGRES_WATCH_H
#define POSTGRES_WATCH_H

struct uv_loop_s;
struct pgwatch;

typedef void pgwatch_ready(void *app);

/* `events` as uv_poll has them. Makes *watch if it is NULL. -errno. */
int pgwatch_for(struct pgwatch **watch, struct uv_loop_s *loop, int fd, int events,
		pgwatch_ready *ready, void *app);

/* Before the descriptor is closed. NULL is accepted, and left behind. */
void pgwatch_end(struct pgwatch **watch);

#endif
