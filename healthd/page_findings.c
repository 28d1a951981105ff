#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "healthd/page_parts.h"

static void write_took(struct html *html, const char *name, bool known, uint64_t us)
{
	char words[WORDS_SIZE] = "unknown";

	if (known)
		snprintf(words, sizeof words, "%.1f ms", (double)us / 1e3);
	html_fact(html, name, words);
}

/* ---- the canary ------------------------------------------------------------------ */

static void write_workers(const struct canary_found *found, struct html *html)
{
	unsigned n_known = 0, n_well = 0;
	char words[WORDS_SIZE];

	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++) {
		const struct canary_seat *seat = &found->seats[i];

		n_known += seat->generation && (seat->passed || seat->failures);
		n_well += seat->generation && seat->passed && !seat->failures;
	}
	snprintf(words, sizeof words, "%u of %u", n_well, n_known);
	html_fact(html, "Workers it passed", words);
}

void page_canary(const struct view *view, struct html *html)
{
	const struct canary_found *found = view->findings->canary;
	const struct canary_seat *last = &found->last;
	uint64_t age_ns = found->now_ns > last->ok_ns ? found->now_ns - last->ok_ns : 0;
	uint64_t n_failed = 0;
	char words[WORDS_SIZE];

	for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++)
		n_failed += found->n_failed[i];
	page_card(html, "Canary",
		  found->state == CANARY_off ? "unknown"
					     : canary_state_name(found->state),
		  canary_state_name(found->state));
	page_why(html, found->reason);
	html_raw(html, "<dl>");
	write_took(html, "A message took", last->passed, last->delivered_us);
	write_workers(found, html);
	html_fact(html, "Last passed, ago",
		  last->passed ? words_lasting(age_ns / MS_NS, words) : "never");
	html_fact_count(html, "Tries that failed", true, n_failed);
	html_raw(html, "</dl></section>");
}

/* ---- the audit ------------------------------------------------------------------- */

static void write_drifts(const struct audit_found *found, struct html *html)
{
	for (unsigned i = 0; i < SEGMENT_SEATS_MAX; i++) {
		if (!found->seats[i].known || found->seats[i].drift == 0)
			continue;
		html_raw(html, "<div><dt>");
		html_format(html, "Drift of worker %u", i);
		html_raw(html, "</dt><dd>");
		html_format(html, "%+" PRId64, found->seats[i].drift);
		html_raw(html, "</dd></div>");
	}
}

void page_audit(const struct view *view, struct html *html)
{
	const struct audit_found *found = view->findings->audit;
	char words[WORDS_SIZE] = "unknown";

	page_card(html, "Audit",
		  found->state == AUDIT_off ? "unknown" : audit_state_name(found->state),
		  audit_state_name(found->state));
	page_why(html, found->reason);
	html_raw(html, "<dl>");
	html_fact_count(html, "Sockets by the kernel", found->known, found->sockets);
	if (found->known && found->drift != 0)
		snprintf(words, sizeof words, "%+" PRId64, found->drift);
	else if (found->known)
		snprintf(words, sizeof words, "none");
	html_fact(html, "Drift of the counts", words);
	if (found->known)
		write_drifts(found, html);
	html_fact(html, "Asked by", found->source ? found->source : "nothing yet");
	html_fact_count(html, "Looks", true, found->n_looks);
	html_raw(html, "</dl></section>");
}
