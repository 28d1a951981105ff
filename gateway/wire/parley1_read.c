#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "gateway/wire/codec.h"

enum {
	REF_TEXT_MAX = 66, /* 64 and two quotes */
};
_Static_assert((int)REF_TEXT_MAX < (int)REF_MAX, "ref.text is terminated");
_Static_assert((int)ROOM_NAME_MAX == 64 && (int)MESSAGE_ID_MAX == 64,
	       "one sentence speaks of both");

/* What each operation must carry. */
static const struct {
	const char *name;
	bool room, id, body;
} ops[OP_COUNT] = {
	[OP_join] = { "join", .room = true },
	[OP_leave] = { "leave", .room = true },
	[OP_send] = { "send", .room = true, .id = true, .body = true },
	[OP_ping] = { "ping" },
};

static int fail(enum wire_error error, const char *what, const char **ret_what)
{
	*ret_what = what;
	return -(int)error - 1;
}

/* ---- the text itself ------------------------------------------------------------ */
/* These walk JSON that may be nonsense: they stay within it and judge nothing. */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* From a quote to behind the quote that ends the string. */
static size_t skip_string(struct text json, size_t at)
{
	for (at++; at < json.len; at++) {
		if (json.at[at] == '\\')
			at++;
		else if (json.at[at] == '"')
			return at + 1;
	}
	return json.len;
}

static size_t skip_blanks(struct text json, size_t at)
{
	while (at < json.len && is_blank(json.at[at]))
		at++;
	return at;
}

static bool is_too_deep(struct text json)
{
	unsigned depth = 0;

	for (size_t at = 0; at < json.len; at++) {
		switch (json.at[at]) {
		case '"': at = skip_string(json, at) - 1; break;
		case '[':
		case '{':
			if (++depth > WIRE_DEPTH_MAX)
				return true;
			break;
		case ']':
		case '}': depth -= depth > 0; break;
		}
	}
	return false;
}

/* The value that begins here, without the blanks around it; *ret_next: behind it. */
static struct text value_at(struct text json, size_t at, size_t *ret_next)
{
	unsigned depth = 0;
	size_t from = at = skip_blanks(json, at);
	bool ended = false;

	while (at < json.len && !ended) {
		char c = json.at[at];

		if (c == '"') {
			at = skip_string(json, at);
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		ended = depth == 0 && (c == ',' || c == ']' || c == '}');
		if (c == ']' || c == '}')
			depth -= depth > 0;
		at += !ended;
	}
	*ret_next = at;
	while (at > from && is_blank(json.at[at - 1]))
		at--;
	return (struct text){ json.at + from, (uint32_t)(at - from) };
}

/* The value of the object's member `name`, as it is written; length 0 for none. */
static struct text member_text(struct text json, const char *name)
{
	size_t at = skip_blanks(json, 0) + 1; /* behind the brace */
	size_t name_len = strlen(name);

	for (;;) {
		size_t key, end;
		struct text value;

		key = skip_blanks(json, at);
		if (key >= json.len || json.at[key] != '"')
			return (struct text){ json.at, 0 };
		end = skip_string(json, key);
		at = skip_blanks(json, end) + 1; /* behind the colon */
		if (at > json.len)
			return (struct text){ json.at, 0 };
		value = value_at(json, at, &at);
		if (end - key == name_len + 2 &&
		    memcmp(json.at + key + 1, name, name_len) == 0)
			return value;
		at++; /* behind the comma */
	}
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
	struct text text = member_text(json, "ref");
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

/* ---- the whole ------------------------------------------------------------------ */

static int read_object(struct text json, const json_t *root, struct request *request,
		       const char **ret_what)
{
	struct text ref = member_text(json, "ref");
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
		request->body = member_text(json, "body");
		if (!request->body.len)
			r = fail(WIRE_bad_field, "body is missing", ret_what);
	}
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
	if (is_too_deep(json)) {
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
