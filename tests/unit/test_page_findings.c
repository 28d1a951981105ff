/* What the canary and the audit have found is on the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

static struct canary_found canary;
static struct audit_found audit;
static const struct findings findings = { &canary, &audit };
static char text[8192];

static void write_both(void)
{
	const struct view view = { .findings = &findings };
	struct html html = { .out = text, .size = sizeof text - 1 };

	page_canary(&view, &html);
	page_audit(&view, &html);
	text[html.len] = '\0';
	assert_false(html.is_full);
}

static void has(const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in %s", part, text);
}

static void a_message_that_comes_back_is_told_with_its_time(void **state)
{
	canary = (struct canary_found){
		.state = CANARY_ok,
		.now_ns = 9000 * MS_NS,
		.last = { .passed = true, .ok_ns = 6000 * MS_NS, .delivered_us = 1234 }
	};
	canary.seats[0] = (struct canary_seat){ .generation = 1, .passed = true };
	canary.seats[1] = (struct canary_seat){ .generation = 2, .passed = true };
	audit = (struct audit_found){
		.state = AUDIT_ok, .known = true, .source = "sock_diag", .sockets = 1500
	};
	write_both();
	has("Canary <span class=\"state ok\">ok</span>");
	has("<dt>A message took</dt><dd>1.2 ms</dd>");
	has("<dd>2 of 2</dd>");
	has("<dd>3.0 s</dd>");
	has("<dt>Sockets by the kernel</dt><dd>1,500</dd>");
	has("<dt>Drift of the counts</dt><dd>none</dd>");
	has("<dd>sock_diag</dd>");
}

static void what_is_wrong_is_told_with_its_reason(void **state)
{
	canary.state = CANARY_degraded;
	canary.seats[1].failures = 3;
	canary.n_failed[CANARY_AT_delivered] = 3;
	strcpy(canary.reason, "got no answer from <worker 1>");
	audit.state = AUDIT_degraded;
	audit.drift = -2;
	audit.seats[1].known = true;
	audit.seats[1].drift = -2;
	write_both();
	has("Canary <span class=\"state degraded\">degraded</span>");
	has("got no answer from &lt;worker 1&gt;");
	has("<dd>1 of 2</dd>");
	has("<dt>Tries that failed</dt><dd>3</dd>");
	has("<dt>Drift of worker 1</dt><dd>-2</dd>");
}

static void what_is_not_known_is_not_told(void **state)
{
	canary = (struct canary_found){ .state = CANARY_off };
	audit = (struct audit_found){ .state = AUDIT_unknown };
	write_both();
	has("Canary <span class=\"state unknown\">off</span>");
	has("<dt>A message took</dt><dd>unknown</dd>");
	has("<dt>Drift of the counts</dt><dd>unknown</dd>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_that_comes_back_is_told_with_its_time),
		cmocka_unit_test(what_is_wrong_is_told_with_its_reason),
		cmocka_unit_test(what_is_not_known_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
