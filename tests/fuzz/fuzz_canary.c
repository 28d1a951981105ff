/* fuzz_canary - whatever a gateway says, the canary reads it within its bounds. */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "healthd/canary_wire.h"

static void check(const struct canary_reader *reader, const struct canary_in *in)
{
	char code[CANARY_CODE_SIZE];

	CHECK(reader->used <= reader->len && reader->len <= CANARY_ITEM_MAX);
	CHECK(in->worker >= -1 && in->worker < 64);
	CHECK((in->heard == CANARY_BREACH) == (in->why != NULL));
	if (in->heard != CANARY_TEXT && in->heard != CANARY_PING)
		return;
	CHECK(in->data >= reader->bytes &&
	      in->data + in->len <= reader->bytes + reader->len);
	(void)canary_understand(in->data, in->len, "r", "i", code);
	for (const char *at = code; *at; at++)
		CHECK(*at == '_' || (*at >= '0' && *at <= '9') ||
		      (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct canary_reader reader;
	struct canary_in in = { .heard = CANARY_MORE };
	size_t step = size ? 1 + *data % 64 : 1;

	memset(&reader, 0, sizeof reader);
	reader.upgraded = size && *data & 128;
	for (size_t i = size > 0; i < size && in.heard != CANARY_BREACH;) {
		uint8_t *at;
		size_t n = canary_space(&reader, &at);

		CHECK(n > 0);
		n = n < step ? n : step;
		n = n < size - i ? n : size - i;
		memcpy(at, data + i, n);
		canary_added(&reader, n);
		i += n;
		do {
			canary_next(&reader, &in);
			check(&reader, &in);
		} while (in.heard != CANARY_MORE && in.heard != CANARY_BREACH &&
			 in.heard != CANARY_TLS);
		if (in.heard == CANARY_TLS)
			break;
	}
	return 0;
}
