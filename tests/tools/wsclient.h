/*
 * wsclient - the scriptable client's state, what it prints, and its directives.
 *
 * wsclient_main.c says what they are, and reads and writes.
 */
#ifndef WSCLIENT_H
#define WSCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/tools/ws.h"

enum {
	EXIT_REFUSED = 2,
	EXIT_AWAIT = 3,
	EXIT_LOST = 4
};

struct client {
	int fd;
	bool raw, quiet, no_pong, no_close; /* as asked */
	bool paused, input_ended, got_close, ending;
	struct ws_bytes headers, in, out, lines, seen;
	char awaited[1024]; /* "" when nothing is */
	uint64_t await_until_ms;
};

uint64_t client_now_ms(void);
void client_release(struct client *c);

/* Prints a line; `what` is "" for a message. */
void client_say(struct client *c, const char *what, const void *text, size_t len);

/* Does what a line that begins with '/' says; exits when it says nothing we know. */
void client_obey(struct client *c, char *line);

/* Queues the bytes with these hex digits. */
void client_raw(struct client *c, const char *hex);

/* Queues a Close, "CODE REASON"; 1000 without a code. */
void client_close(struct client *c, const char *text);

#endif
