#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "gateway/wire/codec.h"
#include "gateway/wire/json_text.h"

enum {
	REF_TEXT_MAX = 66, /* 64 and two quotes */
};
_Static_assert((int)REF_TEXT_MAX < (int)REF_MAX, "ref.text is terminated");
_Static_assert((int)ROOM_NAME_MAX == 64 && (int)MESSAGE_ID_MAX == 64,
	       "one sentence speaks of both");

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

static int fail(enum wire_error error, const char *what, const char **ret_what)
{
	*ret_what = what;
	return -(int)error - 1;
}

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
		return fail(WIRE_bad_type, "ref must be a string or an integer",
			    ret_what);
	if (text.len > REF_TEXT_MAX)
		return fail(WIRE_too_long, "ref is longer than 64 bytes", ret_what);
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

/* C0, DEL and C1 (U+0080 to U+009F); the text is valid UTF-8. */
static bool has_control(struct text text)
{
	for (uint32_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && (unsigned char)text.at[i + 1] < 0xa0)
			return true;
	}
	return false;
}

struct name_words {
	const char *member, *missing, *type, *empty, *length, *control;
};
#define NAME_WORDS(name)                                                                \
	{                                                                               \
		name, name " is missing", name " must be a string", name " is empty",   \
			name " is longer than 64 bytes", name " has control characters" \
	}
static const struct name_words room_words = NAME_WORDS("room");
static const struct name_words id_words = NAME_WORDS("id");

static int read_name(const json_t *root, const struct name_words *words,
		     struct text *ret_name, const char **ret_what)
{
	const json_t *value = json_object_get(root, words->member);

	if (!value)
		return fail(WIRE_bad_field, words->missing, ret_what);
	if (!json_is_string(value))
		return fail(WIRE_bad_type, words->type, ret_what);
	if (json_string_length(value) > ROOM_NAME_MAX)
		return fail(WIRE_too_long, words->length, ret_what);
	ret_name->at = json_string_value(value);
	ret_name->len = (uint32_t)json_string_length(value);
	if (!ret_name->len)
		return fail(WIRE_bad_field, words->empty, ret_what);
	if (has_control(*ret_name))
		return fail(WIRE_bad_field, words->control, ret_what);
	return 0;
}

static int read_op(const json_t *root, enum op *ret_op, const char **ret_what)
{
	const json_t *value = json_object_get(root, "op");

	if (!value)
		return fail(WIRE_bad_field, "op is missing", ret_what);
	if (!json_is_string(value))
		return fail(WIRE_bad_type, "op must be a string", ret_what);
	for (int op = 0; op < OP_COUNT; op++) {
		if (strcmp(ops[op].name, json_string_value(value)) == 0 &&
		    strlen(ops[op].name) == json_string_length(value)) {
			*ret_op = (enum op)op;
			return 0;
		}
	}
	return fail(WIRE_unknown_op, "op is none that this server knows", ret_what);
}

/* Digits only: what is not, or beyond 2^63, is no number here. */
static bool digits_value(struct text text, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.at[i] - '0');

		if (digit > 9 || value > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		value = 10 * value + digit;
	}
	*ret_value = value;
	return text.len > 0;
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
		return fail(WIRE_bad_type, words->type, ret_what);
	if (!digits_value(text, &ret_number->value) || ret_number->value < min ||
	    ret_number->value > max)
		return fail(WIRE_bad_field, words->range, ret_what);
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
		r = fail(WIRE_bad_field, "before and after exclude each other", ret_what);
	return r;
}

static int read_active(const json_t *root, struct request *request, const char **ret_what)
{
	const json_t *value = json_object_get(root, "active");

	request->active = !json_is_false(value);
	if (value && !json_is_boolean(value))
		return fail(WIRE_bad_type, "active must be a boolean", ret_what);
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
		r = read_name(root, &room_words, &request->room, ret_what);
	if (r == 0 && ops[request->op].id)
		r = read_name(root, &id_words, &request->id, ret_what);
	if (r == 0 && ops[request->op].body) {
		request->body = json_member(json, "body");
		if (!request->body.len)
			r = fail(WIRE_bad_field, "body is missing", ret_what);
	}
	if (r == 0)
		r = read_options(json, root, request, ret_what);
	return r;
}

int request_read(const char *data, size_t len, struct request *ret_request,
		 const char **ret_what)
{
	struct text json = { data, (uint32_t)len };
	json_error_t error;
	json_t *root;
	int r;

	memset(ret_request, 0, sizeof *ret_request);
	if (len > UINT32_MAX)
		return fail(WIRE_too_long, "the message is too long", ret_what);
	if (json_too_deep(json, WIRE_DEPTH_MAX)) {
		read_ref_alone(json, &ret_request->ref);
		return fail(WIRE_too_deep, "the message is nested deeper than 32",
			    ret_what);
	}
	/* Integers as reals: a body may hold longer ones than we could, as its text
	 * is passed on and not its value. */
	root = json_loadb(data, len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL |
				  JSON_DECODE_INT_AS_REAL,
			  &error);
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return fail(WIRE_unavailable, "out of memory", ret_what);
	if (!root)
		return fail(WIRE_bad_json, "the message is not JSON", ret_what);
	if (json_is_object(root))
		r = read_object(json, root, ret_request, ret_what);
	else
		r = fail(WIRE_bad_type, "the message must be a JSON object", ret_what);
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
