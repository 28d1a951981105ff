#include "gateway/wire/json_text.h"

#include <string.h>

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

bool json_too_deep(struct text json, unsigned depth_max)
{
	unsigned depth = 0;

	for (size_t at = 0; at < json.len; at++) {
		switch (json.at[at]) {
		case '"': at = skip_string(json, at) - 1; break;
		case '[':
		case '{':
			if (++depth > depth_max)
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

struct text json_member(struct text json, const char *name)
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
