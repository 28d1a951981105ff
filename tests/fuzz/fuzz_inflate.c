/* fuzz_inflate - any bytes are a message within its limit or none, whatever came before;
 * and what we compress is restored. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/deflate.h"

enum {
	MESSAGE_MAX = 5000
};

static int restore(struct inflater *inflater, const uint8_t *data, size_t size,
		   uint8_t out[MESSAGE_MAX])
{
	const uint8_t *got;
	size_t len;
	int r = inflater_run(inflater, data, size, &got, &len);

	CHECK(r == 0 || r == -EMSGSIZE || r == -EBADMSG);
	if (r < 0)
		return r;
	CHECK(len <= MESSAGE_MAX);
	if (len)
		memcpy(out, got, len);
	return (int)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[MESSAGE_MAX], second[MESSAGE_MAX];
	struct inflater *inflater;
	struct deflater *deflater;
	uint8_t *out;
	int r;

	CHECK(inflater_new(MESSAGE_MAX, &inflater) == 0);
	r = restore(inflater, data, size, first);
	CHECK(restore(inflater, data, size, second) == r);
	CHECK(r <= 0 || memcmp(first, second, (size_t)r) == 0);
	if (size && size <= MESSAGE_MAX) {
		CHECK(deflater_new(&deflater) == 0);
		out = malloc(deflater_bound(deflater, size));
		CHECK(out);
		r = restore(inflater, out, deflater_run(deflater, data, size, out),
			    first);
		CHECK(r == (int)size && memcmp(first, data, size) == 0);
		free(out);
		deflater_free(deflater);
	}
	inflater_free(inflater);
	return 0;
}
