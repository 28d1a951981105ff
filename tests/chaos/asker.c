#include "tests/chaos/asker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"

enum {
	TICK_MS = 2,
	LATE_US = 100000, /* beyond it we did not run */
	SILENCE_US = 5000000,
	TEXT_MAX = 1 << 20
};

enum line_state {
	LINE_GONE,
	LINE_DIALLING,
	LINE_IDLE,
	LINE_ASKING,
	LINE_CLOSING,
};

struct line {
	uv_tcp_t tcp; /* first */
	uv_connect_t connect;
	struct asker *asker;
	enum line_state state;
	bool fresh;   /* it has brought no answer yet */
	bool pending; /* a question has no answer */
	enum path path;
	uint64_t asked_us;
	char *text;
	size_t len, size;
};

struct asker {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct sockaddr_in to;
	void (*told)(void *context, const struct answer *answer);
	void *context;
	unsigned rate, n_lines, n_open; /* open: handles */
	uint64_t begin_us, tick_us, late_us, n_asked;
	bool stopped, ending, only;
	enum path path; /* with `only` */
	struct line lines[];
};

/* Of 16 questions; the count of the gateway's clients most often, metrics once. */
static const enum path turns[] = {
	PATH_websocket, PATH_live,      PATH_websocket, PATH_ready,
	PATH_websocket, PATH_database,  PATH_websocket, PATH_live,
	PATH_websocket, PATH_ready,     PATH_websocket, PATH_database,
	PATH_websocket, PATH_websocket, PATH_live,      PATH_metrics,
};

static const char *const requests[] = {
#define X(name, at) [PATH_##name] = "GET " at " HTTP/1.1\r\nHost: localhost\r\n\r\n",
	PATHS(X)
#undef X
};

uint64_t asker_now_us(void)
{
	return clock_mono_ns() / 1000;
}

/* ---- a question and its end ------------------------------------------------------- */

static void finish(struct line *line, const char *failure, unsigned code,
		   const char *body)
{
	struct answer answer = {
		.path = line->path,
		.asked_us = line->asked_us,
		.answered_us = asker_now_us(),
		.failure = failure,
		.code = code,
		.body = body,
	};

	line->pending = false;
	line->asker->told(line->asker->context, &answer);
}

static void dial(struct line *line);

static void release(struct asker *asker)
{
	if (--asker->n_open)
		return;
	for (unsigned i = 0; i < asker->n_lines; i++)
		free(asker->lines[i].text);
	free(asker);
}

static void on_closed(uv_handle_t *handle)
{
	struct line *line = (struct line *)handle;

	line->state = LINE_GONE;
	if (line->pending && !line->asker->ending)
		dial(line);
	release(line->asker);
}

static void hang_up(struct line *line)
{
	if (line->state == LINE_GONE || line->state == LINE_CLOSING)
		return;
	line->state = LINE_CLOSING;
	uv_close((uv_handle_t *)&line->tcp, on_closed);
}

/* The connection ended by itself. */
static void lose(struct line *line, const char *why)
{
	bool again = !line->fresh && line->len == 0;

	if (line->pending && !again)
		finish(line, why, 0, "");
	hang_up(line);
}

static void say(struct line *line)
{
	const char *request = requests[line->path];
	uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)request,
				      (unsigned)strlen(request));

	line->state = LINE_ASKING;
	line->len = 0;
	if (uv_try_write((uv_stream_t *)&line->tcp, &buffer, 1) != (int)buffer.len)
		lose(line, "cannot be written to");
}

/* ---- what comes ------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct line *line = (struct line *)handle;

	if (line->size - line->len < 4096 && line->size < TEXT_MAX) {
		line->size = line->size ? line->size * 2 : 8192;
		line->text = realloc(line->text, line->size);
		CHECK(line->text);
	}
	*ret_buffer = uv_buf_init(line->text + line->len,
				  (unsigned)(line->size - line->len - 1));
}

static void take(struct line *line)
{
	char *end, *length;
	unsigned code = 0;
	size_t head, body;

	line->text[line->len] = '\0';
	end = strstr(line->text, "\r\n\r\n");
	if (!end || !line->pending)
		return;
	head = (size_t)(end + 4 - line->text);
	length = strcasestr(line->text, "content-length: ");
	if (!length || length > end || sscanf(line->text, "HTTP/1.1 %3u ", &code) != 1) {
		line->fresh = true;
		lose(line, "no HTTP");
		return;
	}
	body = strtoul(length + 16, NULL, 10);
	if (line->len < head + body)
		return;
	line->text[head + body] = '\0';
	line->state = LINE_IDLE;
	line->fresh = false;
	finish(line, NULL, code, line->text + head);
	line->len = 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct line *line = (struct line *)stream;

	if (n == 0)
		return;
	if (n < 0) {
		lose(line, n == UV_EOF ? "ended" : uv_err_name((int)n));
		return;
	}
	line->len += (size_t)n;
	take(line);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct line *line = (struct line *)request->data;

	if (line->state == LINE_CLOSING)
		return;
	line->fresh = true;
	line->len = 0;
	if (status < 0) {
		lose(line, uv_err_name(status));
		return;
	}
	(void)uv_tcp_nodelay(&line->tcp, 1); /* else slower */
	CHECK(!uv_read_start((uv_stream_t *)&line->tcp, on_room, on_read));
	say(line);
}

static void dial(struct line *line)
{
	struct asker *asker = line->asker;

	CHECK(!uv_tcp_init(asker->loop, &line->tcp));
	asker->n_open++;
	line->state = LINE_DIALLING;
	line->connect.data = line;
	if (uv_tcp_connect(&line->connect, &line->tcp, (struct sockaddr *)&asker->to,
			   on_connected)) {
		line->fresh = true;
		lose(line, "cannot dial");
	}
}

/* ---- the clock -------------------------------------------------------------------- */

static void ask(struct line *line, enum path path)
{
	line->path = path;
	line->asked_us = asker_now_us();
	line->pending = true;
	if (line->state == LINE_IDLE)
		say(line);
	else
		dial(line);
}

static void watch_silence(struct line *line, uint64_t now_us)
{
	if (!line->pending || now_us - line->asked_us < SILENCE_US)
		return;
	finish(line, "silence", 0, "");
	hang_up(line);
}

static void on_tick(uv_timer_t *timer)
{
	struct asker *asker = (struct asker *)timer->data;
	uint64_t now_us = asker_now_us(), due;

	if (now_us - asker->tick_us > LATE_US)
		asker->late_us += now_us - asker->tick_us;
	asker->tick_us = now_us;
	due = (now_us - asker->begin_us) * asker->rate / 1000000;
	for (unsigned i = 0; i < asker->n_lines; i++) {
		struct line *line = &asker->lines[i];
		bool free_line = !line->pending &&
				 (line->state == LINE_IDLE || line->state == LINE_GONE);

		watch_silence(line, now_us);
		if (asker->stopped || !free_line || asker->n_asked >= due)
			continue;
		ask(line,
		    asker->only
			    ? asker->path
			    : turns[asker->n_asked % (sizeof(turns) / sizeof(turns[0]))]);
		asker->n_asked++;
	}
	/* What could not be asked in time is not caught up with. */
	if (due > asker->n_asked + asker->n_lines)
		asker->begin_us = now_us - asker->n_asked * 1000000 / asker->rate;
}

int asker_new(uv_loop_t *loop, unsigned port, unsigned n_lines, unsigned rate,
	      void (*told)(void *context, const struct answer *answer), void *context,
	      struct asker **ret_asker)
{
	struct asker *asker = calloc(1, sizeof(*asker) + n_lines * sizeof(struct line));

	if (!asker)
		return -ENOMEM;
	asker->loop = loop;
	asker->told = told;
	asker->context = context;
	asker->rate = rate;
	asker->n_lines = n_lines;
	asker->begin_us = asker->tick_us = asker_now_us();
	CHECK(!uv_ip4_addr("127.0.0.1", (int)port, &asker->to));
	for (unsigned i = 0; i < n_lines; i++)
		asker->lines[i].asker = asker;
	CHECK(!uv_timer_init(loop, &asker->timer));
	asker->timer.data = asker;
	asker->n_open = 1;
	CHECK(!uv_timer_start(&asker->timer, on_tick, TICK_MS, TICK_MS));
	*ret_asker = asker;
	return 0;
}

void asker_only(struct asker *asker, enum path path)
{
	asker->only = true;
	asker->path = path;
}

void asker_stop(struct asker *asker)
{
	asker->stopped = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
	release((struct asker *)handle->data);
}

void asker_free(struct asker *asker)
{
	asker->ending = true;
	for (unsigned i = 0; i < asker->n_lines; i++)
		hang_up(&asker->lines[i]);
	uv_close((uv_handle_t *)&asker->timer, on_timer_closed);
}

uint64_t asker_late_us(struct asker *asker)
{
	uint64_t late_us = asker->late_us;

	asker->late_us = 0;
	return late_us;
}
