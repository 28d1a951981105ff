/*
 * canary_bench - a canary and a fake gateway in one loop, for unit tests.
 */
#ifndef CANARY_BENCH_H
#define CANARY_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/wire/frame.h"
#include "healthd/canary.h"
#include "tests/unit/fake_snapshot.h"

enum {
	CLIENTS = 4,
	INTERVAL_MS = 200,
	TIMEOUT_MS = 100,
	PATIENCE_MS = 20000
};

/* A gateway that answers as it is told to, in the test's own process. */
static struct fake {
	int listener;
	unsigned port;
	int clients[CLIENTS];
	char heard[CLIENTS][2048];
	size_t len[CLIENTS];
	bool upgraded[CLIENTS];
	unsigned worker_of[CLIENTS];
	unsigned next_worker, n_accepted;
	const char *answer; /* NULL: a proper 101 */
	unsigned deaf;      /* bits of workers that send nothing back */
	bool stops_at_sent, errors, floods;
} fake;

static uv_loop_t loop;
static struct canary *canary;
static struct snapshot seen;
static const struct canary_found *found;
static struct canary_limits limits;
static char token_path[64];

static inline void fake_send(int fd, const void *data, size_t len)
{
	(void)!send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static inline void fake_say(unsigned i, const char *json)
{
	uint8_t frame[512];
	size_t len = strlen(json), head = frame_head(frame, FRAME_TEXT, len);

	memcpy(frame + head, json, len);
	fake_send(fake.clients[i], frame, head + len);
}

static inline void fake_handshake(unsigned i)
{
	char text[256];

	if (fake.answer) {
		fake_send(fake.clients[i], fake.answer, strlen(fake.answer));
		return;
	}
	fake.worker_of[i] = fake.next_worker++ % 2;
	snprintf(text, sizeof text,
		 "HTTP/1.1 101 Switching Protocols\r\n"
		 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		 "Parley-Worker: %u\r\n\r\n",
		 fake.worker_of[i]);
	fake_send(fake.clients[i], text, strlen(text));
	fake_say(i, "{\"op\":\"welcome\"}");
	fake.upgraded[i] = true;
}

static inline void fake_message(unsigned i, const char *text, size_t len)
{
	char id[64] = "", answer[256];
	char copy[512];
	const char *at;

	snprintf(copy, sizeof copy, "%.*s", (int)len, text);
	if (strstr(copy, "\"join\"")) {
		fake_say(i, "{\"op\":\"joined\",\"room\":\"r\",\"head\":1}");
		return;
	}
	at = strstr(copy, "\"id\":\"");
	if (!at || sscanf(at, "\"id\":\"%60[^\"]", id) != 1 || fake.errors) {
		fake_say(i, "{\"op\":\"error\",\"code\":\"unavailable\"}");
		return;
	}
	if (fake.deaf >> fake.worker_of[i] & 1)
		return;
	snprintf(answer, sizeof answer, "{\"op\":\"sent\",\"room\":\"r\",\"id\":\"%s\"}",
		 id);
	fake_say(i, answer);
	snprintf(answer, sizeof answer,
		 "{\"op\":\"message\",\"room\":\"r\",\"id\":\"%s\"}", id);
	if (!fake.stops_at_sent)
		fake_say(i, answer);
}

static inline void fake_frames(unsigned i)
{
	struct frame_reader reader = { 0 };
	struct frame_in in;
	uint8_t *at = (uint8_t *)fake.heard[i];
	size_t len = fake.len[i], used;

	do {
		frame_read(&reader, 2000, at, len, &used, &in);
		at += used;
		len -= used;
		if (in.event == FRAME_MESSAGE)
			fake_message(i, (const char *)in.data, in.len);
	} while (in.event != FRAME_MORE);
	frame_reader_release(&reader);
	fake.len[i] = 0;
}

static inline void fake_hear(unsigned i)
{
	ssize_t n = recv(fake.clients[i], fake.heard[i] + fake.len[i],
			 sizeof fake.heard[i] - 1 - fake.len[i], MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		close(fake.clients[i]);
		fake.clients[i] = -1;
	}
	if (n <= 0)
		return;
	fake.len[i] += (size_t)n;
	fake.heard[i][fake.len[i]] = 0;
	if (fake.upgraded[i]) {
		fake_frames(i);
	} else if (strstr(fake.heard[i], "\r\n\r\n")) {
		fake.len[i] = 0;
		fake_handshake(i);
	}
}

static inline void fake_turn(void)
{
	int fd = fake.listener < 0 ? -1
				   : accept4(fake.listener, NULL, NULL, SOCK_NONBLOCK);

	for (unsigned i = 0; i < CLIENTS; i++) {
		if (fake.clients[i] < 0 && fd >= 0) {
			fake.clients[i] = fd;
			fake.len[i] = 0;
			fake.upgraded[i] = false;
			fake.n_accepted++;
			fd = -1;
		}
		if (fake.clients[i] >= 0)
			fake_hear(i);
		if (fake.clients[i] >= 0 && fake.floods)
			fake_send(fake.clients[i], fake.heard[i], sizeof fake.heard[i]);
	}
	if (fd >= 0)
		close(fd);
}

static inline void fake_open(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	memset(&fake, 0, sizeof fake);
	for (unsigned i = 0; i < CLIENTS; i++)
		fake.clients[i] = -1;
	fake.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake.listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fake.listener, 16), 0);
	assert_int_equal(getsockname(fake.listener, (struct sockaddr *)&at, &len), 0);
	fake.port = ntohs(at.sin_port);
}

static inline int set_up(void **state)
{
	fake_open();
	fake_gateway(&seen);
	seen.port = fake.port;
	limits = (struct canary_limits){ .interval_ms = INTERVAL_MS,
					 .timeout_ms = TIMEOUT_MS,
					 .failures = 2,
					 .connect = "127.0.0.1:0",
					 .room = "r",
					 .token_file = "" };
	assert_int_equal(uv_loop_init(&loop), 0);
	return 0;
}

static inline void start(void)
{
	assert_int_equal(canary_new(&loop, &limits, &canary, NULL), 0);
	found = canary_found(canary);
}

static inline int tear_down(void **state)
{
	canary_close(canary);
	uv_run(&loop, UV_RUN_DEFAULT);
	canary_free(canary);
	canary = NULL;
	assert_int_equal(uv_loop_close(&loop), 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (fake.clients[i] >= 0)
			close(fake.clients[i]);
	if (fake.listener >= 0)
		close(fake.listener);
	if (*token_path)
		unlink(token_path);
	*token_path = 0;
	return 0;
}

static inline void turn(void)
{
	canary_look(canary, &seen, clock_mono_ns());
	uv_run(&loop, UV_RUN_NOWAIT);
	fake_turn();
}

#define AWAIT(condition)                                                  \
	do {                                                              \
		uint64_t until = clock_mono_ns() + PATIENCE_MS * MS_NS;   \
		while (!(condition)) {                                    \
			turn();                                           \
			if (clock_mono_ns() > until)                      \
				fail_msg("%s: %s, %s", #condition,        \
					 canary_state_name(found->state), \
					 found->reason);                  \
		}                                                         \
	} while (0)

static inline void says(const char *text)
{
	if (!strstr(found->reason, text))
		fail_msg("'%s' is not in '%s'", text, found->reason);
}

#endif
