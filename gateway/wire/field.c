#include "gateway/wire/field.h"

#include <string.h>

#include "gateway/wire/json_text.h"

_Static_assert((int)ROOM_NAME_MAX == 64 && (int)MESSAGE_ID_MAX == 64 &&
		       (int)USER_NAME_MAX == 64,
	       "one sentence speaks of all");

int field_fail(enum wire_error error, const char *what, const char **ret_what)
{
	*ret_what = what;
	return -(int)error - 1;
}

int field_load(const char *data, size_t len, json_t **ret_root, const char **ret_what)
{
	json_error_t error;
	json_t *root;

	if (len > UINT32_MAX)
		return field_fail(WIRE_too_long, "the message is too long", ret_what);
	if (json_too_deep((struct text){ data, (uint32_t)len }, WIRE_DEPTH_MAX))
		return field_fail(WIRE_too_deep, "the message is nested deeper than 32",
				  ret_what);
	/* Integers as reals: a body may hold longer ones than we could, as its text
	 * is passed on and not its value. */
	root = json_loadb(data, len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL |
				  JSON_DECODE_INT_AS_REAL,
			  &error);
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return field_fail(WIRE_unavailable, "out of memory", ret_what);
	if (!root)
		return field_fail(WIRE_bad_json, "the message is not JSON", ret_what);
	if (!json_is_object(root)) {
		json_decref(root);
		return field_fail(WIRE_bad_type, "the message must be a JSON object",
				  ret_what);
	}
	*ret_root = root;
	return 0;
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

int field_check_name(struct text text, const struct name_words *words,
		     const char **ret_what)
{
	if (text.len > ROOM_NAME_MAX)
		return field_fail(WIRE_too_long, words->length, ret_what);
	if (!text.len)
		return field_fail(WIRE_bad_field, words->empty, ret_what);
	if (has_control(text))
		return field_fail(WIRE_bad_field, words->control, ret_what);
	return 0;
}

int field_name(const json_t *root, const struct name_words *words, struct text *ret_name,
	       const char **ret_what)
{
	const json_t *value = json_object_get(root, words->member);
	struct text name;
	int r;

	if (!value)
		return field_fail(WIRE_bad_field, words->missing, ret_what);
	if (!json_is_string(value))
		return field_fail(WIRE_bad_type, words->type, ret_what);
	if (json_string_length(value) > ROOM_NAME_MAX)
		return field_fail(WIRE_too_long, words->length, ret_what);
	name = (struct text){ json_string_value(value),
			      (uint32_t)json_string_length(value) };
	r = field_check_name(name, words, ret_what);
	if (r == 0)
		*ret_name = name;
	return r;
}

bool field_digits(struct text text, uint64_t *ret_value)
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
