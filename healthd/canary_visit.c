#include "healthd/canary_visit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

/* ---- the end -------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct visit *visit = handle->data;

	if (--visit->n_open)
		return;
	canary_tls_free(visit->tls);
	visit->done(visit->app, &visit->result);
}

__attribute__((format(printf, 3, 4))) static void end(struct visit *visit,
						      enum visit_end how,
						      const char *format, ...)
{
	va_list args;

	if (visit->ending)
		return;
	visit->ending = true;
	visit->result.end = how;
	va_start(args, format);
	vsnprintf(visit->result.why, sizeof visit->result.why, format, args);
	va_end(args);
	uv_close((uv_handle_t *)&visit->tcp, on_closed);
	uv_close((uv_handle_t *)&visit->deadline, on_closed);
}

void visit_stop(struct visit *visit)
{
	end(visit, VISIT_failed, "it was stopped");
}

static void on_deadline(uv_timer_t *timer)
{
	struct visit *visit = timer->data;

	end(visit, VISIT_failed, "nothing for %.1f s",
	    (double)visit->wish.timeout_ms / 1e3);
}

/* ---- writing -------------------------------------------------------------------- */

/* A few hundred bytes always fit into a fresh socket: there is nothing to wait for. */
static void put(struct visit *visit, const void *bytes, int len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, len > 0 ? (unsigned)len : 0);
	int rc = len > 0 ? uv_try_write((uv_stream_t *)&visit->tcp, &buf, 1) : len;

	if (rc != len || rc < 0)
		end(visit, VISIT_failed, "cannot write: %s",
		    rc < 0 ? uv_strerror(rc) : "only in part");
}

static void put_ciphered(struct visit *visit)
{
	uint8_t out[2048];
	size_t len;

	while (!visit->ending && (len = canary_tls_give(visit->tls, out, sizeof out)) > 0)
		put(visit, out, (int)len);
}

static void say(struct visit *visit, const void *bytes, int len)
{
	if (!visit->tls || len < 0) {
		put(visit, bytes, len);
	} else if (canary_tls_write(visit->tls, bytes, (size_t)len) < 0) {
		end(visit, VISIT_failed, "cannot write: TLS has ended");
	} else {
		put_ciphered(visit);
	}
}

static void say_goodbye(struct visit *visit)
{
	uint8_t frame[16];

	say(visit, frame, canary_write_close(frame, sizeof frame));
}

/* The file's text, a regular one's only: no other could be read without waiting. */
static int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	ssize_t len;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		(void)close(fd); /* was only looked at */
		return -EINVAL;
	}
	len = read(fd, text, size);
	if (len < 0)
		len = -errno;
	(void)close(fd); /* was only read */
	return (int)len;
}

static int read_token(struct visit *visit, char token[CANARY_TOKEN_MAX + 1])
{
	int len;

	*token = 0;
	if (!*visit->wish.token_file)
		return 0;
	len = read_file(visit->wish.token_file, token, CANARY_TOKEN_MAX);
	if (len < 0)
		return len;
	visit->has_token = true;
	return canary_token(token, (size_t)len);
}

static void say_handshake(struct visit *visit)
{
	char token[CANARY_TOKEN_MAX + 1], out[CANARY_TOKEN_MAX + 512];
	int rc = read_token(visit, token);
	const struct canary_handshake handshake = { visit->wish.host,
						    visit->wish.instance, token };

	if (rc < 0) {
		end(visit, VISIT_untried, "the token cannot be read: %s", strerror(-rc));
		return;
	}
	say(visit, out, canary_write_handshake(&handshake, out, sizeof out));
	explicit_bzero(token, sizeof token);
	explicit_bzero(out, sizeof out);
}

static void say_join(struct visit *visit)
{
	uint8_t frame[512];

	say(visit, frame, canary_write_join(visit->wish.room, frame, sizeof frame));
}

static void say_message(struct visit *visit)
{
	uint8_t frame[512];
	uint64_t random = uv_hrtime();

	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK); /* or the time will do */
	snprintf(visit->id, sizeof visit->id, "canary-%016" PRIx64, random);
	visit->sent_ns = clock_mono_ns();
	say(visit, frame,
	    canary_write_send(visit->wish.room, visit->id, frame, sizeof frame));
}

/* ---- hearing -------------------------------------------------------------------- */

static void on_answer(struct visit *visit, const struct canary_in *in)
{
	visit->result.worker = in->worker;
	visit->result.answered = true;
	if (in->status == 401 && !visit->has_token)
		end(visit, VISIT_no_token, "no token");
	else if (in->status != 101)
		end(visit, VISIT_failed, "refused with %u", in->status);
	else if (in->worker < 0)
		end(visit, VISIT_failed, "the worker is not told");
	else if (visit->wish.known >> in->worker & 1)
		end(visit, VISIT_known, "%s", "");
	else
		visit->result.stage = CANARY_AT_welcome;
}

static void took(struct visit *visit, bool *what, uint64_t *ret_us)
{
	*what = true;
	*ret_us = (clock_mono_ns() - visit->sent_ns) / 1000;
	visit->result.stage = visit->is_sent ? CANARY_AT_delivered : CANARY_AT_sent;
	if (!visit->is_sent || !visit->is_delivered)
		return;
	say_goodbye(visit);
	end(visit, VISIT_passed, "%s", "");
}

static void on_text(struct visit *visit, const struct canary_in *in)
{
	enum canary_stage stage = visit->result.stage;
	char code[CANARY_CODE_SIZE];
	enum canary_op op = canary_understand(in->data, in->len, visit->wish.room,
					      visit->id, code);

	if (op == CANARY_SAYS_garbage) {
		end(visit, VISIT_failed, "a message that is no JSON object");
	} else if (op == CANARY_SAYS_error) {
		end(visit, VISIT_failed, "answered %s", *code ? code : "an error");
	} else if (op == CANARY_SAYS_welcome && stage == CANARY_AT_welcome) {
		visit->result.stage = CANARY_AT_join;
		say_join(visit);
	} else if (op == CANARY_SAYS_joined && stage == CANARY_AT_join) {
		visit->result.stage = CANARY_AT_sent;
		say_message(visit);
	} else if (op == CANARY_SAYS_sent && visit->sent_ns && !visit->is_sent) {
		took(visit, &visit->is_sent, &visit->result.sent_us);
	} else if (op == CANARY_SAYS_message && visit->sent_ns && !visit->is_delivered) {
		took(visit, &visit->is_delivered, &visit->result.delivered_us);
	}
}

static void on_ping(struct visit *visit, const struct canary_in *in)
{
	uint8_t frame[140];

	say(visit, frame, canary_write_pong(in->data, in->len, frame, sizeof frame));
}

static void hear(struct visit *visit)
{
	struct canary_in in;

	do {
		canary_next(&visit->reader, &in);
		switch (in.heard) {
		case CANARY_MORE: break;
		case CANARY_ANSWER: on_answer(visit, &in); break;
		case CANARY_TLS: end(visit, VISIT_tls, "TLS is spoken there"); break;
		case CANARY_TEXT: on_text(visit, &in); break;
		case CANARY_PING: on_ping(visit, &in); break;
		case CANARY_CLOSE:
			end(visit, VISIT_failed, "closed with %u", in.status);
			break;
		case CANARY_BREACH: end(visit, VISIT_failed, "%s", in.why); break;
		}
	} while (in.heard != CANARY_MORE && !visit->ending);
}

/* Nothing was ever said by who hangs up on plain HTTP: as TLS does. */
static void on_end(struct visit *visit, int error)
{
	bool mute = !visit->tls && visit->result.stage == CANARY_AT_handshake &&
		    visit->reader.total == 0;

	end(visit, mute ? VISIT_tls : VISIT_failed, "%s",
	    error == UV_EOF ? "the connection was closed" : uv_strerror(error));
}

/* What the ciphered bytes say, in turns that fit into the reader. */
static void hear_ciphered(struct visit *visit)
{
	uint8_t *at;
	int len = 0;

	while (!visit->ending) {
		size_t space = canary_space(&visit->reader, &at);

		len = canary_tls_read(visit->tls, at, space);
		if (len <= 0)
			break;
		canary_added(&visit->reader, (size_t)len);
		hear(visit);
	}
	if (len < 0)
		end(visit, VISIT_failed, "TLS %s",
		    len == -EPIPE ? "was ended" : "failed");
}

static void take_ciphered(struct visit *visit, size_t len)
{
	int rc;

	visit->n_ciphered += len;
	rc = visit->n_ciphered > 2 * CANARY_TOTAL_MAX
		     ? -EPROTO
		     : canary_tls_take(visit->tls, visit->ciphered, len);
	put_ciphered(visit);
	if (rc < 0) {
		end(visit, VISIT_failed, "TLS failed");
		return;
	}
	if (rc == 1 && !visit->is_secret && !visit->ending) {
		visit->is_secret = true;
		say_handshake(visit);
	}
	if (visit->is_secret)
		hear_ciphered(visit);
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct visit *visit = handle->data;
	uint8_t *at = visit->ciphered;

	ret_buf->len = visit->tls ? sizeof visit->ciphered
				  : canary_space(&visit->reader, &at);
	ret_buf->base = (char *)at;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct visit *visit = stream->data;

	if (visit->ending)
		return;
	if (n < 0) {
		on_end(visit, (int)n);
		return;
	}
	if (visit->tls) {
		take_ciphered(visit, (size_t)n);
		return;
	}
	canary_added(&visit->reader, (size_t)n);
	hear(visit);
}

/* ---- connecting ----------------------------------------------------------------- */

/* What fails for a want of ours says nothing of the gateway. */
static bool is_ours(int error)
{
	switch (error) {
	case UV_EMFILE:
	case UV_ENFILE:
	case UV_ENOMEM:
	case UV_ENOBUFS:
	case UV_EACCES:
	case UV_EPERM:
	case UV_EAFNOSUPPORT:
	case UV_EADDRNOTAVAIL: return true;
	default: return false;
	}
}

static void fail_to_connect(struct visit *visit, int error)
{
	end(visit, is_ours(error) ? VISIT_untried : VISIT_failed, "%s",
	    uv_strerror(error));
}

static void on_connected(uv_connect_t *request, int status)
{
	struct visit *visit = request->handle->data;

	if (visit->ending)
		return;
	if (status == 0)
		status = uv_read_start((uv_stream_t *)&visit->tcp, on_space, on_read);
	if (status < 0) {
		fail_to_connect(visit, status);
		return;
	}
	(void)uv_tcp_nodelay(&visit->tcp, 1); /* faster at best */
	visit->result.stage = CANARY_AT_handshake;
	if (visit->tls)
		take_ciphered(visit, 0);
	else
		say_handshake(visit);
}

int visit_start(struct visit *visit, uv_loop_t *loop, const struct visit_wish *wish,
		visit_done *done, void *app)
{
	int rc;

	*visit = (struct visit){ .wish = *wish, .done = done, .app = app };
	visit->result.worker = -1;
	visit->tls = wish->tls ? canary_tls_new() : NULL;
	if (wish->tls && !visit->tls)
		return -ENOMEM;
	rc = uv_tcp_init(loop, &visit->tcp);
	if (rc < 0) {
		canary_tls_free(visit->tls);
		return rc;
	}
	(void)uv_timer_init(loop, &visit->deadline); /* cannot fail */
	visit->tcp.data = visit->deadline.data = visit;
	visit->n_open = 2;
	(void)uv_timer_start(&visit->deadline, on_deadline, wish->timeout_ms, 0);
	rc = uv_tcp_connect(&visit->connect, &visit->tcp,
			    (const struct sockaddr *)&visit->wish.address, on_connected);
	if (rc < 0)
		fail_to_connect(visit, rc);
	return 0;
}
