/*
 * wsclient - a scriptable WebSocket client: lines in, lines out.
 *
 *   wsclient [--header 'Name: value']... [--no-pong] [--raw] ws://host:port/path?query
 *
 * Each line of stdin is sent as a text message (with --raw: as the bytes whose hex
 * digits it has); each message that comes is printed as a line. Pings are answered
 * unless --no-pong, a Close is answered. The end of stdin closes with 1000. Lines
 * that begin with '/' are directives:
 *
 *   /close CODE [REASON]   send a Close and wait for the server's end
 *   /ping [TEXT]           send a ping; its pong is printed as `#pong TEXT`
 *   /raw HEX               send these bytes as they are
 *   /await TEXT [MS]       go on once a line with TEXT was printed; each line counts
 *                          for one /await only; exit 3 after MS (5000)
 *   /abort                 reset the connection and exit
 *   /shutdown              send FIN and go on reading
 *   /stop-reading          read nothing more from the socket …
 *   /resume-reading        … until this
 *   /quiet, /loud          do not print messages (they still count for /await); do
 *   /no-close, /no-pong    leave the server's Close, or pings, unanswered
 *
 * Prints besides messages: #open, #http STATUS (refused), #pong TEXT, #binary LENGTH,
 * #close CODE [REASON] (from the server; 1005 without a code), #breach (the server
 * sent what it must not) and #eof.
 *
 * Exit: 0 the connection ended with a Close from the server, or by /abort; 1 usage,
 * or not connected; 2 refused; 3 /await in vain, also because the connection ended;
 * 4 ended without a Close, or #breach.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "gateway/wire/frame.h"
#include "tests/tools/wsclient.h"

enum {
	OUT_HIGH = 1 << 20 /* unsent bytes beyond which stdin waits */
};

/* Takes whole lines until one waits for something. */
static void take_lines(struct client *c)
{
	while (!*c->awaited && !c->ending && !c->got_close && c->lines.len) {
		char *line = (char *)c->lines.at;
		char *end = memchr(line, '\n', c->lines.len);

		if (!end)
			return;
		*end = '\0';
		if (*line == '/')
			client_obey(c, line);
		else if (c->raw)
			client_raw(c, line);
		else
			ws_frame_add(&c->out, FRAME_TEXT, line, (size_t)(end - line));
		ws_bytes_drop(&c->lines, (size_t)(end + 1 - line));
	}
	if (c->input_ended && !*c->awaited && !c->ending && !c->got_close)
		client_close(c, "");
}

static void read_input(struct client *c)
{
	char buffer[65536];
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

	if (n > 0) {
		ws_bytes_add(&c->lines, buffer, (size_t)n);
		return;
	}
	c->input_ended = true;
	if (c->lines.len) /* the last line may lack its end */
		ws_bytes_add(&c->lines, "\n", 1);
}

/* ---- the socket ------------------------------------------------------------------- */

static void on_close_frame(struct client *c, const struct ws_frame *frame)
{
	unsigned code = CLOSE_NONE;
	char text[140];
	int len;

	if (frame->len >= 2)
		code = (unsigned)(frame->payload[0] << 8 | frame->payload[1]);
	len = snprintf(text, sizeof(text), "%u%s%.*s", code, frame->len > 2 ? " " : "",
		       frame->len > 2 ? (int)frame->len - 2 : 0,
		       frame->len > 2 ? (const char *)frame->payload + 2 : "");
	c->got_close = true;
	client_say(c, "#close", text, (size_t)len);
	if (!c->no_close && !c->ending)
		ws_frame_add(&c->out, FRAME_CLOSE, frame->payload,
			     frame->len < 2 ? frame->len : 2);
}

static void on_frame(struct client *c, const struct ws_frame *frame)
{
	char text[32];

	switch (frame->opcode) {
	case FRAME_TEXT: client_say(c, "", frame->payload, frame->len); return;
	case FRAME_BINARY:
		client_say(c, "#binary", text,
			   (size_t)snprintf(text, sizeof(text), "%zu", frame->len));
		return;
	case FRAME_PING:
		if (!c->no_pong)
			ws_frame_add(&c->out, FRAME_PONG, frame->payload, frame->len);
		return;
	case FRAME_PONG: client_say(c, "#pong", frame->payload, frame->len); return;
	case FRAME_CLOSE: on_close_frame(c, frame); return;
	}
	client_say(c, "#breach", NULL, 0);
	exit(EXIT_LOST);
}

static void take_frames(struct client *c)
{
	struct ws_frame frame;
	size_t at = 0;
	ssize_t n = 1;

	while (at < c->in.len && n > 0) {
		n = ws_frame_read(c->in.at + at, c->in.len - at, &frame);
		if (n > 0 && frame.compressed)
			n = -EPROTO;
		if (n > 0 && c->got_close)
			n = -EPROTO; /* nothing may follow a Close */
		if (n > 0)
			on_frame(c, &frame);
		at += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		client_say(c, "#breach", NULL, 0);
		exit(EXIT_LOST);
	}
	ws_bytes_drop(&c->in, at);
}

/* False at the end of the connection. */
static bool receive(struct client *c)
{
	uint8_t buffer[65536];
	ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);

	if (n > 0)
		ws_bytes_add(&c->in, buffer, (size_t)n);
	return n > 0;
}

static int ended(struct client *c)
{
	client_say(c, "#eof", NULL, 0);
	if (*c->awaited) {
		fprintf(stderr, "wsclient: ended while awaiting: %s\n", c->awaited);
		return EXIT_AWAIT;
	}
	return c->got_close ? EXIT_SUCCESS : EXIT_LOST;
}

/* Milliseconds until the wait is over; -1 for no wait. Exits when it is. */
static int wait_left(const struct client *c)
{
	uint64_t now = client_now_ms();

	if (!*c->awaited)
		return -1;
	if (now < c->await_until_ms)
		return (int)(c->await_until_ms - now);
	fprintf(stderr, "wsclient: not in time: %s\n", c->awaited);
	exit(EXIT_AWAIT);
}

/* The exit code. */
static int run(struct client *c)
{
	for (;;) {
		struct pollfd polls[2] = { { .fd = c->fd }, { .fd = STDIN_FILENO } };

		take_lines(c);
		if (ws_flush(c->fd, &c->out) < 0)
			ws_bytes_drop(&c->out, c->out.len); /* reading tells the end */
		polls[0].events = (short)((c->paused ? 0 : POLLIN) |
					  (c->out.len ? POLLOUT : 0));
		if (!polls[0].events)
			polls[0].fd = -1;
		polls[1].events = POLLIN;
		if (c->input_ended || c->out.len > OUT_HIGH)
			polls[1].fd = -1;
		if (poll(polls, 2, wait_left(c)) < 0 && errno != EINTR)
			return EXIT_FAILURE;
		if (polls[1].revents)
			read_input(c);
		if (c->paused || !(polls[0].revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		if (!receive(c))
			return ended(c);
		take_frames(c);
	}
}

/* Sends the handshake and reads its answer; exits when refused. */
static void shake_hands(struct client *c, const struct ws_address *to, const char *target)
{
	const char *headers = (const char *)c->headers.at;
	char request[16384];
	int len = ws_request(request, sizeof(request), to->host, target, "parley.v1",
			     headers);
	int status = 0;
	size_t used = 0;

	ws_bytes_add(&c->out, request, len < 0 ? 0 : (size_t)len);
	if (len < 0 || ws_flush(c->fd, &c->out) < 0)
		exit(EXIT_FAILURE);
	while (!status) {
		if (!receive(c))
			exit(ended(c));
		status = ws_answer(c->in.at, c->in.len, &used);
	}
	if (status != 101) {
		char text[16];

		client_say(c, status < 0 ? "#breach" : "#http", text,
			   status < 0
				   ? 0
				   : (size_t)snprintf(text, sizeof(text), "%d", status));
		exit(status < 0 ? EXIT_LOST : EXIT_REFUSED);
	}
	ws_bytes_drop(&c->in, used);
	client_say(c, "#open", NULL, 0);
	take_frames(c);
}

/* Takes the options; returns the index of the word behind them, or -1. */
static int take_options(struct client *c, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--no-pong")) {
			c->no_pong = true;
		} else if (!strcmp(argv[i], "--raw")) {
			c->raw = true;
		} else if (!strcmp(argv[i], "--header") && i + 1 < argc) {
			i++;
			ws_bytes_add(&c->headers, argv[i], strlen(argv[i]));
			ws_bytes_add(&c->headers, "\r\n", 2);
		} else {
			return -1;
		}
	}
	ws_bytes_add(&c->headers, "", 1); /* ends the text */
	return i;
}

int main(int argc, char **argv)
{
	struct client c = { .fd = -1 };
	struct ws_address to;
	int i = take_options(&c, argc, argv), r = EXIT_FAILURE;
	const char *url, *target;
	char host[300];

	if (i < 0 || i + 1 != argc || strncmp(argv[i], "ws://", 5) != 0) {
		fprintf(stderr, "usage: wsclient [--header 'Name: value']... "
				"[--no-pong] [--raw] ws://host:port/path?query\n");
		goto out;
	}
	url = argv[i] + 5;
	target = url + strcspn(url, "/");
	(void)snprintf(host, sizeof(host), "%.*s", (int)(target - url), url);
	c.fd = ws_address(host, &to);
	if (!c.fd)
		c.fd = ws_dial(&to, NULL, false, 0);
	if (c.fd < 0) {
		fprintf(stderr, "wsclient: %s: %s\n", host, strerror(-c.fd));
		goto out;
	}
	setlinebuf(stdout);
	shake_hands(&c, &to, *target ? target : "/");
	r = run(&c);
out:
	client_release(&c);
	return r;
}
