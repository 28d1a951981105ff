#include "gateway/store/postgres_array.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	LENGTH_AT = 12, /* where the length stands in it */
	KEEP = 1 << 20, /* more than this is not kept for the next one */
	SIZE_MIN = 4096,
};

void pgarray_release(struct pgarray *array)
{
	free(array->at);
	*array = (struct pgarray){ 0 };
}

static void put(struct pgarray *array, const void *data, size_t len)
{
	if (array->failed)
		return;
	if (len > array->size - array->len) {
		size_t size = array->size ? array->size : SIZE_MIN;
		char *at;

		while (size < array->len + len)
			size *= 2;
		at = size > INT_MAX ? NULL : realloc(array->at, size);
		if (!at) {
			array->failed = true;
			return;
		}
		array->at = at;
		array->size = size;
	}
	memcpy(array->at + array->len, data, len);
	array->len += len;
}

static void put_32(struct pgarray *array, uint32_t number)
{
	uint32_t big = htobe32(number);

	put(array, &big, sizeof big);
}

void pgarray_begin(struct pgarray *array, enum pgarray_type type)
{
	if (array->size > KEEP)
		pgarray_release(array);
	array->len = 0;
	array->n = 0;
	array->failed = false;
	put_32(array, 1); /* dimension */
	put_32(array, 0); /* has no null */
	put_32(array, type);
	put_32(array, 0); /* the length, in the end */
	put_32(array, 1); /* the first has this index */
}

void pgarray_int(struct pgarray *array, int64_t number)
{
	uint64_t big = htobe64((uint64_t)number);

	put_32(array, sizeof big);
	put(array, &big, sizeof big);
	array->n++;
}

void pgarray_text(struct pgarray *array, struct text text)
{
	put_32(array, text.len);
	put(array, text.at, text.len);
	array->n++;
}

int pgarray_end(struct pgarray *array, struct pgvalue *ret_value)
{
	uint32_t n = htobe32(array->n);

	if (array->failed)
		return -ENOMEM;
	memcpy(array->at + LENGTH_AT, &n, sizeof n);
	*ret_value = (struct pgvalue){ array->at, (int)array->len };
	return 0;
}
