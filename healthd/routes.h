/*
 * routes - from a path to an answer.
 *
 *   /health/websocket      200 when somebody can be served, else 503
 *   /health/database       200; 503 when the store is out of reach for the grace
 *   /health                200 or 503, the worst of both, with every component
 *   /health/live, /livez   503 only for what a restart would cure
 *   /health/ready, /readyz 503 when no new client should come
 *   /health/startup, /startupz   503 until the gateway has been ready once
 *   /metrics               200
 *   /events                200, a stream of Server-Sent Events, see events.h; with
 *                          ?page that of the status page
 *   /                      200, the status page where Accept names text/html and does not
 *                          like application/json more, else a list of these in JSON
 *
 * ?verbose adds details to the first three (not with the value 0, no or false). A
 * gateway that starts and has no worker ready yet serves nobody, so that
 * /health/websocket says 503 `error` and `starting`; it says 200 `degraded` from the
 * first ready worker on. A path is taken as it stands: a slash more at its end is
 * another path, 404. Each 503 has Retry-After; nothing may be stored by a cache.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "common/http.h"
#include "healthd/view.h"

struct routes;

/* NULL without memory. */
struct routes *routes_new(void);
void routes_free(struct routes *routes);

/* Fills the answer; its body is lent until the next call. */
void routes_answer(struct routes *routes, const struct view *view,
		   const struct http_request *request, struct server_answer *ret_answer);

/* With every look: sends to the streams what is due. `is_other`: the verdict is another
 * than with the last. */
void routes_stream(struct routes *routes, const struct view *view, struct server *server,
		   bool is_other);

#endif
