#include "tests/tools/wsclient.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "gateway/wire/frame.h"

enum {
	SEEN_MAX = 8 << 20, /* printed lines kept for /await, bytes */
	AWAIT_MS = 5000
};

uint64_t client_now_ms(void)
{
	return clock_mono_ns() / MS_NS;
}

void client_release(struct client *c)
{
	ws_bytes_free(&c->headers);
	ws_bytes_free(&c->in);
	ws_bytes_free(&c->out);
	ws_bytes_free(&c->lines);
	ws_bytes_free(&c->seen);
	if (c->fd >= 0)
		(void)close(c->fd);
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

void client_say(struct client *c, const char *what, const void *text, size_t len)
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

void client_raw(struct client *c, const char *hex)
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

void client_close(struct client *c, const char *text)
{
	char *reason;
	unsigned long code = strtoul(text, &reason, 10);

	ws_close_add(&c->out, code ? (unsigned)code : CLOSE_NORMAL,
		     *reason == ' ' ? reason + 1 : reason);
	c->ending = true;
}

static void do_ping(struct client *c, const char *text)
{
	ws_frame_add(&c->out, FRAME_PING, text, strlen(text));
}

static void do_await(struct client *c, const char *text)
{
	uint64_t ms = AWAIT_MS;
	char *last;

	(void)snprintf(c->awaited, sizeof(c->awaited), "%s", text);
	last = strrchr(c->awaited, ' ');
	if (last && last[1] && strspn(last + 1, "0123456789") == strlen(last + 1)) {
		ms = strtoul(last + 1, NULL, 10);
		*last = '\0';
	}
	c->await_until_ms = client_now_ms() + ms;
	match(c);
}

static void do_abort(struct client *c, const char *text)
{
	/* What was asked for before still goes out, as far as the socket takes it. */
	(void)ws_flush(c->fd, &c->out);
	ws_abort(c->fd);
	exit(EXIT_SUCCESS);
}

static void do_shutdown(struct client *c, const char *text)
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

void client_obey(struct client *c, char *line)
{
	static const struct {
		const char *name;
		void (*act)(struct client *c, const char *text);
	} directives[] = {
		{ "/close", client_close }, { "/ping", do_ping },
		{ "/raw", client_raw },     { "/await", do_await },
		{ "/abort", do_abort },     { "/shutdown", do_shutdown },
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
