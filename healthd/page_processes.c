#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

enum {
	ON_TIME_MS = 3 * SEGMENT_BEAT_MS /* a beat that old is as it should be */
};

/* A row of the table: a seat, or a process that leaves one. */
struct row {
	const struct view *view;
	const struct snapshot_seat *seat;
	const struct snapshot_slot *slot; /* NULL: nobody */
	unsigned i_seat;
	bool is_leaving;
	bool is_under; /* another row of the same seat */
};

static void write_name(const struct row *row, struct html *html)
{
	html_raw(html, "<th scope=\"row\" role=\"rowheader\">");
	if (row->seat->role == ROLE_SEQUENCER)
		html_raw(html, "sequencer");
	else
		html_format(html, "worker %u", row->i_seat);
	html_raw(html, "<small>");
	if (row->slot)
		html_format(html, "pid %" PRIu64, row->slot->pid);
	else
		html_raw(html, "no process");
	html_raw(html, "</small></th>");
}

/* What is said of a process, in a word and in small print. */
struct state {
	const char *class_name, *word;
	char detail[WORDS_SIZE];
};

/* Of a seat that nobody serves. */
static struct state state_of_empty(const struct row *row)
{
	const struct snapshot *s = row->view->snapshot;
	struct state state = { "error", "gone", "" };

	if (s->state == GATEWAY_draining || s->state == GATEWAY_stopped)
		return (struct state){ "unknown", "left", "" };
	if (row->seat->state == SEAT_crash_loop)
		state.word = "crash loop";
	if (row->seat->state == SEAT_backoff && row->seat->retry_at_ms > s->uptime_ms)
		snprintf(state.detail, sizeof state.detail, "restarts in %.1f s",
			 (double)(row->seat->retry_at_ms - s->uptime_ms) / 1e3);
	return state;
}

static struct state state_of(const struct row *row)
{
	const struct snapshot_slot *slot = row->slot;
	const char *hang = slot ? judge_hang(slot, row->view->limits) : NULL;
	struct state state = { "ok", seat_state_name(row->seat->state), "" };

	if (!slot)
		return state_of_empty(row);
	snprintf(state.detail, sizeof state.detail, "%s", phase_name(slot->phase));
	if (hang) {
		state.class_name = "error";
		state.word = "hung";
		snprintf(state.detail, sizeof state.detail, "%s, in %s", hang,
			 phase_name(slot->phase));
	} else if (row->is_leaving || slot->state != CHILD_up) {
		state.class_name = "degraded";
		state.word = slot->state == CHILD_stopping
				     ? "leaving"
				     : child_state_name(slot->state);
	}
	return state;
}

static void write_state(const struct row *row, struct html *html)
{
	const struct state state = state_of(row);

	html_raw(html, "<td role=\"cell\"><span class=\"state ");
	html_raw(html, state.class_name);
	html_raw(html, "\">");
	html_text(html, state.word);
	html_raw(html, "</span><small>");
	html_text(html, state.detail);
	html_raw(html, "</small></td>");
}

static void write_beat(const struct row *row, struct html *html)
{
	uint64_t age_ms = row->slot ? row->slot->beat_age_ns / MS_NS : 0;
	char words[WORDS_SIZE];

	html_raw(html, "<td role=\"cell\" class=\"number\">");
	if (!row->slot)
		html_raw(html, "none");
	else if (age_ms <= ON_TIME_MS)
		html_raw(html, "on time");
	else
		html_text(html, words_lasting(age_ms, words));
	html_raw(html, age_ms > ON_TIME_MS ? "<small>ago</small></td>" : "</td>");
}

static void write_connections(const struct row *row, struct html *html)
{
	char words[WORDS_SIZE];
	uint64_t n = row->slot ? row->slot->counters[COUNTER_links_active] : 0;

	html_raw(html, "<td role=\"cell\" class=\"number\">");
	if (row->seat->role == ROLE_WORKER)
		html_text(html, words_count(n, words));
	html_raw(html, "</td>");
}

static void write_restarts(const struct row *row, struct html *html)
{
	const struct snapshot_seat *seat = row->seat;

	html_raw(html, "<td role=\"cell\" class=\"number\">");
	if (!row->is_under)
		html_format(html, "%" PRIu64, seat->restarts);
	html_raw(html, "<small>");
	if (!row->is_under && seat->last_reason != EXIT_none) {
		html_text(html, exit_reason_name(seat->last_reason));
		if (seat->last_signal)
			html_format(html, ", signal %" PRIu64, seat->last_signal);
		else if (seat->last_code)
			html_format(html, ", code %" PRIu64, seat->last_code);
	}
	html_raw(html, "</small></td>");
}

static void write_row(const struct row *row, struct html *html)
{
	html_raw(html, row->is_under ? "<tr role=\"row\" class=\"leaving\">"
				     : "<tr role=\"row\">");
	write_name(row, html);
	write_state(row, html);
	write_beat(row, html);
	write_connections(row, html);
	write_restarts(row, html);
	html_raw(html, "</tr>");
}

/* The seat, then those who were there and are not gone yet; of a gateway that drains they
 * are all that is left of it. */
static void write_seat(const struct view *view, unsigned i, struct html *html)
{
	const struct snapshot *s = view->snapshot;
	struct row row = { .view = view, .seat = &s->seats[i], .i_seat = i };
	const struct snapshot_slot *serving = judge_serving(s, row.seat);
	bool is_told = serving || s->state != GATEWAY_draining;

	row.slot = serving;
	if (is_told)
		write_row(&row, html);
	for (unsigned j = 0; j < s->n_slots; j++) {
		row.slot = &s->slots[j];
		if (!row.slot->alive || row.slot->seat != i || row.slot == serving)
			continue;
		row.is_leaving = true;
		row.is_under = is_told;
		write_row(&row, html);
		is_told = true;
	}
	row = (struct row){ .view = view, .seat = &s->seats[i], .i_seat = i };
	if (!is_told)
		write_row(&row, html);
}

static void write_supervisor(const struct view *view, struct html *html)
{
	const struct snapshot *s = view->snapshot;
	char words[WORDS_SIZE];

	html_raw(html, "<p class=\"under\">Supervisor: ");
	html_format(html, "%s, pid %" PRIu64 ", ",
		    s->supervisor_alive ? gateway_state_name(s->state) : "gone", s->pid);
	if (s->beat_age_ns / MS_NS <= ON_TIME_MS)
		html_raw(html, "beat on time");
	else
		html_format(html, "last beat %s ago",
			    words_lasting(s->beat_age_ns / MS_NS, words));
	html_format(html, ", %" PRIu64 " %s, %" PRIu64 " %s.", s->reloads,
		    s->reloads == 1 ? "rolling restart" : "rolling restarts", s->aborts,
		    s->aborts == 1 ? "process aborted" : "processes aborted");
	html_raw(html, "</p>");
}

void page_processes(const struct view *view, struct html *html)
{
	const struct snapshot *s = view->snapshot;

	html_raw(html, "<section id=\"processes\" class=\"card\" "
		       "aria-labelledby=\"processes-title\">"
		       "<h2 id=\"processes-title\">Processes</h2>");
	if (s->look != LOOK_ok) {
		html_raw(html, "<p class=\"nothing\">None can be seen: ");
		html_text(html, s->reason);
		html_raw(html, "</p></section>");
		return;
	}
	html_raw(html,
		 "<table role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">"
		 "<th scope=\"col\" role=\"columnheader\">Process</th>"
		 "<th scope=\"col\" role=\"columnheader\">State</th>"
		 "<th scope=\"col\" role=\"columnheader\" class=\"number\">Beat</th>"
		 "<th scope=\"col\" role=\"columnheader\" class=\"number\">"
		 "Clients</th>"
		 "<th scope=\"col\" role=\"columnheader\" class=\"number\">Restarts"
		 "</th></tr></thead><tbody role=\"rowgroup\">");
	for (unsigned i = 0; i < s->n_seats; i++)
		write_seat(view, i, html);
	html_raw(html, "</tbody></table>");
	write_supervisor(view, html);
	html_raw(html, "</section>");
}
