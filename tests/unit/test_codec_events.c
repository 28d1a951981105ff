/* parley.v1: how events are spelt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "gateway/wire/codec.h"

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
	assert_event(wire_joined(out, sizeof out, &ref, room, 9, 4, 2),
		     "{\"op\":\"joined\",\"ref\":7,\"room\":\"lobby\",\"head\":9,"
		     "\"first\":4,\"members\":2}");
	assert_event(wire_joined(out, sizeof out, &ref, room, 0, 0, 2),
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
	assert_event(wire_rate_limited(out, sizeof out, &ref, 250),
		     "{\"op\":\"error\",\"ref\":7,\"code\":\"rate_limited\","
		     "\"retry_after_ms\":250,"
		     "\"message\":\"more than you may send at a time\"}");
	assert_event(wire_drain(out, sizeof out, 1500),
		     "{\"op\":\"drain\",\"reconnect_after_ms\":1500}");
}

static void lists_are_spelt_as_the_reference_says(void **state)
{
	const struct text users[] = { { "ann", 3 }, { "b\"", 2 } };
	const struct message messages[] = {
		{ .id = { "i", 1 },
		  .from = { "ann", 3 },
		  .body = { "1", 1 },
		  .seq = 3,
		  .at_ms = 10 },
		{ .id = { "j", 1 },
		  .from = { "bob", 3 },
		  .body = { "null", 4 },
		  .seq = 4,
		  .at_ms = 11 },
	};
	const struct ref ref = { "7" };
	struct wire_history history = { room, messages, 2, 3, 4, false };

	assert_event(wire_history(out, sizeof out, &ref, &history),
		     "{\"op\":\"history\",\"ref\":7,\"room\":\"lobby\",\"messages\":["
		     "{\"seq\":3,\"id\":\"i\",\"from\":\"ann\",\"at\":10,\"body\":1},"
		     "{\"seq\":4,\"id\":\"j\",\"from\":\"bob\",\"at\":11,\"body\":null}],"
		     "\"first\":3,\"head\":4,\"more\":false}");
	history = (struct wire_history){ room, NULL, 0, 1, 0, true };
	assert_event(wire_history(out, sizeof out, NULL, &history),
		     "{\"op\":\"history\",\"room\":\"lobby\",\"messages\":[],"
		     "\"first\":1,\"head\":0,\"more\":true}");
	assert_event(wire_who(out, sizeof out, &ref, room, users, 2, 12),
		     "{\"op\":\"who\",\"ref\":7,\"room\":\"lobby\","
		     "\"users\":[\"ann\",\"b\\\"\"],\"total\":12}");
	assert_event(wire_presence(out, sizeof out, room, users, 1, users, 0, 5),
		     "{\"op\":\"presence\",\"room\":\"lobby\",\"joined\":[\"ann\"],"
		     "\"left\":[],\"members\":5}");
	assert_event(wire_typing(out, sizeof out, room, users[0], false),
		     "{\"op\":\"typing\",\"room\":\"lobby\",\"user\":\"ann\","
		     "\"active\":false}");
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
	assert_true(wire_presence(buffer, WIRE_ENVELOPE_MAX, message.room, NULL, 0, NULL,
				  0, UINT64_MAX) +
			    2 * WIRE_NAME_MAX <=
		    WIRE_ENVELOPE_MAX);
	assert_true(wire_who(buffer, sizeof buffer, &ref, message.room, NULL, 0,
			     UINT64_MAX) > 0);
	assert_int_equal(wire_who(buffer, sizeof buffer, &ref, message.room,
				  &message.from, 1, UINT64_MAX) -
				 wire_who(buffer, sizeof buffer, &ref, message.room, NULL,
					  0, UINT64_MAX),
			 WIRE_NAME_MAX - 1);
	assert_true(wire_typing(buffer, sizeof buffer, message.room, message.from,
				false) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_spelt_as_the_reference_says),
		cmocka_unit_test(lists_are_spelt_as_the_reference_says),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(nothing_is_written_past_a_short_buffer),
		cmocka_unit_test(an_envelope_is_never_longer_than_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
