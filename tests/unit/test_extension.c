/* Offers of permessage-deflate are read as RFC 7692 has them, the first good one taken.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/wire/handshake.h"

#define ANSWER \
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* What is answered to these values of the header, one a line: NULL: nothing; "": that it
 * is no list of extensions. */
static const char *answer_to(const char *const *values, unsigned n)
{
	static struct http_request request;
	struct deflate_terms terms;

	memset(&request, 0, sizeof request);
	for (unsigned i = 0; i < n; i++) {
		request.headers[i].name = "sec-websocket-extensions";
		request.headers[i].value = values[i];
	}
	request.n_headers = n;
	if (extension_judge(&request, &terms) < 0)
		return "";
	return terms.taken ? extension_answer(&terms) : NULL;
}

static void check(const char *value, const char *expected)
{
	const char *got = answer_to(&value, 1);
	bool same = got && expected ? strcmp(got, expected) == 0 : got == expected;

	if (!same)
		fail_msg("%s: %s", value, got ? *got ? got : "no list" : "nothing");
}

static void offers_of_stock_clients_are_taken(void **state)
{
	/* Browsers and ws; websockets of Python; all that there is. */
	check("permessage-deflate; client_max_window_bits", ANSWER);
	check("permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
	      ANSWER "; server_max_window_bits=12");
	check("permessage-deflate; server_no_context_takeover; "
	      "client_no_context_takeover; server_max_window_bits=15; "
	      "client_max_window_bits=8",
	      ANSWER "; server_max_window_bits=12");
	check("permessage-deflate", ANSWER);
	assert_null(answer_to(NULL, 0));
}

static void the_first_offer_that_can_be_met_is_taken(void **state)
{
	const char *const headers[] = { "x-webkit-deflate-frame, permessage-bzip2",
					"permessage-deflate; server_max_window_bits=10",
					"permessage-deflate" };

	check("permessage-deflate; server_max_window_bits=10, permessage-deflate",
	      ANSWER);
	check("permessage-deflate; server_max_window_bits=13, permessage-deflate",
	      ANSWER "; server_max_window_bits=12");
	check("permessage-deflate, permessage-deflate; server_max_window_bits=13",
	      ANSWER);
	assert_null(answer_to(headers, 2));
	assert_string_equal(answer_to(headers, 3), ANSWER);
}

static void what_cannot_be_met_is_passed_over(void **state)
{
	static const char *const offers[] = {
		"server_max_window_bits=8",
		"server_max_window_bits=11",
		"server_max_window_bits=16",
		"server_max_window_bits=012",
		"server_max_window_bits=1200",
		"server_max_window_bits=\"7\"",
		"server_max_window_bits=x",
		"server_max_window_bits",
		"client_max_window_bits=7",
		"client_max_window_bits=0",
		"client_max_window_bits=08",
		"client_max_window_bits=16",
		"client_max_window_bits=\"123456\"",
		"server_no_context_takeover=1",
		"client_no_context_takeover=true",
		"server_no_context_takeover; server_no_context_takeover",
		"client_max_window_bits; client_max_window_bits=10",
		"server_max_window_bits=12; server_max_window_bits=12",
		"unknown",
		"unknown=12",
		"Server_No_Context_Takeover",
	};

	for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
		char text[200];

		snprintf(text, sizeof text, "permessage-deflate; %s", offers[i]);
		check(text, NULL);
	}
	check("permessage-deflat", NULL);
	check("permessage-deflatee", NULL);
	check("Permessage-Deflate", NULL);
}

static void blanks_quotes_and_empty_items_are_allowed(void **state)
{
	check(" ,, permessage-deflate\t;\tclient_max_window_bits = \"15\" ,,", ANSWER);
	check("permessage-deflate;server_max_window_bits=\"1\\2\"",
	      ANSWER "; server_max_window_bits=12");
	check("a;b=c;d=\"e\";f , permessage-deflate", ANSWER);
	check("", NULL);
	check(" , ,", NULL);
}

static void what_is_no_list_is_told(void **state)
{
	static const char *const broken[] = {
		"permessage-deflate;",
		";",
		"permessage-deflate; =12",
		"permessage-deflate; server_max_window_bits=",
		"permessage-deflate; server_max_window_bits=\"\"",
		"permessage-deflate; server_max_window_bits=\"12",
		"permessage-deflate; server_max_window_bits=\"1 2\"",
		"permessage-deflate; server_max_window_bits=\"1\\",
		"permessage-deflate; server_max_window_bits=12 13",
		"permessage-deflate client_max_window_bits",
		"permessage-deflate, (x)",
		"permessage-deflate, x; y; z=\"",
		"\"permessage-deflate\"",
		"=",
	};

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		check(broken[i], "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_of_stock_clients_are_taken),
		cmocka_unit_test(the_first_offer_that_can_be_met_is_taken),
		cmocka_unit_test(what_cannot_be_met_is_passed_over),
		cmocka_unit_test(blanks_quotes_and_empty_items_are_allowed),
		cmocka_unit_test(what_is_no_list_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
