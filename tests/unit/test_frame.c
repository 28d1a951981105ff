/* test_frame - RFC 6455 framing, each rule at every split of the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/frame.h"

enum {
	MANY = 70000 /* room for the longest vector and its transcript */
};

/* ---- vectors ---------------------------------------------------------------------- */

struct bytes {
	uint8_t at[MANY * 2];
	size_t len;
};

static void put(struct bytes *bytes, uint8_t byte)
{
	assert_true(bytes->len < sizeof(bytes->at));
	bytes->at[bytes->len++] = byte;
}

/* One masked frame with the shortest header. */
static void put_frame(struct bytes *bytes, unsigned first, const uint8_t *payload,
		      size_t len)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t head[FRAME_HEAD_MAX];
	unsigned head_len = frame_head(head, FRAME_TEXT, len);

	put(bytes, (uint8_t)first);
	put(bytes, head[1] | 0x80);
	for (unsigned i = 2; i < head_len; i++)
		put(bytes, head[i]);
	for (unsigned i = 0; i < 4; i++)
		put(bytes, mask[i]);
	for (size_t i = 0; i < len; i++)
		put(bytes, payload[i] ^ mask[i & 3]);
}

static unsigned hex(const char *at)
{
	unsigned value = 0;

	assert_int_equal(sscanf(at, "%2x", &value), 1);
	return value;
}

/* Payload of a word: `%xx` is a byte, `*n` as a whole n times 'a', `_` a blank. */
static size_t read_payload(const char *word, size_t len, uint8_t *out)
{
	size_t n = 0;

	if (len && *word == '*') {
		n = strtoul(word + 1, NULL, 10);
		memset(out, 'a', n);
		return n;
	}
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '%') {
			out[n++] = (uint8_t)hex(word + i + 1);
			i += 2;
		} else {
			out[n++] = word[i] == '_' ? ' ' : (uint8_t)word[i];
		}
	}
	return n;
}

/* Words parted by blanks: `t:payload` is a text frame, `b` binary, `c` continuation,
 * `x` close, `p` ping, `o` pong; `t-:` is one without FIN; `h:hex` raw bytes. */
static void build(const char *spec, struct bytes *bytes)
{
	static const char kinds[] = "ctb     xpo"; /* a kind's place is its opcode */
	static uint8_t payload[MANY];

	bytes->len = 0;
	while (*spec) {
		size_t len = strcspn(spec, " ");
		const char *colon = memchr(spec, ':', len);

		assert_non_null(colon);
		if (*spec == 'h') {
			for (const char *at = colon + 1; at < spec + len; at += 2)
				put(bytes, (uint8_t)hex(at));
		} else {
			unsigned opcode = (unsigned)(strchr(kinds, *spec) - kinds);
			size_t n = read_payload(
				colon + 1, (size_t)(spec + len - colon - 1), payload);

			put_frame(bytes, (spec[1] == '-' ? 0 : 0x80) | opcode, payload,
				  n);
		}
		spec += len;
		spec += strspn(spec, " ");
	}
}

/* ---- transcripts ------------------------------------------------------------------ */

struct transcript {
	char text[1024];
	size_t len;
};

/* Long payloads are all 'a' and told by their length. */
static void note(struct transcript *transcript, const char *what, unsigned code,
		 const uint8_t *data, size_t len)
{
	size_t room = sizeof(transcript->text) - transcript->len;
	char *out = transcript->text + transcript->len;
	int n;

	for (size_t i = 0; len > 40 && i < len; i++)
		assert_int_equal(data[i], 'a');
	if (len > 40)
		n = snprintf(out, room, "%s #%zu; ", what, len);
	else if (code)
		n = snprintf(out, room, "%s %u%s%.*s; ", what, code, len ? " " : "",
			     (int)len, (const char *)data);
	else
		n = snprintf(out, room, "%s %.*s; ", what, (int)len, (const char *)data);
	assert_true(n > 0 && (size_t)n < room);
	transcript->len += (size_t)n;
}

/* Feeds one piece, from a heap block of its own so that ASan sees its bounds. */
static void feed(struct frame_reader *reader, size_t max, const uint8_t *data, size_t len,
		 struct transcript *transcript)
{
	static const char *const names[] = { [FRAME_MESSAGE] = "binary",
					     [FRAME_GOT_PING] = "ping",
					     [FRAME_GOT_PONG] = "pong",
					     [FRAME_GOT_CLOSE] = "close" };
	uint8_t *piece = malloc(len + 1);
	size_t at = 0, used;
	struct frame_in in;

	assert_non_null(piece);
	memcpy(piece, data, len);
	do {
		frame_read(reader, max, piece + at, len - at, &used, &in);
		assert_true(used <= len - at);
		at += used;
		if (in.event == FRAME_BREACH)
			note(transcript, "breach", in.code, (const uint8_t *)in.reason,
			     strlen(in.reason));
		else if (in.event != FRAME_MORE)
			note(transcript, in.text ? "text" : names[in.event], in.code,
			     in.data, in.len);
	} while (in.event != FRAME_MORE);
	assert_int_equal(at, len);
	free(piece);
}

/* The events of these bytes in pieces: one of `first`, then of `step` each. */
static void transcribe(const struct bytes *bytes, size_t max, size_t first, size_t step,
		       struct transcript *ret)
{
	struct frame_reader reader = { .kept = NULL };

	ret->len = 0;
	ret->text[0] = '\0';
	feed(&reader, max, bytes->at, first, ret);
	for (size_t at = first; at < bytes->len; at += step)
		feed(&reader, max, bytes->at + at,
		     step < bytes->len - at ? step : bytes->len - at, ret);
	frame_reader_release(&reader);
}

struct row {
	const char *spec, *events;
	size_t max; /* message_max; 0: 256 */
};

/* Each row gives its events whole, bytewise, and in pieces of many sizes from every
 * place on (long ones: in two pieces, cut near their ends). */
static void check_rows(const struct row *rows, size_t n)
{
	static struct bytes bytes;
	struct transcript got;

	for (size_t i = 0; i < n; i++) {
		size_t max = rows[i].max ? rows[i].max : 256;
		size_t least, most;

		build(rows[i].spec, &bytes);
		least = bytes.len > 400 ? bytes.len : 1;
		most = bytes.len > 400 ? bytes.len : 39;
		transcribe(&bytes, max, 0, 1, &got);
		assert_string_equal(got.text, rows[i].events);
		for (size_t first = 0; first <= bytes.len; first++) {
			if (first > 20 && bytes.len - first > 20 && bytes.len > 400)
				continue;
			for (size_t step = least; step <= most; step++) {
				transcribe(&bytes, max, first, step, &got);
				assert_string_equal(got.text, rows[i].events);
			}
		}
	}
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- reading ---------------------------------------------------------------------- */

static void reads_messages_whole_and_in_fragments(void **state)
{
	static const struct row rows[] = {
		{ "t:Hello", "text Hello; " },
		{ "t:", "text ; " },
		{ "b:%01%ff b:", "binary \x01\xff; binary ; " },
		{ "t:one t:two b:three", "text one; text two; binary three; " },
		{ "t-:Hel c:lo", "text Hello; " },
		{ "t-: c-: c:", "text ; " },
		{ "t-: c:x", "text x; " },
		{ "t-:x c:", "text x; " },
		{ "t-:a c-:b c-:c c:d t:e", "text abcd; text e; " },
		{ "t:*125 t:*126", "text #125; text #126; " },
		{ "b:*65535 b:*65536", "binary #65535; binary #65536; ", 65536 },
		{ "b-:*40000 p:hi c:*25000", "ping hi; binary #65000; ", 65536 },
	};

	CHECK_ROWS(rows);
}

static void reads_control_frames_between_and_within_messages(void **state)
{
	static const struct row rows[] = {
		{ "p:", "ping ; " },
		{ "p:ask o:answer", "ping ask; pong answer; " },
		{ "p:*125", "ping #125; " },
		{ "t-:Hel p:now o: c:lo", "ping now; pong ; text Hello; " },
		{ "t-:Hel p:1 c-:lo p:2 c:! p:3",
		  "ping 1; ping 2; text Hello!; ping 3; " },
		{ "t-: p:*100 c:*256", "ping #100; text #256; " },
		{ "t-:%e2%82 p:%e2 c:%ac", "ping \xe2; text \xe2\x82\xac; " },
	};

	CHECK_ROWS(rows);
}

static void closes_with_the_peers_code_and_reads_no_more(void **state)
{
	static const struct row rows[] = {
		{ "x:", "close 1005; " },
		{ "x:%03%e8", "close 1000; " },
		{ "x:%03%e9bye t:late", "close 1001 bye; " },
		{ "x:%0f%a0gr%c3%bc%c3%9fe h:ffff", "close 4000 gr\xc3\xbc\xc3\x9f"
						    "e; " },
		{ "t-:Hel x:%0b%b8 c:lo", "close 3000; " },
		{ "x:a t:late", "breach 1002 close payload of one byte; " },
		{ "x:%03%ed", "breach 1002 invalid close code; " },
		{ "x:%00%00", "breach 1002 invalid close code; " },
		{ "x:%03%e8%ff", "breach 1007 close reason is not UTF-8; " },
		{ "x:%03%e8%e2%82", "breach 1007 close reason is not UTF-8; " },
	};

	CHECK_ROWS(rows);
}

static void refuses_breaches_of_the_protocol(void **state)
{
	static const struct row rows[] = {
		{ "h:8105 h:48656c6c6f", "breach 1002 frame without a mask; " },
		{ "h:c180", "breach 1002 reserved bit set; " },
		{ "h:9180", "breach 1002 reserved bit set; " },
		{ "h:8380", "breach 1002 reserved opcode; " },
		{ "h:8780 h:8b80", "breach 1002 reserved opcode; " },
		{ "h:8f80", "breach 1002 reserved opcode; " },
		{ "c:x", "breach 1002 continuation of nothing; " },
		{ "t:x c:y", "text x; breach 1002 continuation of nothing; " },
		{ "t-:x t:y", "breach 1002 new message within a message; " },
		{ "t-: b:", "breach 1002 new message within a message; " },
		{ "p-:x", "breach 1002 fragmented control frame; " },
		{ "x-:", "breach 1002 fragmented control frame; " },
		{ "p:*126", "breach 1002 long control frame; " },
		{ "h:89ff", "breach 1002 long control frame; " },
		{ "h:81fe007d00000000", "breach 1002 length not in its shortest form; " },
		{ "h:81ff000000000000ffff00000000",
		  "breach 1002 length not in its shortest form; " },
		{ "h:81ff800000000001000000000000",
		  "breach 1002 length not in its shortest form; " },
	};

	CHECK_ROWS(rows);
}

static void judges_text_as_early_as_it_can(void **state)
{
	static const struct row rows[] = {
		{ "t:%ce%ba%cf%8c", "text \xce\xba\xcf\x8c; " },
		{ "t-:%f0%9f c-:%8e c:%89", "text \xf0\x9f\x8e\x89; " },
		{ "b:%ff%fe", "binary \xff\xfe; " },
		{ "t:%ff p:x", "breach 1007 text is not UTF-8; " },
		{ "t-:%e2%82 c:x", "breach 1007 text is not UTF-8; " },
		{ "t:%e2%82", "breach 1007 text ends within a character; " },
		{ "t-:%e2%82 c:", "breach 1007 text ends within a character; " },
		{ "t:%e2%82%ac t:%82",
		  "text \xe2\x82\xac; breach 1007 text is not UTF-8; " },
		/* The frame announces 200 bytes; the third of the four here is wrong. */
		{ "h:81fe00c800000000 h:6162ff63", "breach 1007 text is not UTF-8; " },
		{ "t-:%f4 c-:%90", "breach 1007 text is not UTF-8; " },
	};

	CHECK_ROWS(rows);
}

static void refuses_too_much_when_it_is_announced(void **state)
{
	static const struct row rows[] = {
		{ "t:*64", "text #64; ", 64 },
		{ "h:81c1 h:00000000", "breach 1009 message too big; ", 64 },
		{ "t-:*60 c:*4", "text #64; ", 64 },
		{ "t-:*60 p:*125 h:80850000 h:0000",
		  "ping #125; breach 1009 message too big; ", 64 },
		{ "h:81ff7fffffffffffffff h:00000000", "breach 1009 message too big; " },
		{ "t-:*200 h:80ff7fffffffffffffff h:00000000",
		  "breach 1009 message too big; " },
	};

	CHECK_ROWS(rows);
}

static void lends_a_whole_message_from_the_input(void **state)
{
	struct frame_reader reader = { .kept = NULL };
	static struct bytes bytes;
	struct frame_in in;
	size_t used;

	build("t:Hello t:World", &bytes);
	frame_read(&reader, 256, bytes.at, bytes.len, &used, &in);
	assert_int_equal(in.event, FRAME_MESSAGE);
	assert_ptr_equal(in.data, bytes.at + 6);
	assert_int_equal(used, 11);
	assert_null(reader.kept);
	frame_reader_release(&reader);
}

static void keeps_memory_only_while_something_is_unfinished(void **state)
{
	struct frame_reader reader = { .kept = NULL };
	static struct bytes bytes;
	struct transcript got = { .len = 0 };

	assert_true(sizeof(reader) <= 48);
	build("t-:*3000 c:a", &bytes);
	feed(&reader, 65536, bytes.at, 4, &got);
	assert_null(reader.kept);
	feed(&reader, 65536, bytes.at + 4, 1000, &got);
	assert_true(reader.kept_size < 2048);
	feed(&reader, 65536, bytes.at + 1004, 2006, &got);
	assert_non_null(reader.kept);
	feed(&reader, 65536, bytes.at + 3010, bytes.len - 3010, &got);
	assert_string_equal(got.text, "text #3001; ");
	assert_int_equal(reader.n_frames, 2);
	assert_null(reader.kept);
	frame_reader_release(&reader);
}

static void never_keeps_more_than_a_message_and_a_control_frame(void **state)
{
	struct frame_reader reader = { .kept = NULL };
	static struct bytes bytes;
	struct transcript got = { .len = 0 };

	build("t-:*1000 p:*125", &bytes);
	for (size_t i = 0; i + 1 < bytes.len; i++) {
		feed(&reader, 1000, bytes.at + i, 1, &got);
		assert_true(reader.kept_size <= 1000 + 125);
	}
	assert_int_equal(reader.kept_len, 1000);
	frame_reader_release(&reader);
	assert_null(reader.kept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_messages_whole_and_in_fragments),
		cmocka_unit_test(reads_control_frames_between_and_within_messages),
		cmocka_unit_test(closes_with_the_peers_code_and_reads_no_more),
		cmocka_unit_test(refuses_breaches_of_the_protocol),
		cmocka_unit_test(judges_text_as_early_as_it_can),
		cmocka_unit_test(refuses_too_much_when_it_is_announced),
		cmocka_unit_test(lends_a_whole_message_from_the_input),
		cmocka_unit_test(keeps_memory_only_while_something_is_unfinished),
		cmocka_unit_test(never_keeps_more_than_a_message_and_a_control_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
