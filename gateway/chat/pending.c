/* A table that cannot grow refuses the new entry instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include "gateway/chat/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/check.h"
#include "gateway/chat/session.h"

/* Copies a text to *at and moves on behind it. */
static struct text copy(struct text text, char **at)
{
	struct text copied = { *at, text.len };

	if (text.len)
		memcpy(*at, text.at, text.len);
	*at += text.len;
	return copied;
}

int pending_add(struct pendings *pendings, struct session *session,
		const struct message *message, const struct ref *ref,
		struct pending **ret_pending)
{
	size_t texts = (size_t)message->room.len + message->id.len + message->from.len +
		       message->body.len;
	uint64_t bytes = sizeof(struct pending) + texts;
	struct pending *pending;
	char *at;

	if (pending_count(pendings) >= pendings->max ||
	    pendings->bytes + bytes > pendings->bytes_max)
		return -ENOBUFS;
	pending = calloc(1, bytes);
	if (!pending)
		return -ENOMEM;
	at = (char *)(pending + 1);
	pending->bytes = (uint32_t)bytes;
	pending->ticket = ++pendings->last_ticket;
	pending->session = session;
	if (ref)
		pending->ref = *ref;
	pending->message = *message;
	pending->message.room = copy(message->room, &at);
	pending->message.id = copy(message->id, &at);
	pending->message.from = copy(message->from, &at);
	pending->message.body = copy(message->body, &at);
	HASH_ADD(hh, pendings->by_ticket, ticket, sizeof pending->ticket, pending);
	if (!pending->hh.tbl) {
		free(pending);
		return -ENOMEM;
	}
	if (session)
		DL_APPEND(session->pending, pending);
	pendings->bytes += bytes;
	*ret_pending = pending;
	return 0;
}

struct pending *pending_find(const struct pendings *pendings, uint64_t ticket)
{
	struct pending *pending;

	HASH_FIND(hh, pendings->by_ticket, &ticket, sizeof ticket, pending);
	return pending;
}

void pending_remove(struct pendings *pendings, struct pending *pending)
{
	CHECK(pendings->by_ticket);
	HASH_DEL(pendings->by_ticket, pending);
	pendings->bytes -= pending->bytes;
	if (pending->session)
		DL_DELETE(pending->session->pending, pending);
	free(pending);
}

void pending_forget_session(struct pendings *pendings, struct session *session)
{
	while (session->pending) {
		struct pending *pending = session->pending;

		DL_DELETE(session->pending, pending);
		pending->session = NULL;
		if (pending->held)
			pending_remove(pendings, pending);
	}
}
