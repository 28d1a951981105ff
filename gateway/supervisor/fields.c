#include "gateway/supervisor/fields.h"

#include <string.h>

#include "common/check.h"

struct field field_first(const struct field *field, size_t count)
{
	struct field f = *field;

	CHECK(count <= f.count);
	f.count = count;
	return f;
}

/* ---- there ---- */

static int64_t load(const struct field *f, const char *at)
{
	int64_t eight;
	int32_t four;
	uint16_t two;

	switch (f->size) {
	case 1: return *at;
	case 2: return memcpy(&two, at, 2), two;
	case 4: return memcpy(&four, at, 4), four;
	default: return memcpy(&eight, at, 8), eight;
	}
}

void fields_put_list(json_t *object, const struct field *f, const void *from)
{
	const char *at = (const char *)from + f->offset;
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++)
		(void)json_array_append_new(list,
					    json_integer(load(f, at + i * f->size)));
	(void)json_object_set_new(object, f->name, list);
}

void fields_put(json_t *object, const struct field *fields, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++) {
		const struct field *f = &fields[i];

		if (f->count > 1)
			fields_put_list(object, f, from);
		else
			(void)json_object_set_new(
				object, f->name,
				json_integer(load(f, (const char *)from + f->offset)));
	}
}

/* ---- and back ---- */

static void store(const struct field *f, char *at, int64_t value)
{
	int32_t four = (int32_t)value;
	uint16_t two = (uint16_t)value;

	switch (f->size) {
	case 1: *at = (char)value; break;
	case 2: memcpy(at, &two, 2); break;
	case 4: memcpy(at, &four, 4); break;
	default: memcpy(at, &value, 8); break;
	}
}

static const char *get_one(const json_t *number, const struct field *f, char *at)
{
	int64_t value = json_integer_value(number);

	if (!json_is_integer(number) || value < f->min || value > f->max)
		return f->name;
	store(f, at, value);
	return NULL;
}

const char *fields_get_list(const json_t *object, const struct field *f, void *to)
{
	const json_t *list = json_object_get(object, f->name);
	char *at = (char *)to + f->offset;
	const char *bad = json_is_array(list) && json_array_size(list) == f->count
				  ? NULL
				  : f->name;

	for (size_t i = 0; i < f->count && !bad; i++)
		bad = get_one(json_array_get(list, i), f, at + i * f->size);
	return bad;
}

const char *fields_get(const json_t *object, const struct field *fields, size_t n,
		       void *to)
{
	const char *bad = NULL;

	for (size_t i = 0; i < n && !bad; i++) {
		const struct field *f = &fields[i];

		bad = f->count > 1 ? fields_get_list(object, f, to)
				   : get_one(json_object_get(object, f->name), f,
					     (char *)to + f->offset);
	}
	return bad;
}
