/*
 * fields - numbers of a struct as JSON and back, by one table for both ways.
 *
 *	#define OF struct seat
 *	static const struct field of_seat[] = { FIELD(restarts, FIELD_ANY), ... };
 *
 * A field is one number or an array of them, of 1, 2, 4 or 8 bytes, and has bounds, which
 * only reading asks for: it believes nothing.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct field {
	const char *name;
	size_t offset, size, count; /* more than one: an array */
	int64_t min, max;
};

/* For `OF`, the struct; followed by the bounds. */
#define FIELD(field, ...)                                                           \
	{                                                                           \
#field, offsetof(OF, field), sizeof((OF *)0)->field, 1, __VA_ARGS__ \
	}
#define FIELDS(field, ...)                                                             \
	{                                                                              \
#field, offsetof(OF, field),                                           \
			sizeof((OF *)0)->field[0], sizeof((OF *)0)->field /            \
							   sizeof((OF *)0)             \
								   ->field[0],         \
									   __VA_ARGS__ \
	}
#define FIELDS_OF(table) (sizeof(table) / sizeof *(table))

/* Bounds. */
#define FIELD_ANY  0, INT64_MAX
#define FIELD_FLAG 0, 1

/* The same array with no more than its first `count`. */
struct field field_first(const struct field *field, size_t count);

/* Puts them into an object. Where memory fails something is missing in it, which reading
 * tells. */
void fields_put(json_t *object, const struct field *fields, size_t n, const void *from);
void fields_put_list(json_t *object, const struct field *field, const void *from);

/* Takes them from an object, which may be NULL or none. NULL, or the name of the first
 * that is not as it must be; what was taken until then stays. */
const char *fields_get(const json_t *object, const struct field *fields, size_t n,
		       void *to);
const char *fields_get_list(const json_t *object, const struct field *field, void *to);

#endif
