/* The status page: true in every state, safe whatever it is told, and never too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "healthd/events.h"
#include "healthd/page.h"
#include "healthd/page_parts.h"
#include "tests/unit/fake_snapshot.h"

#define WALL_MS 1787724299000 /* 2026-08-26T06:04:59Z */

enum {
	SAMPLE_MS = 10000
};

static struct snapshot seen;
static struct verdict verdict;
static struct history *history;
static struct incidents *incidents;
static struct view view;
static char *text; /* what was written last, terminated */
static struct html html;

static int set_up(void **state)
{
	fake_gateway(&seen);
	history = history_new((uint64_t)HISTORY_SAMPLES * SAMPLE_MS);
	incidents = incidents_new();
	text = malloc(PAGE_SIZE_MAX + 1);
	view = (struct view){ .snapshot = &seen,
			      .verdict = &verdict,
			      .limits = &fake_limits,
			      .wall_ms = WALL_MS,
			      .started_ms = WALL_MS - 7000,
			      .mono_ns = 7000 * MS_NS,
			      .history = history,
			      .incidents = incidents };
	return history && incidents && text ? 0 : -1;
}

static int tear_down(void **state)
{
	history_free(history);
	incidents_free(incidents);
	free(text);
	return 0;
}

static void look_after(uint64_t ms)
{
	view.mono_ns += ms * MS_NS;
	view.wall_ms += (int64_t)ms;
	judge(&seen, &fake_past, &fake_limits, &verdict);
	history_look(history, &seen, &verdict, view.mono_ns);
	(void)incidents_look(incidents, &seen, &verdict, view.mono_ns, view.wall_ms);
}

static void write_page(void)
{
	html = (struct html){ .out = text, .size = PAGE_SIZE_MAX };
	page_write(&view, &html);
	text[html.len] = '\0';
	assert_false(html.is_full);
}

static void has(const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in %.20000s", part, strstr(text, "<body>"));
}

static void has_not(const char *part)
{
	if (strstr(text, part))
		fail_msg("%s in %.20000s", part, strstr(text, "<body>"));
}

static void says(const char *headline, const char *class_name)
{
	char part[128];

	look_after(50);
	write_page();
	snprintf(part, sizeof part, "<h2 id=\"headline\">%s</h2>", headline);
	has(part);
	snprintf(part, sizeof part, "class=\"verdict %s\"", class_name);
	has(part);
	snprintf(part, sizeof part, "<title id=\"title\">%s – Parley</title>", headline);
	has(part);
}

static void the_verdict_is_told_in_words(void **state)
{
	says("All is well", "ok");
	fake_hang(&seen, 1, HANG_loop, 2500);
	says("Degraded: clients are served", "degraded");
	has("<li>worker 1 hung (loop) 2.5 s in polling</li>");
	fake_hang(&seen, 0, HANG_stopped, 2500);
	says("Hung: nobody is served", "error");
	fake_gateway(&seen);
	seen.state = GATEWAY_draining;
	says("Draining: the gateway is leaving", "degraded");
	has("No new clients: the gateway is draining");
	fake_gateway(&seen);
	fake_death(&seen);
	says("Stopped: there is no gateway", "error");
	fake_failed(&seen, LOOK_missing, "there is no segment");
	says("Stopped: there is no gateway", "error");
	fake_failed(&seen, LOOK_corrupt, "the segment is corrupt");
	seen.supervisor_known = seen.supervisor_alive = true;
	says("Unknown: the gateway lives and cannot be read", "error");
	has("None can be seen: the segment is corrupt");
}

static void a_store_that_is_away_is_named_as_such(void **state)
{
	struct judge_history past = fake_past;

	past.store_away_ns = 60000 * MS_NS;
	seen.slots[FAKE_SEQUENCER_SLOT].counters[COUNTER_store_state] = STORE_STATE_down;
	judge(&seen, &past, &fake_limits, &verdict);
	(void)incidents_look(incidents, &seen, &verdict, view.mono_ns, view.wall_ms);
	write_page();
	has("<h2 id=\"headline\">The store is away</h2>");
}

static void since_when_is_told_and_what_is_not_known_too(void **state)
{
	says("All is well", "ok");
	has("For at least 0.0 s: healthd watches since "
	    "<time datetime=\"2026-08-26T06:04:59.050Z\">06:04:59 UTC</time>");
	fake_hang(&seen, 1, HANG_loop, 2500);
	look_after(50);
	look_after(900);
	says("Degraded: clients are served", "degraded");
	has("For 0.9 s, since <time datetime=\"2026-08-26T06:04:59.100Z\">");
}

static void each_process_is_in_the_table(void **state)
{
	seen.seats[1].restarts = 4;
	seen.seats[1].last_reason = EXIT_killed;
	seen.seats[1].last_signal = 9;
	fake_empty(&seen, 0, SEAT_backoff, EXIT_crashed);
	seen.seats[0].retry_at_ms = seen.uptime_ms + 1500;
	seen.slots[3] = seen.slots[1];
	seen.slots[3].state = CHILD_stopping;
	seen.slots[3].pid = 4711;
	look_after(50);
	write_page();
	has("worker 0<small>no process</small>");
	has(">gone</span><small>restarts in 1.5 s</small>");
	has("worker 1<small>pid 1001</small>");
	has("4<small>killed, signal 9</small>");
	has("pid 4711");
	has(">leaving</span>");
	has("sequencer<small>pid 1004</small>");
}

static void how_far_a_drain_is_is_told(void **state)
{
	seen.state = GATEWAY_draining;
	seen.drain.from_ms = seen.uptime_ms - 1000;
	seen.drain.close_ms = seen.uptime_ms;
	seen.drain.until_ms = seen.uptime_ms + 20000;
	seen.drain.spread_ms = 5000;
	seen.drain.links = 1000;
	look_after(50);
	write_page();
	has("max=\"1000\" value=\"992\"></progress>");
	has("992 of 1,000 clients gone, about 5.0 s to go, 20 s at most");
	fake_gateway(&seen);
	seen.roll.total = 2;
	seen.roll.done = 1;
	seen.roll.from_ms = seen.uptime_ms - 3000;
	look_after(50);
	write_page();
	has("Rolling restart: 1 of 2 workers replaced, about 3.0 s to go");
}

static void the_last_deaths_are_told(void **state)
{
	seen.n_deaths = 1;
	seen.deaths[0] = (struct snapshot_death){ .wall_ms = WALL_MS - 60000,
						  .lived_ms = 5000,
						  .signal = 9,
						  .phase = PHASE_bus,
						  .seat = 1,
						  .reason = EXIT_killed,
						  .links = 415,
						  .back = 412,
						  .whole = 411,
						  .trimmed = 1,
						  .n_events = 1 };
	seen.deaths[0].events[0] = (struct snapshot_event){ .at_ms = 4600,
							    .kind = EVENT_slow_loop,
							    .a = 300 };
	look_after(50);
	write_page();
	has("<p>worker 1 killed, signal 9, in bus</p>");
	has("412 of 415 clients are back, 411 of them whole, for 1 history had been");
	has("<li>slow_loop 300, 0.4 s before</li>");
	has(">06:03:59 UTC</time>");
}

static void numbers_that_are_not_known_are_not_told(void **state)
{
	fake_failed(&seen, LOOK_denied, "permission denied");
	look_after(50);
	write_page();
	has("<p id=\"now-connections\" class=\"now\"><b>unknown</b>");
	has("<p id=\"now-messages\" class=\"now\"><b>unknown</b>");
	has_not("nan");
}

/* The numbers of paths: so many runs of samples that are known. */
static unsigned n_runs(void)
{
	const char *at = strstr(text, "id=\"chart-connections\"");
	unsigned n = 0;

	at = strstr(at, "class=\"line\" d=\"");
	assert_non_null(at);
	for (at += 16; *at != '"'; at++)
		n += *at == 'M';
	return n;
}

static void a_gap_is_a_gap_in_the_chart(void **state)
{
	for (unsigned i = 0; i < 30; i++)
		look_after(SAMPLE_MS / 2);
	write_page();
	assert_int_equal(n_runs(), 1);
	view.mono_ns += 3ull * SAMPLE_MS * MS_NS;
	for (unsigned i = 0; i < 30; i++)
		look_after(SAMPLE_MS / 2);
	write_page();
	assert_int_equal(n_runs(), 2);
	has("aria-label=\"Connections, the last 60 min: lowest 8.0, highest 8.0, "
	    "unknown for ");
}

static void hostile_words_stay_words(void **state)
{
	fake_failed(&seen, LOOK_corrupt,
		    "</p><script>alert(1)</script><img src=x onerror=\"a\">&\x1b\xff");
	look_after(50);
	write_page();
	has_not("<script>alert");
	has_not("<img");
	has_not("\x1b");
	has("&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x "
	    "onerror=&quot;a&quot;&gt;&amp;\xef\xbf\xbd\xef\xbf\xbd");
}

static void nothing_is_loaded_from_elsewhere(void **state)
{
	static const char *const never[] = { "http://", "https://", "src=",
					     "@import", "url(",     "style=\"",
					     "onclick", "onload",   "javascript:" };
	const char *at;

	look_after(50);
	write_page();
	/* The name of SVG in the picture of the tab is no address. */
	at = strstr(text, "http://www.w3.org/2000/svg");
	assert_non_null(at);
	memset(text + (at - text), '-', 26);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		has_not(never[i]);
	has("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>");
	assert_non_null(strstr(page_headers(), "default-src 'none'; style-src 'sha256-"));
	assert_null(strstr(page_headers(), "unsafe"));
}

static void sixty_four_workers_in_trouble_fit(void **state)
{
	memset(&seen.slots, 0, sizeof seen.slots);
	seen.n_workers = 64;
	seen.n_seats = 65;
	seen.n_slots = 130;
	for (unsigned i = 0; i < 64; i++) {
		seen.seats[i] = (struct snapshot_seat){ .role = ROLE_WORKER };
		fake_process(&seen, i, i)->counters[COUNTER_links_active] = INT64_MAX /
									    65;
		fake_hang(&seen, i, HANG_stopped, 86400000);
		seen.slots[64 + i] = seen.slots[i];
		seen.slots[64 + i].state = CHILD_aborting;
		seen.seats[i].restarts = seen.seats[i].last_signal = UINT64_MAX;
		seen.seats[i].last_reason = EXIT_never_ready;
	}
	seen.seats[64] = (struct snapshot_seat){ .role = ROLE_SEQUENCER, .slot = -1 };
	for (unsigned i = 0; i < 3 * HISTORY_SAMPLES; i++) {
		seen.slots[0].counters[COUNTER_deliveries] += i % 7 * 1000003;
		look_after(SAMPLE_MS);
		seen.slots[0].alive = i % 2;
		seen.instance[0] += i % 3 == 0;
	}
	write_page();
	print_message("%zu bytes\n", html.len);
	assert_true(html.len < PAGE_SIZE_MAX / 2);
}

static void the_parts_have_the_ids_of_their_places(void **state)
{
	static const char *const ids[] = {
		"title",           "icon",         "as-of",          "verdict",
		"now-connections", "now-messages", "now-deliveries", "processes",
		"components",      "incidents",    "deaths"
	};
	static const char *const charts[] = { "timeline", "chart-connections",
					      "chart-messages", "chart-deliveries" };
	char part[64];

	look_after(50);
	for (unsigned round = 0; round < 2; round++) {
		html = (struct html){ .out = text, .size = PAGE_SIZE_MAX };
		if (round == 0)
			page_live(&view, &html);
		else
			page_write(&view, &html);
		text[html.len] = '\0';
		for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
			snprintf(part, sizeof part, " id=\"%s\"", ids[i]);
			assert_non_null(strstr(text, part));
			assert_null(strstr(strstr(text, part) + 1, part));
		}
	}
	for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) {
		snprintf(part, sizeof part, " id=\"%s\"", charts[i]);
		has(part);
	}
}

static void a_stream_begins_with_all_of_it(void **state)
{
	struct events *events = events_new();
	size_t len;
	const char *begin;

	assert_non_null(events);
	look_after(50);
	begin = events_begin(events, EVENTS_PAGE, &view, &len);
	assert_memory_equal(begin, "retry: 1000\n\nevent: live\ndata: <title", 37);
	assert_non_null(memmem(begin, len, "\n\nevent: charts\ndata: <figure", 29));
	assert_memory_equal(begin + len - 2, "\n\n", 2);
	begin = events_begin(events, EVENTS_HEALTH, &view, &len);
	assert_memory_equal(begin,
			    "retry: 1000\n\nevent: health\ndata: {\"status\":\"ok\"", 47);
	events_free(events);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_verdict_is_told_in_words),
		T(a_store_that_is_away_is_named_as_such),
		T(since_when_is_told_and_what_is_not_known_too),
		T(each_process_is_in_the_table),
		T(how_far_a_drain_is_is_told),
		T(the_last_deaths_are_told),
		T(numbers_that_are_not_known_are_not_told),
		T(a_gap_is_a_gap_in_the_chart),
		T(hostile_words_stay_words),
		T(nothing_is_loaded_from_elsewhere),
		T(sixty_four_workers_in_trouble_fit),
		T(the_parts_have_the_ids_of_their_places),
		T(a_stream_begins_with_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
