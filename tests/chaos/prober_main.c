/*
 * prober - asks healthd without a pause, and judges every answer from outside.
 *
 *   prober [--rate N] [--connections N] [--tolerance N] [--journal FILE] PORT
 *
 * N questions a second (80) over N connections (8) on 127.0.0.1. What is so, and since
 * when, is told it on stdin, by whoever does it, before it is done:
 *
 *   begin ID ROW US [LASTS_MS]   a fault of tests/chaos/rows.def began at this wall-clock
 *                                time in microseconds
 *   done ID US                   it took hold only then: measured from there
 *   end ID US                    it was, or is about to be, repaired
 *   most N                       there are never more clients than that
 *   only PATH                    from now on only this one is asked for ("live")
 *   quit                         as the end of stdin
 *
 * After that it prints what it found. Each wrong answer is told as it comes,
 * in words; `fault ROW ID told_ms= well_ms=` once one is over; the last line counts:
 * `probes= claimed_well= claimed_ill= nonsense= counts= unanswered= p50_us= p99_us=
 * max_us= late_ms= excused=`. Exit 0 without a wrong answer, 1 with one, 2 when what it
 * is told makes no sense. Times of the rows are multiplied by the tolerance (3); where
 * the prober itself could not run (late_ms), nobody is blamed.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "common/check.h"
#include "tests/chaos/verdicts.h"

enum {
	JUDGE_MS = 50,
	LAST_US = 1000000, /* for the answers that are still to come */
	LINE_SIZE = 256
};

struct prober {
	uv_loop_t loop;
	uv_pipe_t in;
	uv_timer_t timer;
	struct asker *asker;
	struct verdicts verdicts;
	char line[LINE_SIZE];
	size_t len;
	bool confused; /* what it was told makes no sense */
	bool ended;
	uint64_t ended_us;
};

/* ---- what it is told -------------------------------------------------------------- */

static uint64_t monotonic(uint64_t wall_us)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return asker_now_us() -
	       ((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 - wall_us);
}

static void finish(struct prober *prober)
{
	if (prober->ended)
		return;
	uv_close((uv_handle_t *)&prober->in, NULL);
	asker_stop(prober->asker);
	prober->ended = true;
	prober->ended_us = asker_now_us();
}

static int ask_only(struct prober *prober, const char *name)
{
	static const char *const names[] = {
#define X(path, at) #path,
		PATHS(X)
#undef X
	};

	for (unsigned i = 0; i < PATH_COUNT; i++)
		if (!strcmp(names[i], name)) {
			asker_only(prober->asker, i);
			return 0;
		}
	return -1;
}

static void obey(struct prober *prober, const char *line)
{
	struct faults *faults = &prober->verdicts.faults;
	char id[24], row[40];
	uint64_t at_us;
	unsigned lasts_ms = 0;
	int r = -1;

	if (!*line)
		return;
	if (sscanf(line, "begin %23s %39s %" SCNu64 " %u", id, row, &at_us, &lasts_ms) >=
	    3)
		r = faults_begin(faults, id, row, monotonic(at_us), lasts_ms);
	else if (sscanf(line, "done %23s %" SCNu64, id, &at_us) == 2)
		r = faults_done(faults, id, monotonic(at_us));
	else if (sscanf(line, "end %23s %" SCNu64, id, &at_us) == 2)
		r = faults_end(faults, id, monotonic(at_us));
	else if (sscanf(line, "most %" SCNu64, &prober->verdicts.most) == 1)
		r = 0;
	else if (sscanf(line, "only %23s", id) == 1)
		r = ask_only(prober, id);
	else if (!strcmp(line, "quit")) {
		finish(prober);
		r = 0;
	}
	if (r < 0) {
		printf("prober: makes no sense: %s\n", line);
		prober->confused = true;
	}
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct prober *prober = (struct prober *)handle->data;

	*ret_buffer = uv_buf_init(prober->line + prober->len,
				  (unsigned)(LINE_SIZE - 1 - prober->len));
}

static void on_told(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct prober *prober = (struct prober *)stream->data;
	char *end;

	if (n < 0) {
		finish(prober);
		return;
	}
	prober->len += (size_t)n;
	prober->line[prober->len] = '\0';
	while ((end = strchr(prober->line, '\n')) != NULL) {
		*end = '\0';
		obey(prober, prober->line);
		prober->len -= (size_t)(end + 1 - prober->line);
		memmove(prober->line, end + 1, prober->len + 1);
	}
	if (prober->len == LINE_SIZE - 1)
		prober->len = 0;
}

/* ---- what it does ----------------------------------------------------------------- */

static void on_answer(void *context, const struct answer *answer)
{
	verdicts_heard(&((struct prober *)context)->verdicts, answer);
}

static void on_judge(uv_timer_t *timer)
{
	struct prober *prober = (struct prober *)timer->data;
	uint64_t now_us = asker_now_us();

	verdicts_excuse(&prober->verdicts, now_us, asker_late_us(prober->asker));
	verdicts_judge(&prober->verdicts, now_us - JUDGED_AFTER_US);
	(void)fflush(stdout);
	if (prober->ended && now_us - prober->ended_us > LAST_US) {
		uv_close((uv_handle_t *)timer, NULL);
		asker_free(prober->asker);
	}
}

static int run(struct prober *prober, unsigned port, unsigned lines, unsigned rate)
{
	uint64_t wrong;

	CHECK(!uv_loop_init(&prober->loop));
	prober->in.data = prober->timer.data = prober;
	CHECK(!uv_pipe_init(&prober->loop, &prober->in, 0));
	CHECK(!uv_timer_init(&prober->loop, &prober->timer));
	CHECK(!asker_new(&prober->loop, port, lines, rate, on_answer, prober,
			 &prober->asker));
	CHECK(!uv_timer_start(&prober->timer, on_judge, JUDGE_MS, JUDGE_MS));
	if (uv_pipe_open(&prober->in, 0) ||
	    uv_read_start((uv_stream_t *)&prober->in, on_room, on_told)) {
		fprintf(stderr, "prober: stdin must be a pipe\n");
		return 2;
	}
	(void)uv_run(&prober->loop, UV_RUN_DEFAULT); /* nothing is left when it ends */
	CHECK(!uv_loop_close(&prober->loop));
	verdicts_judge(&prober->verdicts, UINT64_MAX);
	wrong = verdicts_tell(&prober->verdicts);
	verdicts_release(&prober->verdicts);
	return prober->confused ? 2 : wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned numbers[] = { 80, 8, 3 };
	static const char *const names[] = { "--rate", "--connections", "--tolerance" };
	struct prober prober = { .len = 0 };
	const char *journal = NULL;
	int i = 1, r;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		bool known = false;

		for (unsigned j = 0; j < 3; j++)
			if (!strcmp(argv[i], names[j])) {
				numbers[j] = (unsigned)strtoul(argv[i + 1], NULL, 10);
				known = true;
			}
		if (!strcmp(argv[i], "--journal"))
			journal = argv[i + 1];
		else if (!known)
			break;
	}
	if (i + 1 != argc || !numbers[0] || !numbers[1] || !numbers[2]) {
		fprintf(stderr, "usage: prober [--rate N] [--connections N] "
				"[--tolerance N] [--journal FILE] PORT\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* told by the write */
	verdicts_init(&prober.verdicts, numbers[2]);
	if (journal) {
		prober.verdicts.journal = fopen(journal, "we");
		CHECK(prober.verdicts.journal);
	}
	setlinebuf(stdout);
	r = run(&prober, (unsigned)strtoul(argv[i], NULL, 10), numbers[1], numbers[0]);
	if (prober.verdicts.journal)
		(void)fclose(prober.verdicts.journal);
	return r;
}
