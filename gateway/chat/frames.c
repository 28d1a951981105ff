#include "gateway/chat/frames.h"

size_t frame_length(const uint8_t *frame)
{
	unsigned n = frame[1] < 126 ? 0 : frame[1] == 126 ? 2 : 8;
	size_t len = n ? 0 : frame[1];

	for (unsigned i = 0; i < n; i++)
		len = len << 8 | frame[2 + i];
	return 2 + n + len;
}

size_t frames_run(const uint8_t *data, size_t len, size_t max, uint32_t *ret_n)
{
	size_t run = frame_length(data);

	*ret_n = 1;
	while (run < len) {
		size_t next = frame_length(data + run);

		if (run + next > max)
			break;
		run += next;
		++*ret_n;
	}
	return run;
}
