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
 *   /                      200, a list of these
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

#endif
