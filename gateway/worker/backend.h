/*
 * backend - the HTTP API's place in a worker: between transport, chat, store, keys and
 * supervisor.
 *
 * Internal to the worker.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "gateway/worker/wiring.h"

/* Without keys there is no API: worker->api stays NULL. */
int backend_start(struct worker *worker, struct why *why);

/* Events of the transport; only where there is an API. */
void *backend_request(void *app, struct link *link, const struct http_request *request);
void backend_request_gone(void *app, void *request);

#endif
