#include "gateway/api/route.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "gateway/wire/field.h"
#include "gateway/wire/utf8.h"

#define ROOMS "/api/rooms/"

enum {
	LIMIT_DEFAULT = 50,
	NUMBER_SIZE = 24 /* more digits are no number of ours */
};

static bool refuse(struct api_refusal *refusal, int status, const char *why)
{
	*refusal = (struct api_refusal){ .status = status, .why = why };
	return false;
}

/* ---- which one ------------------------------------------------------------------ */

/* By what stands behind the room; `of_room` false: the whole path. */
static const struct place {
	const char *path;
	const char *allow;
	int get, post; /* enum api_op; -1: none */
	bool of_room;
} places[] = {
	{ "/messages", "GET, HEAD, POST", API_read, API_post, true },
	{ "/members", "GET, HEAD", API_members, -1, true },
	{ "/api/drain", "POST", -1, API_drain, false },
};

/* Cuts the room out of the path. NULL: there is no such place. */
static const struct place *find_place(const char *path, struct text *ret_room)
{
	bool of_room = strncmp(path, ROOMS, strlen(ROOMS)) == 0;

	if (of_room) {
		path += strlen(ROOMS);
		*ret_room = (struct text){ path, (uint32_t)strcspn(path, "/") };
		path += ret_room->len;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (places[i].of_room == of_room && strcmp(path, places[i].path) == 0)
			return &places[i];
	return NULL;
}

static int op_of(const struct place *place, const char *method)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return place->get;
	return strcmp(method, "POST") == 0 ? place->post : -1;
}

/* ---- its fields ----------------------------------------------------------------- */

static bool read_room(struct text written, struct api_call *call,
		      struct api_refusal *refusal)
{
	static const struct name_words words = NAME_WORDS("room");
	const char *what = "room is no UTF-8 in percent escapes";
	int len = http_path_part(written.at, written.len, call->room, sizeof call->room);

	if (len == -ENAMETOOLONG)
		return refuse(refusal, 400, words.length);
	if (len < 0 || !utf8_valid(call->room, (size_t)len))
		return refuse(refusal, 400, what);
	call->room_len = (uint32_t)len;
	if (field_check_name(api_call_room(call), &words, &what) < 0)
		return refuse(refusal, 400, what);
	return true;
}

static const struct parameter {
	const char *name, *why;
	uint64_t min, max, standard;
} parameters[] = {
	{ "after", "after must be a whole number", 0, INT64_MAX, 0 },
	{ "before", "before must be a whole number from 1 on", 1, INT64_MAX, 0 },
	{ "limit", "limit must be a number from 1 to 200", 1, WIRE_HISTORY_MAX,
	  LIMIT_DEFAULT },
};

static bool read_range(const char *query, struct api_call *call,
		       struct api_refusal *refusal)
{
	uint64_t values[sizeof parameters / sizeof *parameters];

	call->newest = true;
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		const struct parameter *parameter = &parameters[i];
		char text[NUMBER_SIZE];
		int len = http_query(query, parameter->name, text, sizeof text);

		values[i] = parameter->standard;
		if (len == -ENOENT)
			continue;
		if (len < 0 ||
		    !field_digits((struct text){ text, (uint32_t)len }, &values[i]) ||
		    values[i] < parameter->min || values[i] > parameter->max)
			return refuse(refusal, 400, parameter->why);
		call->newest &= i != 0;
	}
	call->after = values[0];
	call->before = values[1];
	call->limit = (uint32_t)values[2];
	return true;
}

bool api_route(const struct http_request *request, struct api_call *ret_call,
	       struct api_refusal *ret_refusal)
{
	struct text room = { "", 0 };
	const struct place *place = find_place(request->path, &room);
	int op;

	memset(ret_call, 0, sizeof *ret_call);
	if (!place)
		return refuse(ret_refusal, 404, "the API has no such path");
	op = op_of(place, request->method);
	if (op < 0) {
		(void)refuse(ret_refusal, 405, "not a method of this path");
		ret_refusal->allow = place->allow;
		return false;
	}
	ret_call->op = (enum api_op)op;
	if (place->of_room && !read_room(room, ret_call, ret_refusal))
		return false;
	return op != API_read || read_range(request->query, ret_call, ret_refusal);
}
