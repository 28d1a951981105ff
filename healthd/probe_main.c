/*
 * parley-probe - answers an exec probe from the segment: exit 0 for yes, 1 for no.
 *
 * Reads the segment itself, so that healthd's own death need not end a healthy gateway.
 * A yes needs a supervisor whose beat was seen to move and, where clients are the
 * question, a worker whose beat was; that takes about a tenth of a second. A beat that
 * does not move for --wait milliseconds is called hung. A no is asked for once more
 * before it is told. There is no grace and no hysteresis: who asks has his own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/settings.h"
#include "healthd/watch.h"

enum {
	WAIT_DEFAULT_MS = 1100,
	WAIT_MIN_MS = 200, /* two beats */
	WAIT_MAX_MS = 60000,
	LOOK_MS = 10,
	NO_MS = 30 /* how long a no must last; a gateway may be taking the name over */
};

struct question {
	const char *name;
	bool (*answer)(const struct verdict *, const char **ret_reason);
	bool needs_worker; /* to be seen to turn */
};

static bool is_live(const struct verdict *v, const char **ret_reason)
{
	*ret_reason = v->live_reason;
	return v->live;
}

static bool is_ready(const struct verdict *v, const char **ret_reason)
{
	*ret_reason = v->ready_reason;
	return v->ready_now;
}

static bool is_started(const struct verdict *v, const char **ret_reason)
{
	*ret_reason = v->startup_reason;
	return v->startup;
}

static bool is_served(const struct verdict *v, const char **ret_reason)
{
	*ret_reason = v->n_reasons > 0 ? v->reasons[0] : "";
	return v->websocket_ok;
}

static const struct question questions[] = {
	{ "live", is_live, false },
	{ "ready", is_ready, true },
	{ "startup", is_started, false },
	{ "websocket", is_served, true },
};

static bool worker_moved(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_slots; i++) {
		const struct snapshot_slot *slot = &s->slots[i];

		if (slot->alive && slot->role == ROLE_WORKER &&
		    slot->state != CHILD_aborting && slot->beat_moved)
			return true;
	}
	return false;
}

/* Whether the beats that a yes needs were seen to move. An unreadable segment of a living
 * gateway has none to see. */
static bool has_moved(const struct snapshot *s, const struct question *question)
{
	if (s->look != LOOK_ok)
		return s->supervisor_known && s->supervisor_alive;
	return s->beat_moved && (!question->needs_worker || worker_moved(s));
}

static bool ask(struct watch *watch, const struct question *question, uint64_t wait_ms,
		const char **ret_reason)
{
	const uint64_t start_ns = clock_mono_ns();

	for (;; clock_nap_ms(LOOK_MS)) {
		uint64_t now_ns = clock_mono_ns(), gone_ms = (now_ns - start_ns) / MS_NS;
		bool yes;

		watch_look(watch, now_ns);
		yes = question->answer(watch_verdict(watch), ret_reason);
		if (yes && has_moved(watch_snapshot(watch), question))
			return true;
		if (!yes && gone_ms >= NO_MS)
			return false;
		if (gone_ms > wait_ms) {
			*ret_reason = "hung: no beat was seen";
			return false;
		}
	}
}

/* ---- the command line ---------------------------------------------------------- */

static const struct question *find_question(const char *name)
{
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		if (strcmp(questions[i].name, name) == 0)
			return &questions[i];
	return NULL;
}

/* The value of --wait, whose presence settings_start has checked. */
static int read_wait(int argc, char **argv, uint64_t *ret_ms)
{
	*ret_ms = WAIT_DEFAULT_MS;
	for (int i = 1; i < argc; i++) {
		const char *text = NULL;
		char *end;

		if (strncmp(argv[i], "--wait=", 7) == 0)
			text = argv[i] + 7;
		else if (strcmp(argv[i], "--wait") == 0 && i + 1 < argc)
			text = argv[++i];
		if (!text)
			continue;
		*ret_ms = strtoull(text, &end, 10);
		if (!*text || *end || *ret_ms < WAIT_MIN_MS || *ret_ms > WAIT_MAX_MS)
			return -EINVAL;
	}
	return 0;
}

static int probe(const struct settings *settings, const struct question *question,
		 uint64_t wait_ms)
{
	uint64_t report_ms = (uint64_t)settings->hang_report_ms;
	const struct judge_limits limits = {
		.hang_report_ms = report_ms < wait_ms ? report_ms : wait_ms,
		.hang_act_ms = (uint64_t)settings->hang_act_ms,
		.store_slow_ms = (uint64_t)settings->store_slow_ms,
		.ready_needs_store = strcmp(settings->ready_needs_store, "yes") == 0,
		.tls_warn_days = (uint64_t)settings->tls_warn_days,
	};
	const char *reason;
	struct watch *watch;
	int rc = watch_new(settings->segment, &limits, &watch);
	bool yes;

	if (rc < 0) {
		printf("%s: error: %s\n", question->name, strerror(-rc));
		return 1;
	}
	yes = ask(watch, question, wait_ms, &reason);
	if (yes)
		printf("%s: ok\n", question->name);
	else
		printf("%s: error: %s\n", question->name, reason);
	watch_free(watch);
	return !yes;
}

int main(int argc, char **argv)
{
	static const char *const own[] = { "wait=", NULL };
	static const char usage[] = "parley-probe [live|ready|startup|websocket] "
				    "[--wait MS] [settings]";
	const struct question *question = &questions[0];
	static struct settings settings;
	uint64_t wait_ms;
	int rc;

	if (argc > 1 && argv[1][0] != '-') {
		question = find_question(argv[1]);
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	rc = settings_start(&settings, SETTINGS_TOOL, usage, argc, argv, environ, own,
			    NULL);
	if (rc != 0)
		return rc < 0 ? SETTINGS_EXIT : 0;
	if (!question || read_wait(argc, argv, &wait_ms) < 0) {
		fprintf(stderr, "usage: %s\n(MS is %d to %d)\n", usage, WAIT_MIN_MS,
			WAIT_MAX_MS);
		return SETTINGS_EXIT;
	}
	return probe(&settings, question, wait_ms);
}
