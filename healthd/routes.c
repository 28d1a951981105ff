#include "healthd/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "healthd/accept.h"
#include "healthd/events.h"
#include "healthd/metrics.h"
#include "healthd/page.h"
#include "healthd/report.h"

enum {
	RETRY_AFTER_S = 1
};

struct routes {
	struct events *events;
	/* What stands in the body, when it can be said again. */
	const struct route *said;
	uint64_t said_look;
	bool said_verbose;
	struct server_answer answer;
	char body[METRICS_SIZE]; /* the largest answer; pages not written to cost nothing
				  */
};

/* What an answer is made from, and the answer. */
struct exchange {
	struct routes *routes;
	const struct view *view;
	const struct http_request *request;
	struct server_answer *answer;
};

struct route {
	const char *path;
	void (*answer)(struct exchange *);
	const char *about;
	bool is_brief; /* made of the view and `verbose` alone */
};

/* ---- what every answer is made of ---------------------------------------------- */

static void put(struct exchange *x, int status, const char *type, size_t len)
{
	x->routes->said = NULL;
	*x->answer = (struct server_answer){
		.head = { .status = status,
			  .type = type,
			  .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
			  .no_store = true },
		.body = x->routes->body,
		.body_len = len,
	};
}

static void put_error(struct exchange *x, int status)
{
	int len = snprintf(x->routes->body, sizeof x->routes->body,
			   "{\"error\":\"%s\"}\n", http_reason(status));

	put(x, status, "application/json", (size_t)len);
}

/* Takes the object. */
static void put_json(struct exchange *x, int status, json_t *object)
{
	size_t size = sizeof x->routes->body - 1;
	size_t len = object ? json_dumpb(object, x->routes->body, size, REPORT_FORMAT)
			    : 0;

	json_decref(object);
	if (len == 0 || len > size) {
		put_error(x, 500);
		return;
	}
	x->routes->body[len] = '\n';
	put(x, status, "application/json", len + 1);
}

static bool is_verbose(const struct exchange *x)
{
	char value[8];
	int len = http_query(x->request->query, "verbose", value, sizeof value);

	if (len == -ENOENT)
		return false;
	return len < 0 || (strcmp(value, "0") != 0 && strcasecmp(value, "no") != 0 &&
			   strcasecmp(value, "false") != 0);
}

/* ---- each path ----------------------------------------------------------------- */

static void answer_websocket(struct exchange *x)
{
	put_json(x, x->view->verdict->websocket_ok ? 200 : 503,
		 report_websocket(x->view, is_verbose(x)));
}

static void answer_database(struct exchange *x)
{
	put_json(x, x->view->verdict->store.reachable ? 200 : 503,
		 report_database(x->view));
}

static void answer_health(struct exchange *x)
{
	put_json(x, verdict_worst(x->view->verdict) == STATUS_error ? 503 : 200,
		 report_health(x->view, is_verbose(x)));
}

static void answer_probe(struct exchange *x, bool yes, const char *reason)
{
	put_json(x, yes ? 200 : 503, report_probe(x->view, yes, reason));
}

static void answer_live(struct exchange *x)
{
	answer_probe(x, x->view->verdict->live, x->view->verdict->live_reason);
}

static void answer_ready(struct exchange *x)
{
	answer_probe(x, x->view->verdict->ready, x->view->verdict->ready_reason);
}

static void answer_startup(struct exchange *x)
{
	answer_probe(x, x->view->verdict->startup, x->view->verdict->startup_reason);
}

static void answer_metrics(struct exchange *x)
{
	enum metrics_format format = metrics_format(x->request);
	int len = metrics_write(x->view, format, x->routes->body, sizeof x->routes->body);

	if (len < 0)
		put_error(x, 500);
	else
		put(x, 200, metrics_type(format), (size_t)len);
}

/* The page has a stream of its own, made of its parts. */
static void answer_events(struct exchange *x)
{
	char value[8];
	enum events_kind kind = http_query(x->request->query, "page", value,
					   sizeof value) == -ENOENT
					? EVENTS_HEALTH
					: EVENTS_PAGE;
	size_t len;
	const char *body = events_begin(x->routes->events, kind, x->view, &len);

	put(x, 200, "text/event-stream", len);
	x->answer->body = body;
	x->answer->stream = kind;
	x->answer->head.extra = "X-Accel-Buffering: no\r\n"; /* nginx would wait */
}

static void answer_index(struct exchange *x);

static const struct route table[] = {
	{ "/health/websocket", answer_websocket,
	  "Whether clients can be served, and how many are connected", true },
	{ "/health/live", answer_live, "Fails only for what a restart would cure", true },
	{ "/health/ready", answer_ready, "Whether new clients may come", true },
	{ "/health/startup", answer_startup, "Whether the gateway has been ready once",
	  true },
	{ "/health/database", answer_database, "Whether the store can be reached", true },
	{ "/health", answer_health, "The worst of all components, and each of them",
	  true },
	{ "/livez", answer_live, "The same as /health/live", true },
	{ "/readyz", answer_ready, "The same as /health/ready", true },
	{ "/startupz", answer_startup, "The same as /health/startup", true },
	{ "/metrics", answer_metrics, "Metrics for Prometheus", false },
	{ "/events", answer_events,
	  "/health?verbose every second, and at once when it changes", false },
	{ "/", answer_index, "The status page for browsers, this list for others",
	  false },
};

enum {
	N_ROUTES = sizeof table / sizeof *table
};

static void answer_page(struct exchange *x)
{
	struct html html = { .out = x->routes->body, .size = sizeof x->routes->body };

	page_write(x->view, &html);
	if (html.is_full) {
		put_error(x, 500);
		return;
	}
	put(x, 200, "text/html; charset=utf-8", html.len);
	x->answer->head.extra = page_headers();
}

/* Browsers name HTML; programs name JSON, or nothing. */
static bool wants_page(const struct http_request *request)
{
	double html = accept_quality(request, "text/html", NULL);

	return html > 0 && html >= accept_quality(request, "application/json", NULL);
}

static void answer_list(struct exchange *x)
{
	json_t *paths = json_object();

	for (size_t i = 0; i < N_ROUTES; i++)
		json_object_set_new(paths, table[i].path, json_string(table[i].about));
	put_json(x, 200,
		 json_pack("{s:s, s:s, s:s, s:o}", "name", "parley-healthd", "version",
			   PARLEY_VERSION, "status",
			   verdict_status_name(x->view->verdict->status), "paths",
			   paths));
	x->answer->head.extra = "Vary: Accept\r\n";
}

static void answer_index(struct exchange *x)
{
	if (wants_page(x->request))
		answer_page(x);
	else
		answer_list(x);
}

/* ---- all of them --------------------------------------------------------------- */

struct routes *routes_new(void)
{
	struct routes *routes = malloc(sizeof *routes);

	if (!routes)
		return NULL;
	routes->said = NULL;
	routes->events = events_new();
	if (!routes->events) {
		free(routes);
		return NULL;
	}
	return routes;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	events_free(routes->events);
	free(routes);
}

void routes_stream(struct routes *routes, const struct view *view, struct server *server,
		   bool is_other)
{
	events_send(routes->events, server, view, is_other);
}

static const struct route *find(const char *path)
{
	for (size_t i = 0; i < N_ROUTES; i++)
		if (strcmp(table[i].path, path) == 0)
			return &table[i];
	return NULL;
}

/* Whoever asks the same of the same look is answered in the same words. */
static void answer_briefly(struct exchange *x, const struct route *route)
{
	struct routes *routes = x->routes;
	const bool verbose = is_verbose(x);

	if (routes->said == route && routes->said_verbose == verbose && x->view->look &&
	    routes->said_look == x->view->look) {
		*x->answer = routes->answer;
		return;
	}
	route->answer(x);
	routes->said = route;
	routes->said_verbose = verbose;
	routes->said_look = x->view->look;
	routes->answer = *x->answer;
}

void routes_answer(struct routes *routes, const struct view *view,
		   const struct http_request *request, struct server_answer *ret_answer)
{
	struct exchange x = { routes, view, request, ret_answer };
	const struct route *route = find(request->path);

	if (!route) {
		put_error(&x, 404);
	} else if (strcmp(request->method, "GET") != 0 &&
		   strcmp(request->method, "HEAD") != 0) {
		put_error(&x, 405);
		ret_answer->head.allow = "GET, HEAD";
	} else if (route->is_brief) {
		answer_briefly(&x, route);
	} else {
		route->answer(&x);
	}
}
