/*
 * field - the members of what clients and backends send as JSON, read strictly.
 *
 * What is wrong is a negative -(enum wire_error) - 1, with *ret_what saying in words
 * what, and which member it is (static).
 */
#ifndef FIELD_H
#define FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/message.h"
#include "gateway/wire/codec.h"

int field_fail(enum wire_error error, const char *what, const char **ret_what);

/* The object that is written there, for json_decref. Numbers are reals in it: their text
 * is what counts, see json_text.h. */
int field_load(const char *data, size_t len, json_t **ret_root, const char **ret_what);

/* What is said of a name that is none. */
struct name_words {
	const char *member, *missing, *type, *empty, *length, *control;
};
#define NAME_WORDS(name)                                                                \
	{                                                                               \
		name, name " is missing", name " must be a string", name " is empty",   \
			name " is longer than 64 bytes", name " has control characters" \
	}

/* Whether the text, which is valid UTF-8, is a name of a room, a user or a message. */
int field_check_name(struct text text, const struct name_words *words,
		     const char **ret_what);

/* The member that is a name; lent as long as the object is. */
int field_name(const json_t *root, const struct name_words *words, struct text *ret_name,
	       const char **ret_what);

/* Digits only: what is not, or beyond 2^63, is no number here. */
bool field_digits(struct text text, uint64_t *ret_value);

#endif
