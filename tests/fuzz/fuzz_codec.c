/* Any text is read or refused; what was read obeys the limits, is a piece of the
 * text, and comes back the same from the message made of it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/codec.h"
#include "gateway/wire/utf8.h"

static void check_name(struct text name)
{
	CHECK(name.len >= 1 && name.len <= ROOM_NAME_MAX);
	CHECK(utf8_valid(name.at, name.len));
}

static void check_number(const struct number *number, uint64_t least, uint64_t most)
{
	CHECK(number->given ? number->value >= least && number->value <= most
			    : number->value == 0);
}

static void check_options(const struct request *request)
{
	check_number(&request->since, 0, INT64_MAX);
	check_number(&request->before, 1, INT64_MAX);
	check_number(&request->after, 0, INT64_MAX);
	check_number(&request->limit, 1,
		     request->op == OP_who ? WIRE_WHO_MAX : WIRE_HISTORY_MAX);
	CHECK(!request->before.given || !request->after.given);
	CHECK(request->op == OP_join || !request->since.given);
	CHECK(request->op == OP_history || request->op == OP_who ||
	      !request->limit.given);
}

static void check_send(const struct request *request, const char *data, size_t size)
{
	struct message message = { .room = request->room,
				   .id = request->id,
				   .from = { "u", 1 },
				   .body = request->body,
				   .seq = 1 };
	size_t room_for = request->body.len + WIRE_ENVELOPE_MAX;
	char *out = malloc(room_for);
	json_t *event;
	int len;

	CHECK(out);
	CHECK(request->body.len && request->body.at >= data &&
	      request->body.at + request->body.len <= data + size);
	len = wire_message(out, room_for, &message);
	CHECK(len > 0);
	event = json_loadb(out, (size_t)len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
			   NULL);
	CHECK(event && json_object_size(event) == 7);
	CHECK(memcmp(json_string_value(json_object_get(event, "room")), request->room.at,
		     request->room.len) == 0);
	json_decref(event);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	const char *what = NULL;
	char *text = malloc(size + 1); /* exactly as long, for the sanitizer */
	int r;

	CHECK(text);
	text = realloc(text, size ? size : 1);
	memcpy(text, data, size);
	r = request_read(text, size, &request, &what);
	CHECK(strlen(request.ref.text) < REF_MAX);
	if (r < 0) {
		CHECK(what && -(r + 1) < WIRE_ERROR_COUNT);
	} else {
		if (request.op != OP_ping)
			check_name(request.room);
		check_options(&request);
		if (request.op == OP_send) {
			check_name(request.id);
			check_send(&request, text, size);
		}
		request_release(&request);
	}
	free(text);
	return 0;
}
