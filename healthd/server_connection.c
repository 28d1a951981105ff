#include "healthd/server_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"

enum {
	CONNECTION_MAGIC = 0x434f4e4e,
	HEAD_SIZE = 2048,
	REFUSAL_SIZE = 128,
	SHORT_BODY = 2048,
	DRAIN_MAX = 256 *
		    1024, /* bytes that are read and dropped after all is answered */
	STREAM_SEND_BUFFER = 64 * 1024 /* the kernel's, so that who is behind is seen */
};

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static uv_stream_t *stream_of(struct connection *connection)
{
	return (uv_stream_t *)&connection->tcp;
}

static struct connection *connection_of(void *data)
{
	struct connection *connection = data;

	CHECK_OBJ(connection, CONNECTION_MAGIC);
	return connection;
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = connection_of(handle->data);
	struct server *server = connection->server;

	TAILQ_REMOVE(&server->lists[CONNECTION_closed], connection, link);
	server->n_closed--;
	http_parser_free(connection->parser);
	free(connection->input);
	free(connection->output);
	connection->magic = 0;
	free(connection);
	server_refill_spare(server);
	server_unref(server);
}

void connection_close(struct connection *connection)
{
	if (connection->state == CONNECTION_closed)
		return;
	server_move(connection, CONNECTION_closed);
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct connection *connection = connection_of(handle->data);

	*ret_buf = uv_buf_init(connection->server->read, SERVER_READ_SIZE);
}

/* ---- sending ------------------------------------------------------------------- */

/* The last answer is out. Closing at once would reset the connection if the client has
 * sent more than was read, and could take the answer from it. */
static void linger(struct connection *connection)
{
	uv_os_fd_t fd;

	free(connection->input);
	connection->input = NULL;
	server_move(connection, CONNECTION_lingering);
	if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) < 0 ||
	    shutdown(fd, SHUT_WR) < 0)
		connection_close(connection);
	else
		(void)uv_read_start(stream_of(connection), on_alloc, on_read);
}

/* Goes on with a connection that has nothing to send. */
static void go_on(struct connection *connection)
{
	enum connection_state state;

	if (connection->input) {
		(void)uv_read_stop(stream_of(connection)); /* cannot fail */
		server_move(connection, CONNECTION_queued);
		return;
	}
	state = http_in_request(connection->parser) ? CONNECTION_request
						    : CONNECTION_idle;
	/* Bytes that go on with a request, or begin none, win no time. */
	if (connection->state != state)
		server_move(connection, state);
	/* Says EALREADY if it is reading, and cannot fail otherwise. */
	(void)uv_read_start(stream_of(connection), on_alloc, on_read);
}

void connection_listen(struct connection *connection)
{
	server_move(connection, CONNECTION_streaming);
	(void)uv_read_start(stream_of(connection), on_alloc, on_read); /* as in go_on */
}

static void on_written(uv_write_t *write, int status)
{
	struct connection *connection = connection_of(write->data);

	if (connection->state == CONNECTION_closed)
		return;
	free(connection->output);
	connection->output = NULL;
	if (status < 0)
		connection_close(connection);
	else if (connection->state == CONNECTION_stalled)
		connection_listen(connection);
	else if (connection->is_last)
		linger(connection);
	else
		go_on(connection);
}

/* Keeps what the socket did not take, and waits until it does. */
static void send_later(struct connection *connection, const uv_buf_t bufs[2], size_t sent)
{
	size_t len = bufs[0].len + bufs[1].len - sent;
	size_t head_sent = sent < bufs[0].len ? sent : bufs[0].len;
	size_t head_left = bufs[0].len - head_sent;
	uv_buf_t rest;

	(void)uv_read_stop(stream_of(connection)); /* cannot fail */
	connection->output = malloc(len);
	if (!connection->output) {
		connection_close(connection);
		return;
	}
	memcpy(connection->output, bufs[0].base + head_sent, head_left);
	memcpy(connection->output + head_left, bufs[1].base + (sent - head_sent),
	       len - head_left);
	rest = uv_buf_init(connection->output, (unsigned)len);
	connection->write.data = connection;
	server_move(connection,
		    connection->stream ? CONNECTION_stalled : CONNECTION_writing);
	if (uv_write(&connection->write, stream_of(connection), &rest, 1, on_written) < 0)
		connection_close(connection);
}

/* Afterwards the connection is `writing`, `stalled`, `closed`, or as it was and all is
 * sent. */
static void send_bytes(struct connection *connection, char *head, size_t head_len,
		       const char *body, size_t body_len)
{
	/* No bytes are still bytes of something, when they are copied. */
	char *rest = (char *)(uintptr_t)(body ? body : "");
	uv_buf_t bufs[2] = { uv_buf_init(head, (unsigned)head_len),
			     uv_buf_init(rest, (unsigned)body_len) };
	int n = uv_try_write(stream_of(connection), bufs, body_len > 0 ? 2 : 1);

	if (n == UV_EAGAIN)
		n = 0;
	if (n < 0)
		connection_close(connection);
	else if ((size_t)n < head_len + body_len)
		send_later(connection, bufs, (size_t)n);
}

static void send_answer(struct connection *connection, struct server_answer *answer,
			bool has_body)
{
	char bytes[HEAD_SIZE + SHORT_BODY];
	size_t head_len, body_len = has_body ? answer->body_len : 0;
	int len;

	connection->is_last = answer->head.close;
	answer->head.body_len = answer->body_len;
	len = http_answer_head(&answer->head, bytes, HEAD_SIZE);
	CHECK(len > 0);
	head_len = (size_t)len;
	/* The kernel takes one piece for less than two. */
	if (body_len > 0 && body_len <= SHORT_BODY) {
		memcpy(bytes + head_len, answer->body, body_len);
		head_len += body_len;
		body_len = 0;
	}
	send_bytes(connection, bytes, head_len, answer->body, body_len);
}

static void put_refusal(struct server_answer *answer, int status, char body[REFUSAL_SIZE])
{
	*answer = (struct server_answer){
		.head = { .status = status,
			  .type = "application/json",
			  .retry_after_s = status == 503,
			  .no_store = true },
		.body = body,
	};
	answer->body_len = (size_t)snprintf(body, REFUSAL_SIZE, "{\"error\":\"%s\"}\n",
					    http_reason(status));
}

/* Answers what was no request with `status`, for the last time. */
static void refuse(struct connection *connection, int status)
{
	char body[REFUSAL_SIZE];
	struct server_answer answer;

	put_refusal(&answer, status, body);
	answer.head.close = true;
	send_answer(connection, &answer, true);
	if (connection->state < CONNECTION_writing)
		linger(connection);
}

void connection_stream(struct connection *connection, const char *text, size_t len)
{
	CHECK(connection->state == CONNECTION_streaming);
	send_bytes(connection, (char *)(uintptr_t)text, len, NULL, 0);
}

static void answer(struct connection *connection, const struct http_request *request)
{
	struct server *server = connection->server;
	struct server_answer answer = { 0 };
	const bool is_head = strcmp(request->method, "HEAD") == 0;
	char body[REFUSAL_SIZE];

	connection->n_requests++;
	server->counts.requests++;
	server->handler(server->app, request, &answer);
	answer.head.no_len = answer.stream != 0;
	if (answer.stream && !is_head &&
	    !connection_begin_stream(connection, answer.stream))
		put_refusal(&answer, 503, body);
	answer.head.close = !request->keep_alive || connection->stream ||
			    connection->n_requests >= server->limits.requests_max;
	answer.head.keep_alive = request->minor == 0;
	send_answer(connection, &answer, !is_head);
	http_release(connection->parser);
	if (connection->state >= CONNECTION_writing)
		return;
	if (connection->is_last)
		linger(connection);
	else
		server_move(connection, CONNECTION_idle);
}

/* ---- receiving ----------------------------------------------------------------- */

/* Parses up to the end of one request and answers it; returns how many bytes it took. */
static size_t consume(struct connection *connection, const char *data, size_t len)
{
	static const char continues[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct http_request *request;
	enum http_result result;
	char head[sizeof continues];
	size_t used, n = 0;

	do {
		result = http_feed(connection->parser, data + n, len - n, &used,
				   &request);
		n += used;
		if (result == HTTP_CONTINUE) {
			connection->is_last = false;
			memcpy(head, continues, sizeof continues);
			send_bytes(connection, head, sizeof continues - 1, NULL, 0);
		}
	} while (result == HTTP_CONTINUE && connection->state < CONNECTION_writing);

	if (result == HTTP_REQUEST)
		answer(connection, request);
	if (result == HTTP_BAD) {
		connection->server->counts.refused++;
		refuse(connection, http_status(connection->parser));
	}
	return n;
}

static bool is_over(const struct connection *connection)
{
	return connection->state == CONNECTION_closed ||
	       connection->state == CONNECTION_lingering || connection->is_last;
}

/* Keeps bytes for when it is their turn. */
static int keep(struct connection *connection, const char *data, size_t len)
{
	connection->input = malloc(len);
	if (!connection->input)
		return -ENOMEM;
	memcpy(connection->input, data, len);
	connection->input_at = 0;
	connection->input_len = len;
	return 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *connection = connection_of(stream->data);
	size_t used;

	if (n == 0)
		return;
	if (n < 0) { /* the end, or an error */
		connection_close(connection);
		return;
	}
	if (is_over(connection)) {
		connection->n_drained += (size_t)n;
		if (connection->n_drained > DRAIN_MAX)
			connection_close(connection);
		return;
	}
	used = consume(connection, buf->base, (size_t)n);
	if (is_over(connection))
		return;
	if (used < (size_t)n && keep(connection, buf->base + used, (size_t)n - used) < 0)
		connection_close(connection);
	else if (connection->state != CONNECTION_writing)
		go_on(connection);
}

void connection_resume(struct connection *connection)
{
	const char *data = connection->input + connection->input_at;

	CHECK(connection->state == CONNECTION_queued);
	connection->input_at += consume(connection, data,
					connection->input_len - connection->input_at);
	if (is_over(connection))
		return;
	if (connection->input_at == connection->input_len) {
		free(connection->input);
		connection->input = NULL;
	}
	if (connection->state != CONNECTION_writing)
		go_on(connection);
}

/* ---- beginning and end --------------------------------------------------------- */

void connection_expire(struct connection *connection)
{
	if (connection->state == CONNECTION_request ||
	    connection->state == CONNECTION_writing)
		connection->server->counts.timeouts++;
	connection->server->counts.streams_dropped += connection->state ==
						      CONNECTION_stalled;
	if (connection->state == CONNECTION_request)
		refuse(connection, 408);
	else
		connection_close(connection);
}

int connection_open(struct server *server, int fd)
{
	const struct http_limits limits = { .head_max = server->limits.head_max,
					    .body_max = server->limits.body_max };
	struct connection *connection = calloc(1, sizeof *connection);
	struct http_parser *parser = http_parser_new(&limits);
	int rc = -ENOMEM;

	if (!connection || !parser)
		goto out;
	rc = uv_tcp_init(server->loop, &connection->tcp);
	if (rc < 0)
		goto out;
	connection->magic = CONNECTION_MAGIC;
	connection->server = server;
	connection->parser = parser;
	connection->tcp.data = connection;
	connection->state = CONNECTION_idle;
	TAILQ_INSERT_TAIL(&server->lists[CONNECTION_idle], connection, link);
	server->counts.connections++;
	server->n_handles++;
	server_move(connection, CONNECTION_idle);
	rc = uv_tcp_open(&connection->tcp, fd);
	if (rc < 0) {
		connection_close(connection);
		(void)close(fd); /* not adopted */
		return rc;
	}
	/* Only delays answers when it fails. */
	(void)uv_tcp_nodelay(&connection->tcp, 1);
	go_on(connection);
	return 0;
out:
	http_parser_free(parser);
	free(connection);
	(void)close(fd); /* a socket of which nothing is known yet */
	return rc;
}
