/* parley.v1: what is read, and what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
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
		{ "{\"op\":\"history\",\"room\":\"a\"}", OP_history },
		{ "{\"op\":\"who\",\"room\":\"a\"}", OP_who },
		{ "{\"op\":\"typing\",\"room\":\"a\"}", OP_typing },
		{ "{\"op\":\"ping\"}", OP_ping },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(reads(cases[i].json), 0);
		assert_int_equal(request.op, cases[i].op);
		request_release(&request);
	}
}

static void what_may_be_missing_is_told_from_what_is_there(void **state)
{
	assert_int_equal(reads("{\"op\":\"join\",\"room\":\"a\"}"), 0);
	assert_false(request.since.given);
	request_release(&request);
	assert_int_equal(reads("{\"op\":\"join\",\"room\":\"a\",\"since\":0}"), 0);
	assert_true(request.since.given && request.since.value == 0);
	request_release(&request);
	assert_int_equal(
		reads("{\"since\": 9223372036854775807 ,\"op\":\"join\",\"room\":\"a\"}"),
		0);
	assert_true(request.since.given && request.since.value == INT64_MAX);
	request_release(&request);
	assert_int_equal(
		reads("{\"op\":\"history\",\"room\":\"a\",\"before\":7,\"limit\":200}"),
		0);
	assert_true(request.before.value == 7 && !request.after.given &&
		    request.limit.value == 200);
	request_release(&request);
	assert_int_equal(reads("{\"op\":\"history\",\"room\":\"a\",\"after\":0}"), 0);
	assert_true(request.after.given && !request.before.given && !request.limit.given);
	request_release(&request);
}

static void typing_is_on_unless_said_otherwise(void **state)
{
	static const struct {
		const char *json;
		bool active;
	} cases[] = {
		{ "{\"op\":\"typing\",\"room\":\"a\"}", true },
		{ "{\"op\":\"typing\",\"room\":\"a\",\"active\":true}", true },
		{ "{\"op\":\"typing\",\"room\":\"a\",\"active\":false}", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(reads(cases[i].json), 0);
		assert_int_equal(request.active, cases[i].active);
		request_release(&request);
	}
}

static void a_number_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *since;
		enum wire_error error;
	} cases[] = {
		{ "\"1\"", WIRE_bad_type },
		{ "1.0", WIRE_bad_type },
		{ "1e3", WIRE_bad_type },
		{ "null", WIRE_bad_type },
		{ "[1]", WIRE_bad_type },
		{ "true", WIRE_bad_type },
		{ "-1", WIRE_bad_field },
		{ "-0", WIRE_bad_field },
		{ "9223372036854775808", WIRE_bad_field },
		{ "18446744073709551617", WIRE_bad_field },
		{ "99999999999999999999999999999999999999999", WIRE_bad_field },
	};
	char json[128];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(json, sizeof json,
			 "{\"op\":\"join\",\"room\":\"a\",\"ref\":1,\"since\":%s}",
			 cases[i].since);
		refuses(json, cases[i].error, "1");
	}
}

static void a_range_is_bounded(void **state)
{
	refuses("{\"op\":\"history\",\"room\":\"a\",\"before\":0}", WIRE_bad_field, "");
	refuses("{\"op\":\"history\",\"room\":\"a\",\"before\":1,\"after\":1}",
		WIRE_bad_field, "");
	refuses("{\"op\":\"history\",\"room\":\"a\",\"limit\":0}", WIRE_bad_field, "");
	refuses("{\"op\":\"history\",\"room\":\"a\",\"limit\":201}", WIRE_bad_field, "");
	refuses("{\"op\":\"who\",\"room\":\"a\",\"limit\":1001}", WIRE_bad_field, "");
	refuses("{\"op\":\"typing\",\"room\":\"a\",\"active\":1}", WIRE_bad_type, "");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_send_is_read),
		cmocka_unit_test(each_op_is_read),
		cmocka_unit_test(what_may_be_missing_is_told_from_what_is_there),
		cmocka_unit_test(typing_is_on_unless_said_otherwise),
		cmocka_unit_test(a_number_that_is_none_is_refused),
		cmocka_unit_test(a_range_is_bounded),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
