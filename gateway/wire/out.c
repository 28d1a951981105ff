#include "gateway/wire/out.h"

#include <errno.h>
#include <string.h>

struct out out_begin(char *at, size_t size)
{
	struct out out = { .size = size };

	out.at = at;
	return out;
}

void out_bytes(struct out *out, const char *bytes, size_t len)
{
	if (!len)
		return; /* an empty text may lie nowhere */
	if (out->len <= out->size && len <= out->size - out->len) {
		memcpy(out->at + out->len, bytes, len);
		out->len += len;
	} else {
		out->len = out->size + 1;
	}
}

void out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_number(struct out *out, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	out_bytes(out, digits + at, sizeof digits - at);
}

void out_signed(struct out *out, int64_t number)
{
	if (number < 0)
		out_bytes(out, "-", 1);
	out_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static void put_escape(struct out *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char unicode[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	char plain[2] = { '\\', (char)c };

	if (c == '"' || c == '\\')
		out_bytes(out, plain, sizeof plain);
	else
		out_bytes(out, unicode, sizeof unicode);
}

void out_string(struct out *out, struct text text)
{
	uint32_t from = 0;

	out_bytes(out, "\"", 1);
	for (uint32_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		out_bytes(out, text.at + from, i - from);
		put_escape(out, c);
		from = i + 1;
	}
	out_bytes(out, text.at + from, text.len - from);
	out_bytes(out, "\"", 1);
}

void out_c_string(struct out *out, const char *text)
{
	out_string(out, (struct text){ text, (uint32_t)strlen(text) });
}

void out_names(struct out *out, const char *member, const struct text *names, uint32_t n)
{
	out_text(out, member);
	for (uint32_t i = 0; i < n; i++) {
		out_text(out, i ? "," : "");
		out_string(out, names[i]);
	}
	out_text(out, "]");
}

void out_message(struct out *out, const struct message *message)
{
	out_text(out, "\"seq\":");
	out_number(out, message->seq);
	out_text(out, ",\"id\":");
	out_string(out, message->id);
	out_text(out, ",\"from\":");
	out_string(out, message->from);
	out_text(out, ",\"at\":");
	out_signed(out, message->at_ms);
	out_text(out, ",\"body\":");
	out_bytes(out, message->body.at, message->body.len);
}

int out_end(struct out *out, const char *text)
{
	out_text(out, text);
	return out->len > out->size ? -ENOSPC : (int)out->len;
}
