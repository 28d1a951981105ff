#include "gateway/wire/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/check.h"
#include "gateway/wire/extension.h"

enum {
	LEVEL = 6,
	MEM_LEVEL = 8,
	INFLATE_WINDOW_BITS = 15, /* we limit no client */
	OUT_FIRST = 4096,
	OUT_KEPT = 65536, /* of the inflater's memory, after a message that needed more */
	AT_BLOCK = 128    /* in data_type: between two blocks */
};

/* What a flush ends with; it is not sent. */
static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };

/* ---- compressing ------------------------------------------------------------------ */

struct deflater {
	z_stream z;
};

int deflater_new(struct deflater **ret_deflater)
{
	struct deflater *deflater = calloc(1, sizeof *deflater);

	if (!deflater)
		return -ENOMEM;
	if (deflateInit2(&deflater->z, LEVEL, Z_DEFLATED, -DEFLATE_WINDOW_BITS, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(deflater);
		return -ENOMEM;
	}
	*ret_deflater = deflater;
	return 0;
}

void deflater_free(struct deflater *deflater)
{
	if (!deflater)
		return;
	(void)deflateEnd(&deflater->z); /* says only that it was not at an end */
	free(deflater);
}

size_t deflater_bound(struct deflater *deflater, size_t len)
{
	/* More, since a flush that ends where the place does is made twice. */
	return deflateBound(&deflater->z, len) + 2 * sizeof tail + 8;
}

size_t deflater_run(struct deflater *deflater, const void *data, size_t len, uint8_t *out)
{
	z_stream *z = &deflater->z;
	size_t size = deflater_bound(deflater, len);

	CHECK(len && size <= INT32_MAX);
	CHECK(deflateReset(z) == Z_OK);
	/* zlib does not write to what it reads. */
	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	z->next_out = out;
	z->avail_out = (uInt)size;
	CHECK(deflate(z, Z_SYNC_FLUSH) == Z_OK && !z->avail_in && z->avail_out);
	return size - z->avail_out - sizeof tail;
}

/* ---- restoring -------------------------------------------------------------------- */

struct inflater {
	z_stream z;
	size_t max;
	uint8_t *out;
	size_t size;
};

int inflater_new(size_t max, struct inflater **ret_inflater)
{
	struct inflater *inflater = calloc(1, sizeof *inflater);

	CHECK(max <= INT32_MAX - 1);
	if (!inflater)
		return -ENOMEM;
	inflater->max = max;
	if (inflateInit2(&inflater->z, -INFLATE_WINDOW_BITS) != Z_OK) {
		free(inflater);
		return -ENOMEM;
	}
	*ret_inflater = inflater;
	return 0;
}

void inflater_free(struct inflater *inflater)
{
	if (!inflater)
		return;
	(void)inflateEnd(&inflater->z); /* fails only for what was never begun */
	free(inflater->out);
	free(inflater);
}

/* There is place for at least one byte more, up to one beyond the most. */
static int make_place(struct inflater *inflater, size_t used)
{
	size_t size = inflater->size ? 2 * inflater->size : OUT_FIRST;
	uint8_t *out;

	if (used < inflater->size)
		return 0;
	if (used > inflater->max)
		return -EMSGSIZE;
	if (size > inflater->max + 1)
		size = inflater->max + 1;
	out = realloc(inflater->out, size);
	if (!out)
		return -ENOMEM;
	inflater->out = out;
	inflater->size = size;
	return 0;
}

/* Takes all of data; *used of the output grows. */
static int feed(struct inflater *inflater, const uint8_t *data, size_t len, size_t *used)
{
	z_stream *z = &inflater->z;
	int r = Z_OK;

	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	do {
		int e = make_place(inflater, *used);

		if (e < 0)
			return e;
		/* A sender may end a stream within a message, and begin another. */
		if (r == Z_STREAM_END)
			CHECK(inflateReset(z) == Z_OK);
		z->next_out = inflater->out + *used;
		z->avail_out = (uInt)(inflater->size - *used);
		r = inflate(z, Z_SYNC_FLUSH);
		*used = inflater->size - z->avail_out;
		if (r == Z_MEM_ERROR)
			return -ENOMEM;
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			return -EBADMSG;
	} while (z->avail_in || z->avail_out == 0);
	if (r == Z_STREAM_END)
		CHECK(inflateReset(z) == Z_OK);
	return *used > inflater->max ? -EMSGSIZE : 0;
}

/* Memory for a message that was larger than most is not kept. */
static void give_back(struct inflater *inflater)
{
	if (inflater->size <= OUT_KEPT)
		return;
	free(inflater->out);
	inflater->out = NULL;
	inflater->size = 0;
}

int inflater_run(struct inflater *inflater, const uint8_t *data, size_t len,
		 const uint8_t **ret_data, size_t *ret_len)
{
	size_t used = 0;
	int r;

	CHECK(len <= INT32_MAX);
	give_back(inflater);
	CHECK(inflateReset(&inflater->z) == Z_OK);
	r = feed(inflater, data, len, &used);
	if (r == 0)
		r = feed(inflater, tail, sizeof tail, &used);
	if (r < 0)
		return r;
	/* What ends within a block has lost its end. */
	if (!(inflater->z.data_type & AT_BLOCK))
		return -EBADMSG;
	*ret_data = inflater->out;
	*ret_len = used;
	return 0;
}
