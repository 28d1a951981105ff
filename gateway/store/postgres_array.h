/*
 * postgres_array - an array as a statement's parameter, in PostgreSQL's binary form.
 *
 * Memory is kept for the next one. When there is none, the array says so at its end, and
 * what is added after that is nothing.
 */
#ifndef POSTGRES_ARRAY_H
#define POSTGRES_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/store/postgres_pq.h"

enum pgarray_type {
	PGARRAY_bigint = 20, /* the oids of the elements */
	PGARRAY_text = 25,
};

/* All zero to begin with. */
struct pgarray {
	char *at;
	size_t len, size;
	uint32_t n;
	bool failed;
};

void pgarray_release(struct pgarray *array);

/* Empty again. */
void pgarray_begin(struct pgarray *array, enum pgarray_type type);
void pgarray_int(struct pgarray *array, int64_t number);
void pgarray_text(struct pgarray *array, struct text text);

/* Of one dimension, counted from 1. Lends until the array changes. -ENOMEM. */
int pgarray_end(struct pgarray *array, struct pgvalue *ret_value);

#endif
