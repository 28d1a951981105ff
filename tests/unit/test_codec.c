/* parley.v1: what is read, what is refused and how, and how events are spelt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/wire/codec.h"

static struct request request;
static const char *what;

static int reads(const char *json)
{
	return request_read(json, strlen(json), &request, &what);
}

static void assert_text(struct text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.at, expected, text.len);
}

/* Refused with this error, echoing this ref. */
static void refuses(const char *json, enum wire_error error, const char *ref)
{
	int r = reads(json);

	if (r != -(int)error - 1)
		print_message("%.80s: %d\n", json, r);
	assert_int_equal(r, -(int)error - 1);
	assert_non_null(what);
	assert_string_equal(request.ref.text, ref);
}

static void a_send_is_read(void **state)
{
	assert_int_equal(
		reads(" { \"op\" : \"send\",\"room\":\"lo\\u0062by\", \"id\":\"c1\","
		      "\"ref\":2 ,\"body\" : {\"a\": [1, 0.1, \"}\"]} } "),
		0);
	assert_int_equal(request.op, OP_send);
	assert_text(request.room, "lobby");
	assert_text(request.id, "c1");
	assert_string_equal(request.ref.text, "2");
	assert_text(request.body, "{\"a\": [1, 0.1, \"}\"]}");
	request_release(&request);
}

static void each_op_is_read(void **state)
{
	static const struct {
		const char *json;
		enum op op;
	} cases[] = {
		{ "{\"op\":\"join\",\"room\":\"a\"}", OP_join },
		{ "{\"room\":\"a\",\"op\":\"leave\"}", OP_leave },
		{ "{\"op\":\"send\",\"room\":\"a\",\"id\":\"b\",\"body\":null}",
		  OP_send },
		{ "{\"op\":\"ping\"}", OP_ping },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(reads(cases[i].json), 0);
		assert_int_equal(request.op, cases[i].op);
		request_release(&request);
	}
}

/* A body is nobody's business: its text comes out as it went in. */
static void a_body_is_passed_on_byte_for_byte(void **state)
{
	static const char *const bodies[] = {
		"1.0",
		"-0",
		"0.1",
		"1e5",
		"123456789012345678901234567890",
		"\"\\u00e9\\u0000\"",
		"[ ]",
		"{\"body\":1}",
		"\"a,b}\\\"]\"",
		"true",
		"[[],{}]",
		"\"é\\\\\"",
	};
	char json[256];

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		snprintf(json, sizeof json,
			 "{\"x\":{\"body\":0},\"body\": %s "
			 ",\"op\":\"send\",\"room\":\"r\","
			 "\"id\":\"body\"}",
			 bodies[i]);
		assert_int_equal(reads(json), 0);
		assert_text(request.body, bodies[i]);
		request_release(&request);
	}
}

static void members_it_does_not_know_are_passed_over(void **state)
{
	assert_int_equal(reads("{\"op\":\"ping\",\"room\":7,\"since\":[1],\"\":null}"),
			 0);
	request_release(&request);
}

static void a_ref_is_echoed_as_written(void **state)
{
	static const char *const refs[] = { "0",    "-7",      "12345678901234567890123",
					    "\"\"", "\"a b\"", "\"\\u00e9\\\"\"" };
	char json[128];

	for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
		snprintf(json, sizeof json, "{\"op\":\"ping\",\"ref\": %s }", refs[i]);
		assert_int_equal(reads(json), 0);
		assert_string_equal(request.ref.text, refs[i]);
		request_release(&request);
	}
}

static void what_is_not_json_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"{",
		"{]",
		"{\"op\"}",
		"{\"op\":}",
		"{\"op\":\"ping\"} x",
		"{\"op\":\"ping\",}",
		"{'op':'ping'}",
		"{\"op\":\"ping\",\"op\":\"ping\"}",
		"{\"op\":\"ping\",\"ref\":1",
		"\"",
		"{\"a",
		"{\"a\\",
		"{\"a\":\"\\",
		"{\"op\":\"\xff\"}",
		"{\"a\":01}",
		"{\"a\":NaN}",
		"{\"a\":1e999}",
		"{\"a\":\"\\ud800\"}",
		"\xef\xbb\xbf{\"op\":\"ping\"}",
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		refuses(cases[i], WIRE_bad_json, "");
}

static void a_wrong_type_is_refused(void **state)
{
	refuses("[]", WIRE_bad_type, "");
	refuses("{\"op\":1,\"ref\":1}", WIRE_bad_type, "1");
	refuses("{\"op\":\"join\",\"room\":1,\"ref\":\"x\"}", WIRE_bad_type, "\"x\"");
	refuses("{\"op\":\"send\",\"room\":\"a\",\"id\":[],\"ref\":1}", WIRE_bad_type,
		"1");
	refuses("{\"op\":\"ping\",\"ref\":1.5}", WIRE_bad_type, "");
	refuses("{\"op\":\"ping\",\"ref\":{}}", WIRE_bad_type, "");
	refuses("{\"op\":\"ping\",\"ref\":null}", WIRE_bad_type, "");
}

static void a_missing_or_empty_field_is_refused(void **state)
{
	refuses("{}", WIRE_bad_field, "");
	refuses("{\"op\":\"join\",\"ref\":3}", WIRE_bad_field, "3");
	refuses("{\"op\":\"join\",\"ref\":3,\"room\":\"\"}", WIRE_bad_field, "3");
	refuses("{\"op\":\"send\",\"ref\":3,\"room\":\"a\",\"body\":1}", WIRE_bad_field,
		"3");
	refuses("{\"op\":\"send\",\"ref\":3,\"room\":\"a\",\"id\":\"b\"}", WIRE_bad_field,
		"3");
}

static void control_characters_in_names_are_refused(void **state)
{
	static const char *const names[] = { "\\n", "a\\u0000b", "\\u007f", "x\\u0085",
					     "\\u009f" };
	char json[64];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(json, sizeof json, "{\"op\":\"join\",\"room\":\"%s\"}",
			 names[i]);
		refuses(json, WIRE_bad_field, "");
	}
	assert_int_equal(reads("{\"op\":\"join\",\"room\":\"\\u00a0é🙂 \"}"), 0);
	request_release(&request);
}

static void an_unknown_op_is_refused(void **state)
{
	refuses("{\"op\":\"fly\",\"ref\":1}", WIRE_unknown_op, "1");
	refuses("{\"op\":\"\",\"ref\":1}", WIRE_unknown_op, "1");
	refuses("{\"op\":\"ping\\u0000\",\"ref\":1}", WIRE_unknown_op, "1");
}

/* `head`, a name of n bytes, and the end of the object. */
static const char *with_long(const char *head, unsigned n)
{
	static char json[256];
	char name[128];

	memset(name, 'a', n);
	name[n] = '\0';
	snprintf(json, sizeof json, "%s\"%s\"}", head, name);
	return json;
}

static void names_are_at_most_64_bytes(void **state)
{
	assert_int_equal(reads(with_long("{\"op\":\"join\",\"room\":", 64)), 0);
	request_release(&request);
	refuses(with_long("{\"op\":\"join\",\"ref\":5,\"room\":", 65), WIRE_too_long,
		"5");
	assert_int_equal(reads(with_long("{\"op\":\"ping\",\"ref\":", 64)), 0);
	request_release(&request);
	refuses(with_long("{\"op\":\"ping\",\"ref\":", 65), WIRE_too_long, "");
	refuses(with_long("{\"op\":\"send\",\"room\":\"a\",\"body\":1,\"id\":", 65),
		WIRE_too_long, "");
}

/* {"op":"send",…,"body":[[…]],"ref":9} of this depth in all. */
static char *nested(unsigned depth)
{
	static const char head[] =
		"{\"op\":\"send\",\"room\":\"a\",\"id\":\"b\",\"body\":";
	static const char tail[] = ",\"ref\":9}";
	char *json = malloc(sizeof head + sizeof tail + 2 * depth);
	char *at = json;

	assert_non_null(json);
	at = stpcpy(at, head);
	for (unsigned i = 1; i < depth; i++)
		*at++ = '[';
	for (unsigned i = 1; i < depth; i++)
		*at++ = ']';
	strcpy(at, tail);
	return json;
}

static void nesting_is_bounded_and_the_ref_still_told(void **state)
{
	char *json = nested(WIRE_DEPTH_MAX);

	assert_int_equal(reads(json), 0);
	request_release(&request);
	free(json);
	json = nested(WIRE_DEPTH_MAX + 1);
	refuses(json, WIRE_too_deep, "9");
	free(json);
	json = nested(1000000);
	refuses(json, WIRE_too_deep, "9");
	free(json);
}

static void brackets_within_strings_are_not_depth(void **state)
{
	assert_int_equal(
		reads("{\"op\":\"ping\",\"x\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"["
		      "[[[[[\"}"),
		0);
	request_release(&request);
}

/* ---- events --------------------------------------------------------------------- */

static char out[512];
static const struct text room = { "lobby", 5 };

static void assert_event(int len, const char *expected)
{
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, expected, strlen(expected));
}

static void events_are_spelt_as_the_reference_says(void **state)
{
	const struct ref ref = { "7" };
	const struct message message = { .room = room,
					 .id = { "i", 1 },
					 .from = { "ann", 3 },
					 .body = { "{\"x\":1}", 7 },
					 .seq = UINT64_MAX,
					 .at_ms = -5 };

	assert_event(
		wire_welcome(out, sizeof out, "s1", "ann", 65536, 64, 25000, 20000),
		"{\"op\":\"welcome\",\"session\":\"s1\",\"user\":\"ann\",\"limits\":"
		"{\"message\":65536,\"rooms\":64},\"heartbeat\":{\"interval_ms\":25000,"
		"\"timeout_ms\":20000}}");
	assert_event(wire_joined(out, sizeof out, &ref, room, 0, 2),
		     "{\"op\":\"joined\",\"ref\":7,\"room\":\"lobby\",\"head\":0,"
		     "\"members\":2}");
	assert_event(wire_left(out, sizeof out, NULL, room),
		     "{\"op\":\"left\",\"room\":\"lobby\"}");
	assert_event(
		wire_sent(out, sizeof out, &ref, room, message.id, 3, 1700000000000),
		"{\"op\":\"sent\",\"ref\":7,\"room\":\"lobby\",\"id\":\"i\",\"seq\":3,"
		"\"at\":1700000000000}");
	assert_event(
		wire_message(out, sizeof out, &message),
		"{\"op\":\"message\",\"room\":\"lobby\",\"seq\":18446744073709551615,"
		"\"id\":\"i\",\"from\":\"ann\",\"at\":-5,\"body\":{\"x\":1}}");
	assert_event(wire_pong(out, sizeof out, &(struct ref){ "" }),
		     "{\"op\":\"pong\"}");
	assert_event(
		wire_error(out, sizeof out, &ref, WIRE_busy, "later"),
		"{\"op\":\"error\",\"ref\":7,\"code\":\"busy\",\"message\":\"later\"}");
	assert_event(wire_gap(out, sizeof out, room, 10, 15),
		     "{\"op\":\"error\",\"code\":\"gap\",\"room\":\"lobby\",\"after\":10,"
		     "\"next\":15,\"message\":\"messages of this room were lost here\"}");
	assert_event(wire_drain(out, sizeof out, 1500),
		     "{\"op\":\"drain\",\"reconnect_after_ms\":1500}");
}

static void names_are_escaped(void **state)
{
	assert_event(
		wire_left(out, sizeof out, NULL, (struct text){ "\"a\\\n\x1f é", 8 }),
		"{\"op\":\"left\",\"room\":\"\\\"a\\\\\\u000a\\u001f é\"}");
}

static void nothing_is_written_past_a_short_buffer(void **state)
{
	const struct message message = { .room = room,
					 .id = { "i\"", 2 },
					 .from = { "a", 1 },
					 .body = { "[1,2]", 5 },
					 .seq = 10 };
	int whole = wire_message(out, sizeof out, &message);

	for (int size = 0; size < whole; size++) {
		memset(out, '#', sizeof out);
		assert_int_equal(wire_message(out, (size_t)size, &message), -ENOSPC);
		assert_int_equal(out[size], '#');
	}
	assert_int_equal(wire_message(out, (size_t)whole, &message), whole);
}

/* The longest names, each byte of the user escaped: callers reserve no more. */
static void an_envelope_is_never_longer_than_promised(void **state)
{
	char quotes[64], controls[64], buffer[WIRE_ENVELOPE_MAX];
	struct ref ref = { "" };
	struct message message = { .room = { quotes, 64 },
				   .id = { quotes, 64 },
				   .from = { controls, 64 },
				   .seq = UINT64_MAX,
				   .at_ms = INT64_MIN };

	memset(quotes, '"', sizeof quotes);
	memset(controls, 1, sizeof controls);
	memset(ref.text, '1', REF_MAX - 1);
	assert_true(wire_message(buffer, sizeof buffer, &message) > 0);
	assert_true(wire_sent(buffer, sizeof buffer, &ref, message.room, message.id,
			      UINT64_MAX, INT64_MIN) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_send_is_read),
		cmocka_unit_test(each_op_is_read),
		cmocka_unit_test(a_body_is_passed_on_byte_for_byte),
		cmocka_unit_test(members_it_does_not_know_are_passed_over),
		cmocka_unit_test(a_ref_is_echoed_as_written),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(a_wrong_type_is_refused),
		cmocka_unit_test(a_missing_or_empty_field_is_refused),
		cmocka_unit_test(control_characters_in_names_are_refused),
		cmocka_unit_test(an_unknown_op_is_refused),
		cmocka_unit_test(names_are_at_most_64_bytes),
		cmocka_unit_test(nesting_is_bounded_and_the_ref_still_told),
		cmocka_unit_test(brackets_within_strings_are_not_depth),
		cmocka_unit_test(events_are_spelt_as_the_reference_says),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(nothing_is_written_past_a_short_buffer),
		cmocka_unit_test(an_envelope_is_never_longer_than_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
