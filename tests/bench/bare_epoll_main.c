/*
 * bare_epoll - the yardstick of the fan-out benchmark: `bare_epoll PORT`.
 *
 * Rooms on plain epoll, without a library, without safety and without anything that a
 * chat needs: it shakes hands with whoever asks, answers every join, numbers what is
 * sent, and once per turn of its loop writes to each member of a room what that turn
 * brought. It speaks just enough for tests/tools/load. Prints `port=N`; ends on TERM.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/wire/frame.h"
#include "tests/tools/ws.h"

enum {
	FDS_MAX = 65536,
	READ_MAX = 65536,
	ROOMS_MAX = 1024,
	BROUGHT_MAX = 4 << 20
};

struct room {
	char name[80];
	int *members, n_members;
	uint8_t *brought; /* by this turn; BROUGHT_MAX bytes */
	size_t len;
	uint64_t head;
};

struct conn {
	bool open;
	struct room *room;
	struct ws_bytes in, out; /* not whole; not sent */
};

static struct conn conns[FDS_MAX];
static struct room rooms[ROOMS_MAX],
	*busy[ROOMS_MAX]; /* busy: this turn brought something */
static int n_rooms, n_busy, epoll;
static uint8_t reading[READ_MAX];

static void watch(int fd, int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	CHECK(epoll_ctl(epoll, op, fd, &event) == 0);
}

static void gone(int fd)
{
	struct conn *c = &conns[fd];
	struct room *room = c->room;

	for (int i = 0; room && i < room->n_members; i++)
		if (room->members[i] == fd)
			room->members[i] = room->members[--room->n_members];
	ws_bytes_free(&c->in);
	ws_bytes_free(&c->out);
	memset(c, 0, sizeof *c);
	close(fd);
}

static void put(int fd, const void *data, size_t len)
{
	struct conn *c = &conns[fd];
	ssize_t n = c->out.len ? 0 : send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n == (ssize_t)len)
		return;
	if (n < 0)
		n = 0;
	if (!c->out.len)
		watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	ws_bytes_add(&c->out, (const uint8_t *)data + n, len - (size_t)n);
}

static size_t framed(uint8_t *out, const char *text, size_t len)
{
	unsigned n = frame_head(out, FRAME_TEXT, len);

	memcpy(out + n, text, len);
	return n + len;
}

static void say(int fd, const char *text)
{
	uint8_t frame[512];
	size_t len = framed(frame, text, strlen(text));

	put(fd, frame, len);
}

/* {"op":"send","room":"R","id":"I","body":B}, as the load tool writes it. */
static void publish(int fd, const char *text, size_t len)
{
	const char *id = memmem(text, len, "\"id\":\"", 6);
	const char *body = memmem(text, len, "\"body\":", 7);
	int id_len = id ? (int)strcspn(id + 6, "\"") : 0;
	struct room *room = conns[fd].room;
	char out[2048];
	int n;

	CHECK(id && body && room && len < 1024);
	room->head++;
	n = snprintf(out, sizeof out,
		     "{\"op\":\"message\",\"room\":\"r\",\"seq\":%lu,\"id\":\"%.*s\","
		     "\"from\":\"u0\",\"at\":1788000000000,\"body\":%.*s}",
		     room->head, id_len, id + 6, (int)(text + len - 1 - (body + 7)),
		     body + 7);
	CHECK(room->len + (size_t)n + FRAME_HEAD_MAX < BROUGHT_MAX);
	if (!room->len)
		busy[n_busy++] = room;
	room->len += framed(room->brought + room->len, out, (size_t)n);
	(void)snprintf(out, sizeof out,
		       "{\"op\":\"sent\",\"room\":\"r\",\"id\":\"%.*s\",\"seq\":%lu}",
		       id_len, id + 6, room->head);
	say(fd, out);
}

static struct room *room_of(const char *text, size_t len)
{
	const char *name = memmem(text, len, "\"room\":\"", 8);
	size_t n = name ? strcspn(name + 8, "\"") : 0;

	CHECK(n && n < sizeof rooms->name);
	for (int i = 0; i < n_rooms; i++)
		if (strncmp(rooms[i].name, name + 8, n) == 0 && !rooms[i].name[n])
			return &rooms[i];
	CHECK(n_rooms < ROOMS_MAX);
	memcpy(rooms[n_rooms].name, name + 8, n);
	rooms[n_rooms].members = malloc(FDS_MAX * sizeof(int));
	rooms[n_rooms].brought = malloc(BROUGHT_MAX);
	CHECK(rooms[n_rooms].members && rooms[n_rooms].brought);
	return &rooms[n_rooms++];
}

static void message(int fd, const char *text, size_t len)
{
	char joined[64];

	if (memmem(text, len, "\"op\":\"send\"", 11)) {
		publish(fd, text, len);
	} else if (memmem(text, len, "\"op\":\"join\"", 11)) {
		struct room *room = room_of(text, len);

		room->members[room->n_members++] = fd;
		conns[fd].room = room;
		(void)snprintf(joined, sizeof joined,
			       "{\"op\":\"joined\",\"room\":\"r\",\"head\":%lu}",
			       room->head);
		say(fd, joined);
	}
}

static size_t shake_hands(int fd, char *data, size_t len)
{
	char *end = memmem(data, len, "\r\n\r\n", 4), *key, answer[256];
	uint8_t hash[20], accept[32];
	int n;

	if (!end)
		return 0;
	*end = 0;
	key = strcasestr(data, "sec-websocket-key: ");
	CHECK(key);
	key += 19;
	(void)snprintf(answer, sizeof answer, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		       key);
	CHECK(EVP_Digest(answer, strlen(answer), hash, NULL, EVP_sha1(), NULL) == 1);
	(void)EVP_EncodeBlock(accept, hash, sizeof hash);
	n = snprintf(answer, sizeof answer,
		     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		     accept);
	put(fd, answer, (size_t)n);
	say(fd, "{\"op\":\"welcome\"}");
	conns[fd].open = true;
	return (size_t)(end + 4 - data);
}

/* One masked frame from the start of `at`; 0 when it is not whole. */
static size_t one_frame(int fd, uint8_t *at, size_t len)
{
	size_t n, skip = 2;

	if (len < 2)
		return 0;
	n = at[1] & 127;
	if (n == 126) {
		if (len < 4)
			return 0;
		n = (size_t)at[2] << 8 | at[3];
		skip = 4;
	}
	if (len < skip + 4 + n)
		return 0;
	for (size_t i = 0; i < n; i++)
		at[skip + 4 + i] ^= at[skip + (i & 3)];
	if ((at[0] & 15) == FRAME_TEXT)
		message(fd, (char *)at + skip + 4, n);
	return skip + 4 + n;
}

static void on_readable(int fd)
{
	struct conn *c = &conns[fd];
	size_t kept = c->in.len, used = 0, n;
	ssize_t got;

	CHECK(kept < sizeof reading / 2);
	memcpy(reading, c->in.at ? c->in.at : reading, kept);
	got = recv(fd, reading + kept, sizeof reading - kept - 1, 0);
	if (got <= 0) {
		gone(fd);
		return;
	}
	kept += (size_t)got;
	do {
		n = c->open ? one_frame(fd, reading + used, kept - used)
			    : shake_hands(fd, (char *)reading + used, kept - used);
		used += n;
	} while (n);
	ws_bytes_drop(&c->in, c->in.len);
	ws_bytes_add(&c->in, reading + used, kept - used);
}

static void on_writeable(int fd)
{
	struct conn *c = &conns[fd];
	ssize_t n = send(fd, c->out.at, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		ws_bytes_drop(&c->out, (size_t)n);
	if (!c->out.len)
		watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_waiting(int listening)
{
	int one = 1;

	for (int fd; (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
		CHECK(fd < FDS_MAX);
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(fd, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static int listen_on(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4096) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	printf("port=%u\n", ntohs(at.sin_port));
	return fd;
}

static void deliver(struct room *room)
{
	for (int i = 0; i < room->n_members; i++)
		put(room->members[i], room->brought, room->len);
	room->len = 0;
}

int main(int argc, char **argv)
{
	struct epoll_event events[1024];
	int listening = listen_on(argc > 1 ? (unsigned)atoi(argv[1]) : 0);

	(void)fflush(stdout);
	epoll = epoll_create1(0);
	watch(listening, EPOLL_CTL_ADD, EPOLLIN);
	for (;;) {
		int n = epoll_wait(epoll, events, 1024, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listening)
				on_waiting(listening);
			else if (events[i].events & EPOLLOUT)
				on_writeable(events[i].data.fd);
			else
				on_readable(events[i].data.fd);
		}
		while (n_busy)
			deliver(busy[--n_busy]);
	}
}
