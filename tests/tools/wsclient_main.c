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
#include "tests/tools/ws.h"

enum {
	OUT_HIGH = 1 << 20, /* unsent bytes beyond which stdin waits */
	SEEN_MAX = 8 << 20, /* printed lines kept for /await, bytes */
	AWAIT_MS = 5000,
	EXIT_REFUSED = 2,
	EXIT_AWAIT = 3,
	EXIT_LOST = 4
};

struct client {
	int fd;
	bool raw, quiet, no_pong, no_close; /* as asked */
	bool paused, input_ended, got_close, ending;
	struct ws_bytes in, out, lines, seen;
	char awaited[1024]; /* "" when nothing is */
	uint64_t await_until_ms;
};

static uint64_t now_ms(void)
{
	return clock_mono_ns() / MS_NS;
}

/* ---- lines out, and waiting for them ---------------------------------------------- */

/* Takes the seen lines up to the one that is awaited; its text is then forgotten. */
static void match(struct client *c)
{
	uint8_t *hit, *end;

	if (!*c->awaited || !c->seen.len)
		return;
	hit = memmem(c->seen.at, c->seen.len, c->awaited, strlen(c->awaited));
	if (!hit)
		return;
	end = memchr(hit, '\n', c->seen.len - (size_t)(hit - c->seen.at));
	ws_bytes_drop(&c->seen, (size_t)(end + 1 - c->seen.at));
	*c->awaited = '\0';
}

static void say(struct client *c, const char *what, const void *text, size_t len)
{
	bool message = !*what;

	if (!message || !c->quiet)
		printf("%s%s%.*s\n", what, len && !message ? " " : "", (int)len,
		       (const char *)text);
	if (c->seen.len > SEEN_MAX)
		ws_bytes_drop(&c->seen, c->seen.len);
	ws_bytes_add(&c->seen, what, strlen(what));
	if (!message)
		ws_bytes_add(&c->seen, " ", len != 0);
	ws_bytes_add(&c->seen, text, len);
	ws_bytes_add(&c->seen, "\n", 1);
	match(c);
}

/* ---- directives ------------------------------------------------------------------- */

static void do_raw(struct client *c, char *hex)
{
	unsigned byte;

	for (; *hex; hex += 2) {
		hex += strspn(hex, " ");
		if (!*hex)
			break;
		if (sscanf(hex, "%2x", &byte) != 1 || !isxdigit((unsigned char)hex[1])) {
			fprintf(stderr, "wsclient: not hex: %s\n", hex);
			exit(EXIT_FAILURE);
		}
		ws_bytes_add(&c->out, &(uint8_t){ (uint8_t)byte }, 1);
	}
}

static void do_close(struct client *c, char *text)
{
	unsigned long code = strtoul(text, &text, 10);

	ws_close_add(&c->out, code ? (unsigned)code : CLOSE_NORMAL,
		     *text == ' ' ? text + 1 : text);
	c->ending = true;
}

static void do_ping(struct client *c, char *text)
{
	ws_frame_add(&c->out, FRAME_PING, text, strlen(text));
}

static void do_await(struct client *c, char *text)
{
	char *last = strrchr(text, ' ');
	uint64_t ms = AWAIT_MS;

	if (last && last[1] && strspn(last + 1, "0123456789") == strlen(last + 1)) {
		ms = strtoul(last + 1, NULL, 10);
		*last = '\0';
	}
	c->await_until_ms = now_ms() + ms;
	(void)snprintf(c->awaited, sizeof(c->awaited), "%s", text);
	match(c);
}

static void do_abort(struct client *c, char *text)
{
	/* What was asked for before still goes out, as far as the socket takes it. */
	(void)ws_flush(c->fd, &c->out);
	ws_abort(c->fd);
	exit(EXIT_SUCCESS);
}

static void do_shutdown(struct client *c, char *text)
{
	(void)ws_flush(c->fd, &c->out);
	(void)shutdown(c->fd, SHUT_WR);
	c->ending = true;
}

/* Turns a switch; false when there is none of that name. */
static bool turn(struct client *c, const char *name)
{
	const struct {
		const char *name;
		bool *is, to;
	} switches[] = {
		{ "/stop-reading", &c->paused, true },
		{ "/resume-reading", &c->paused, false },
		{ "/quiet", &c->quiet, true },
		{ "/loud", &c->quiet, false },
		{ "/no-close", &c->no_close, true },
		{ "/no-pong", &c->no_pong, true },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (!strcmp(switches[i].name, name)) {
			*switches[i].is = switches[i].to;
			return true;
		}
	return false;
}

static void obey(struct client *c, char *line)
{
	static const struct {
		const char *name;
		void (*act)(struct client *c, char *text);
	} directives[] = {
		{ "/close", do_close }, { "/ping", do_ping },
		{ "/raw", do_raw },     { "/await", do_await },
		{ "/abort", do_abort }, { "/shutdown", do_shutdown },
	};
	size_t len = strcspn(line, " ");

	if (turn(c, line))
		return;
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (strlen(directives[i].name) == len &&
		    !strncmp(directives[i].name, line, len)) {
			directives[i].act(c, line + len + (line[len] == ' '));
			return;
		}
	fprintf(stderr, "wsclient: no such directive: %s\n", line);
	exit(EXIT_FAILURE);
}

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
			obey(c, line);
		else if (c->raw)
			do_raw(c, line);
		else
			ws_frame_add(&c->out, FRAME_TEXT, line, (size_t)(end - line));
		ws_bytes_drop(&c->lines, (size_t)(end + 1 - line));
	}
	if (c->input_ended && !*c->awaited && !c->ending && !c->got_close)
		do_close(c, (char[]){ "" });
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
	say(c, "#close", text, (size_t)len);
	if (!c->no_close && !c->ending)
		ws_frame_add(&c->out, FRAME_CLOSE, frame->payload,
			     frame->len < 2 ? frame->len : 2);
}

static void on_frame(struct client *c, const struct ws_frame *frame)
{
	char text[32];

	switch (frame->opcode) {
	case FRAME_TEXT: say(c, "", frame->payload, frame->len); return;
	case FRAME_BINARY:
		say(c, "#binary", text,
		    (size_t)snprintf(text, sizeof(text), "%zu", frame->len));
		return;
	case FRAME_PING:
		if (!c->no_pong)
			ws_frame_add(&c->out, FRAME_PONG, frame->payload, frame->len);
		return;
	case FRAME_PONG: say(c, "#pong", frame->payload, frame->len); return;
	case FRAME_CLOSE: on_close_frame(c, frame); return;
	}
	say(c, "#breach", NULL, 0);
	exit(EXIT_LOST);
}

static void take_frames(struct client *c)
{
	struct ws_frame frame;
	size_t at = 0;
	ssize_t n = 1;

	while (at < c->in.len && n > 0) {
		n = ws_frame_read(c->in.at + at, c->in.len - at, &frame);
		if (n > 0 && c->got_close)
			n = -EPROTO; /* nothing may follow a Close */
		if (n > 0)
			on_frame(c, &frame);
		at += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		say(c, "#breach", NULL, 0);
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
	say(c, "#eof", NULL, 0);
	if (*c->awaited) {
		fprintf(stderr, "wsclient: ended while awaiting: %s\n", c->awaited);
		return EXIT_AWAIT;
	}
	return c->got_close ? EXIT_SUCCESS : EXIT_LOST;
}

/* Milliseconds until the wait is over; -1 for no wait. Exits when it is. */
static int wait_left(const struct client *c)
{
	uint64_t now = now_ms();

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
static void shake_hands(struct client *c, const struct ws_address *to, const char *target,
			const char *headers)
{
	char request[16384];
	int len = ws_request(request, sizeof(request), to->host, target, headers),
	    status = 0;
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

		say(c, status < 0 ? "#breach" : "#http", text,
		    status < 0 ? 0 : (size_t)snprintf(text, sizeof(text), "%d", status));
		exit(status < 0 ? EXIT_LOST : EXIT_REFUSED);
	}
	ws_bytes_drop(&c->in, used);
	say(c, "#open", NULL, 0);
	take_frames(c);
}

static int usage(void)
{
	fprintf(stderr, "usage: wsclient [--header 'Name: value']... [--no-pong] [--raw] "
			"ws://host:port/path?query\n");
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct client c = { .fd = -1 };
	struct ws_address to;
	struct ws_bytes headers = { .len = 0 };
	const char *url, *target;
	char host[300];
	int i = 1, r;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--no-pong"))
			c.no_pong = true;
		else if (!strcmp(argv[i], "--raw"))
			c.raw = true;
		else if (!strcmp(argv[i], "--header") && ++i < argc) {
			ws_bytes_add(&headers, argv[i], strlen(argv[i]));
			ws_bytes_add(&headers, "\r\n", 2);
		} else
			return usage();
	}
	if (i + 1 != argc || strncmp(argv[i], "ws://", 5) != 0)
		return usage();
	url = argv[i] + 5;
	target = url + strcspn(url, "/");
	(void)snprintf(host, sizeof(host), "%.*s", (int)(target - url), url);
	ws_bytes_add(&headers, "", 1);
	r = ws_address(host, &to);
	if (!r)
		r = c.fd = ws_dial(&to, false);
	if (r < 0) {
		fprintf(stderr, "wsclient: %s: %s\n", host, strerror(-r));
		return EXIT_FAILURE;
	}
	setlinebuf(stdout);
	shake_hands(&c, &to, *target ? target : "/", (const char *)headers.at);
	return run(&c);
}
