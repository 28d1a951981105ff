/* fuzz_page - whatever is shown on the page stays text, whatever is sent stays in its
 * event, and any Accept is understood. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "healthd/accept.h"
#include "healthd/html.h"
#include "healthd/sse.h"

static void show(const char *text, size_t len)
{
	size_t size = 6 * len; /* "&quot;" is the longest of what a byte becomes */
	char *out = malloc(size + 1);
	struct html html = { .out = out, .size = size };
	struct html small = { .out = out, .size = len / 2 };

	CHECK(out);
	html_text(&small, text);
	html_text(&html, text);
	CHECK(!html.is_full);
	for (size_t i = 0; i < html.len; i++)
		CHECK(!strchr("<>\"'", out[i]) && (unsigned char)out[i] >= 0x20);
	free(out);
}

static void send(const char *data, size_t len)
{
	size_t size = 7 * len + 32, n_blank = 0;
	char *out = malloc(size);
	int n = sse_event(out, size, "live", data, len);

	CHECK(out && n > 0);
	for (int i = 1; i < n; i++) {
		CHECK(out[i] != '\r' && out[i] != '\0');
		n_blank += out[i] == '\n' && out[i - 1] == '\n';
	}
	CHECK(n_blank == 1 && !memcmp(out + n - 2, "\n\n", 2));
	CHECK(sse_event(out, (size_t)n - 1, "live", data, len) < 0);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request request = { .n_headers = 1 };
	char *text = malloc(size + 1);
	double q;

	CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	request.headers[0] = (struct http_header){ "accept", text };
	q = accept_quality(&request, "text/html", NULL);
	CHECK(q >= -1);
	show(text, strlen(text));
	send(text, size);
	free(text);
	return 0;
}
