#include "healthd/events.h"

#include <stdlib.h>

#include "common/clock.h"
#include "healthd/page.h"
#include "healthd/report.h"
#include "healthd/sse.h"

enum {
	EVERY_MS = 1000,
	RETRY_MS = 1000,
	OUT_SIZE = 2 * PAGE_SIZE_MAX
};

/* Pages of it that were never written to cost nothing. */
struct events {
	uint64_t due_ns, charts_due_ns;
	size_t len; /* of `out` in use */
	char html[PAGE_SIZE_MAX], out[OUT_SIZE];
};

struct events *events_new(void)
{
	struct events *events = malloc(sizeof *events);

	if (events)
		events->due_ns = events->charts_due_ns = 0;
	return events;
}

void events_free(struct events *events)
{
	free(events);
}

/* ---- one event ----------------------------------------------------------------- */

static void took(struct events *events, int n)
{
	if (n > 0)
		events->len += (size_t)n;
}

static void add(struct events *events, const char *name, const char *data, size_t len)
{
	char *at = events->out + events->len;
	size_t left = sizeof events->out - events->len;
	int n = len > 0 ? sse_event(at, left, name, data, len) : -1;

	took(events, n >= 0 ? n : sse_comment(at, left));
}

static void add_parts(struct events *events, const char *name, const struct view *view,
		      void (*write)(const struct view *, struct html *))
{
	struct html html = { .out = events->html, .size = sizeof events->html };

	write(view, &html);
	add(events, name, events->html, html.is_full ? 0 : html.len);
}

static void add_health(struct events *events, const struct view *view)
{
	json_t *object = report_health(view, true);
	size_t len = object ? json_dumpb(object, events->html, sizeof events->html,
					 REPORT_FORMAT)
			    : 0;

	json_decref(object);
	add(events, "health", events->html, len <= sizeof events->html ? len : 0);
}

/* ---- all of them --------------------------------------------------------------- */

const char *events_begin(struct events *events, enum events_kind kind,
			 const struct view *view, size_t *ret_len)
{
	events->len = 0;
	took(events, sse_begin(events->out, sizeof events->out, RETRY_MS));
	if (kind == EVENTS_HEALTH) {
		add_health(events, view);
	} else {
		add_parts(events, "live", view, page_live);
		add_parts(events, "charts", view, page_charts);
	}
	*ret_len = events->len;
	return events->out;
}

static void send_page(struct events *events, struct server *server,
		      const struct view *view)
{
	events->len = 0;
	add_parts(events, "live", view, page_live);
	if (view->mono_ns >= events->charts_due_ns) {
		events->charts_due_ns = view->mono_ns + history_span_ms(view->history) *
								MS_NS / HISTORY_SAMPLES;
		add_parts(events, "charts", view, page_charts);
	}
	server_stream(server, EVENTS_PAGE, events->out, events->len);
}

void events_send(struct events *events, struct server *server, const struct view *view,
		 bool is_other)
{
	if (!is_other && view->mono_ns < events->due_ns)
		return;
	events->due_ns = view->mono_ns + EVERY_MS * MS_NS;
	if (server_streams(server, EVENTS_PAGE) > 0)
		send_page(events, server, view);
	if (server_streams(server, EVENTS_HEALTH) > 0) {
		events->len = 0;
		add_health(events, view);
		server_stream(server, EVENTS_HEALTH, events->out, events->len);
	}
}
