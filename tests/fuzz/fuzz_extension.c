/* fuzz_extension - any list of extensions gets terms that can be met, or none. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/wire/extension.h"

/* Each line is the value of a header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request request;
	struct deflate_terms terms;
	char *text = malloc(size + 1), *line;

	CHECK(text);
	memcpy(text, data, size);
	text[size] = 0;
	request.n_headers = 0;
	for (line = text; line && request.n_headers < HTTP_HEADERS_MAX;) {
		char *end = strchr(line, '\n');

		if (end)
			*end++ = 0;
		request.headers[request.n_headers].name = "Sec-WebSocket-Extensions";
		request.headers[request.n_headers++].value = line;
		line = end;
	}
	if (extension_judge(&request, &terms) == 0 && terms.taken) {
		CHECK(memmem(data, size, "permessage-deflate", 18));
		CHECK(!terms.window_asked ||
		      memmem(data, size, "server_max_window_bits", 22));
		CHECK(strlen(extension_answer(&terms)) < EXTENSION_ANSWER_MAX);
	}
	free(text);
	return 0;
}
