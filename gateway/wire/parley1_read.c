#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "gateway/wire/codec.h"
#include "gateway/wire/field.h"
#include "gateway/wire/json_text.h"

enum {
	REF_TEXT_MAX = 66, /* 64 and two quotes */
};
_Static_assert((int)REF_TEXT_MAX < (int)REF_MAX, "ref.text is terminated");

/* What each operation must carry, and what it may. */
static const struct {
	const char *name;
	bool room, id, body;
	bool since, range, active;
	uint64_t limit_max; /* 0: has no limit */
} ops[OP_COUNT] = {
	[OP_join] = { "join", .room = true, .since = true },
	[OP_leave] = { "leave", .room = true },
	[OP_send] = { "send", .room = true, .id = true, .body = true },
	[OP_history] = { "history", .room = true, .range = true,
			 .limit_max = WIRE_HISTORY_MAX },
	[OP_who] = { "who", .room = true, .limit_max = WIRE_WHO_MAX },
	[OP_typing] = { "typing", .room = true, .active = true },
	[OP_ping] = { "ping" },
};

/* ---- fields --------------------------------------------------------------------- */

static bool is_integer(struct text text)
{
	uint32_t at = text.len && text.at[0] == '-';

	if (at == text.len)
		return false;
	for (; at < text.len; at++)
		if (!isdigit((unsigned char)text.at[at]))
			return false;
	return true;
}

static int read_ref(struct text text, struct ref *ref, const char **ret_what)
{
	if (!is_integer(text) && text.at[0] != '"')
		return field_fail(WIRE_bad_type, "ref must be a string or an integer",
				  ret_what);
	if (text.len > REF_TEXT_MAX)
		return field_fail(WIRE_too_long, "ref is longer than 64 bytes", ret_what);
	memcpy(ref->text, text.at, text.len);
	ref->text[text.len] = '\0';
	return 0;
}

/* From text that is too deep to be parsed: only this one value is. */
static void read_ref_alone(struct text json, struct ref *ref)
{
	struct text text = json_member(json, "ref");
	const char *what;
	json_t *value;

	if (!text.len || text.len > REF_TEXT_MAX)
		return;
	value = json_loadb(text.at, text.len,
			   JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
			   NULL);
	if (value)
		(void)read_ref(text, ref, &what); /* one error is told at a time */
	json_decref(value);
}

static const struct name_words room_words = NAME_WORDS("room");
static const struct name_words id_words = NAME_WORDS("id");

static int read_op(const json_t *root, enum op *ret_op, const char **ret_what)
{
	const json_t *value = json_object_get(root, "op");

	if (!value)
		return field_fail(WIRE_bad_field, "op is missing", ret_what);
	if (!json_is_string(value))
		return field_fail(WIRE_bad_type, "op must be a string", ret_what);
	for (int op = 0; op < OP_COUNT; op++) {
		if (strcmp(ops[op].name, json_string_value(value)) == 0 &&
		    strlen(ops[op].name) == json_string_length(value)) {
			*ret_op = (enum op)op;
			return 0;
		}
	}
	return field_fail(WIRE_unknown_op, "op is none that this server knows", ret_what);
}

struct number_words {
	const char *member, *type, *range;
};
#define NUMBER_WORDS(name)                                                \
	{                                                                 \
		name, name " must be an integer", name " is out of range" \
	}
static const struct number_words since_words = NUMBER_WORDS("since");
static const struct number_words before_words = NUMBER_WORDS("before");
static const struct number_words after_words = NUMBER_WORDS("after");
static const struct number_words limit_words = NUMBER_WORDS("limit");

/* A number that may be missing. From its text, since the parser took it for a real. */
static int read_number(struct text json, const struct number_words *words, uint64_t min,
		       uint64_t max, struct number *ret_number, const char **ret_what)
{
	struct text text = json_member(json, words->member);

	if (!text.len)
		return 0;
	if (!is_integer(text))
		return field_fail(WIRE_bad_type, words->type, ret_what);
	if (!field_digits(text, &ret_number->value) || ret_number->value < min ||
	    ret_number->value > max)
		return field_fail(WIRE_bad_field, words->range, ret_what);
	ret_number->given = true;
	return 0;
}

static int read_range(struct text json, struct request *request, const char **ret_what)
{
	int r = read_number(json, &before_words, 1, INT64_MAX, &request->before,
			    ret_what);

	if (r == 0)
		r = read_number(json, &after_words, 0, INT64_MAX, &request->after,
				ret_what);
	if (r == 0 && request->before.given && request->after.given)
		r = field_fail(WIRE_bad_field, "before and after exclude each other",
			       ret_what);
	return r;
}

static int read_active(const json_t *root, struct request *request, const char **ret_what)
{
	const json_t *value = json_object_get(root, "active");

	request->active = !json_is_false(value);
	if (value && !json_is_boolean(value))
		return field_fail(WIRE_bad_type, "active must be a boolean", ret_what);
	return 0;
}

/* ---- the whole ------------------------------------------------------------------ */

/* What the operation may carry. */
static int read_options(struct text json, const json_t *root, struct request *request,
			const char **ret_what)
{
	uint64_t limit_max = ops[request->op].limit_max;
	int r = 0;

	if (ops[request->op].since)
		r = read_number(json, &since_words, 0, INT64_MAX, &request->since,
				ret_what);
	if (r == 0 && ops[request->op].range)
		r = read_range(json, request, ret_what);
	if (r == 0 && limit_max)
		r = read_number(json, &limit_words, 1, limit_max, &request->limit,
				ret_what);
	if (r == 0 && ops[request->op].active)
		r = read_active(root, request, ret_what);
	return r;
}

static int read_object(struct text json, const json_t *root, struct request *request,
		       const char **ret_what)
{
	struct text ref = json_member(json, "ref");
	int r = 0;

	if (ref.len)
		r = read_ref(ref, &request->ref, ret_what);
	if (r == 0)
		r = read_op(root, &request->op, ret_what);
	if (r == 0 && ops[request->op].room)
		r = field_name(root, &room_words, &request->room, ret_what);
	if (r == 0 && ops[request->op].id)
		r = field_name(root, &id_words, &request->id, ret_what);
	if (r == 0 && ops[request->op].body) {
		request->body = json_member(json, "body");
		if (!request->body.len)
			r = field_fail(WIRE_bad_field, "body is missing", ret_what);
	}
	if (r == 0)
		r = read_options(json, root, request, ret_what);
	return r;
}

int request_read(const char *data, size_t len, struct request *ret_request,
		 const char **ret_what)
{
	struct text json = { data, (uint32_t)len };
	json_t *root;
	int r;

	memset(ret_request, 0, sizeof *ret_request);
	r = field_load(data, len, &root, ret_what);
	if (r == -(int)WIRE_too_deep - 1)
		read_ref_alone(json, &ret_request->ref);
	if (r < 0)
		return r;
	r = read_object(json, root, ret_request, ret_what);
	if (r < 0)
		json_decref(root);
	else
		ret_request->storage = root;
	return r;
}

void request_release(struct request *request)
{
	json_decref(request->storage);
	request->storage = NULL;
}
