/*
 * events - the streams of /events: the same view again, every second, and at once when
 * the verdict is another.
 *
 * A stream of health has events `health`, each with the object of /health?verbose in one
 * line. A stream of the page has events `live` and `charts` with the page's parts, see
 * page.h; charts come with each new sample only. What cannot be written is left out, and
 * a comment keeps the stream alive.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include "healthd/view.h"

enum events_kind {
	EVENTS_HEALTH = 1, /* kinds of streams of the server */
	EVENTS_PAGE
};

struct events;

/* NULL without memory. */
struct events *events_new(void);
void events_free(struct events *events);

/* How a stream begins: everything as it is now. Lent until the next call. */
const char *events_begin(struct events *events, enum events_kind kind,
			 const struct view *view, size_t *ret_len);

/* Sends to all streams of the server what is due by the view's clock. Nothing is written
 * for a kind that nobody listens to. */
void events_send(struct events *events, struct server *server, const struct view *view,
		 bool is_other);

#endif
