/*
 * parley-stat - shows what healthd knows, on a terminal: once, as JSON, or refreshing;
 * and drains the gateway (drain.h).
 *
 * Reads the segment itself. Looks for a quarter of a second before it shows anything, so
 * that beats have had time to move. Exit 0 when there was a segment to be read, else 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/settings.h"
#include "healthd/drain.h"
#include "healthd/report.h"
#include "healthd/stat.h"
#include "healthd/watch.h"

enum {
	FIRST_MS = 250,
	REFRESH_DEFAULT_MS = 1000,
	REFRESH_MIN_MS = 100,
	REFRESH_MAX_MS = 3600000
};

struct wish {
	bool json;
	uint64_t refresh_ms; /* 0: once */
	struct drain_wish drain;
};

static void look_for(struct watch *watch, uint64_t ms)
{
	const uint64_t end_ns = clock_mono_ns() + ms * MS_NS;

	do {
		clock_nap_ms(WATCH_PERIOD_MS);
		watch_look(watch, clock_mono_ns());
	} while (clock_mono_ns() < end_ns);
}

static int show_json(const struct view *view)
{
	json_t *object = report_all(view);
	int rc = object ? json_dumpf(object, stdout, REPORT_FORMAT) : -1;

	json_decref(object);
	putchar('\n');
	return rc < 0 ? -ENOMEM : 0;
}

/* A whole picture in one write, so that it does not flicker. */
static int show_table(const struct view *view, struct stat_last *last, bool clear)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -errno;
	if (clear)
		fputs("\033[H\033[J", out);
	stat_print(view, last, clock_mono_ns(), out);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	fwrite(text, 1, len, stdout);
	free(text);
	return 0;
}

static int show(struct watch *watch, const struct judge_limits *limits,
		const struct wish *wish)
{
	const bool clear = wish->refresh_ms > 0 && isatty(STDOUT_FILENO);
	struct stat_last last = { .known = false };
	int rc;

	look_for(watch, FIRST_MS);
	for (;; look_for(watch, wish->refresh_ms)) {
		const struct view view = { .snapshot = watch_snapshot(watch),
					   .verdict = watch_verdict(watch),
					   .limits = limits,
					   .wall_ms = clock_wall_ms() };

		rc = wish->json ? show_json(&view) : show_table(&view, &last, clear);
		if (rc < 0 || fflush(stdout) != 0)
			return 1;
		if (wish->refresh_ms == 0)
			return view.snapshot->look != LOOK_ok;
		if (!wish->json && !clear)
			putchar('\n');
	}
}

static int run(const struct settings *settings, const struct wish *wish)
{
	/* Without a grace: who asks once has not seen how long it is so. */
	const struct judge_limits limits = {
		.hang_report_ms = (uint64_t)settings->hang_report_ms,
		.hang_act_ms = (uint64_t)settings->hang_act_ms,
		.store_slow_ms = (uint64_t)settings->store_slow_ms,
		.ready_needs_store = strcmp(settings->ready_needs_store, "yes") == 0,
		.tls_warn_days = (uint64_t)settings->tls_warn_days,
	};
	struct watch *watch;
	int rc = watch_new(settings->segment, &limits, &watch);

	if (rc < 0) {
		fprintf(stderr, "parley-stat: %s\n", strerror(-rc));
		return 1;
	}
	rc = wish->drain.asked ? drain_run(watch, &wish->drain)
			       : show(watch, &limits, wish);
	watch_free(watch);
	return rc;
}

/* ---- the command line ---------------------------------------------------------- */

/* 1: a word of ours. 0: not. Negative: ours, and wrong. */
static int take_word(const char *text, struct wish *wish)
{
	char *end;
	int rc = drain_take_word(text, &wish->drain);

	if (rc != 0)
		return rc;
	if (strcmp(text, "--json") == 0) {
		wish->json = true;
		return 1;
	}
	if (strcmp(text, "--watch") == 0) {
		wish->refresh_ms = REFRESH_DEFAULT_MS;
		return 1;
	}
	if (strncmp(text, "--watch=", 8) != 0)
		return 0;
	wish->refresh_ms = strtoull(text + 8, &end, 10);
	if (!text[8] || *end || wish->refresh_ms < REFRESH_MIN_MS ||
	    wish->refresh_ms > REFRESH_MAX_MS)
		return -EINVAL;
	return 1;
}

/* Takes our own words out of argv; returns how many are left. */
static int take_words(int argc, char **argv, struct wish *wish)
{
	int left = 1;

	/* Only as the first word: further on it may be a value. */
	wish->drain.asked = argc > 1 && strcmp(argv[1], "drain") == 0;
	for (int i = 1 + wish->drain.asked; i < argc; i++) {
		int rc = take_word(argv[i], wish);

		if (rc < 0)
			return rc;
		if (rc == 0)
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

int main(int argc, char **argv)
{
	static struct settings settings;
	struct wish wish = { .json = false };
	int rc;

	argc = take_words(argc, argv, &wish);
	if (argc < 0) {
		fprintf(stderr,
			"parley-stat: --watch takes %d to %d milliseconds, --timeout "
			"seconds\n",
			REFRESH_MIN_MS, REFRESH_MAX_MS);
		return SETTINGS_EXIT;
	}
	rc = settings_start(&settings, SETTINGS_TOOL,
			    "parley-stat [--json] [--watch[=MS]] | " DRAIN_USAGE
			    " [settings]",
			    argc, argv, environ, NULL, NULL);
	if (rc != 0)
		return rc < 0 ? SETTINGS_EXIT : 0;
	return run(&settings, &wish);
}
