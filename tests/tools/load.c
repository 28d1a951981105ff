#include "tests/tools/load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/wire/frame.h"
#include "tests/tools/dialect.h"

enum {
	BUFFER_SIZE = 1 << 20, /* more than any frame of a server */
	EVENTS = 512,
	RESERVED_FDS = 32
};

#define OFFER "Sec-WebSocket-Extensions: permessage-deflate\r\n"

int load_init(struct load *load)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &load->signals };
	struct rlimit limit;
	sigset_t signals;

	if (!load->dialect)
		load->dialect = dialect_find("parley");
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* else with fewer */
	}
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	load->buffer = malloc(BUFFER_SIZE);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->signals = signalfd(-1, &signals, SFD_CLOEXEC);
	if (!load->buffer ||
	    (load->deflate && inflater_new(BUFFER_SIZE, &load->inflater)))
		return -ENOMEM;
	if (load->epoll < 0 || load->signals < 0 ||
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->signals, &event) < 0)
		return -errno;
	return 0;
}

void load_release(struct load *load)
{
	inflater_free(load->inflater);
	free(load->buffer);
	(void)close(load->signals);
	(void)close(load->epoll);
}

void load_begin(struct load *load, const struct load_events *on, void *mode)
{
	load->on = on;
	load->mode = mode;
}

unsigned load_links_max(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) ? 1
						: (unsigned)limit.rlim_cur - RESERVED_FDS;
}

uint64_t load_cpu_ms(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

uint64_t load_now_ms(void)
{
	return clock_mono_ns() / MS_NS;
}

/* ---- what is said ----------------------------------------------------------------- */

uint64_t load_number(const char *text, size_t len, const char *name)
{
	const char *at = memmem(text, len, name, strlen(name));
	uint64_t number = 0;

	if (!at)
		return 0;
	for (at += strlen(name); at < text + len && *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	return number;
}

bool load_op_is(const char *text, size_t len, const char *op)
{
	size_t n = strlen(op);

	/* The server's messages begin with their op. */
	return len > n + 8 && !memcmp(text, "{\"op\":\"", 7) &&
	       !memcmp(text + 7, op, n) && text[7 + n] == '"';
}

void load_join(struct load_link *link, const char *room)
{
	char text[256], since[40] = "";
	int len;

	if (link->resumes)
		(void)snprintf(since, sizeof(since), "\"since\":%lu,", link->seen);
	len = snprintf(text, sizeof(text),
		       "{\"op\":\"join\",\"room\":\"%s\",%s\"ref\":1}", room, since);

	load_send(link, text, (size_t)len);
	load_flush(link);
}

/* ---- links ------------------------------------------------------------------------ */

static void watch(struct load_link *link, int op)
{
	struct epoll_event event = { .events = (link->allowance ? EPOLLIN : 0) |
					       (link->out.len ? EPOLLOUT : 0),
				     .data.ptr = link };

	CHECK(!epoll_ctl(link->load->epoll, op, link->fd, &event));
}

int load_dial(struct load *load, struct load_link *link, unsigned number)
{
	const struct load_link was = *link;
	char request[1024], target[256];
	int fd = ws_dial(&load->to, load->from.len ? &load->from : NULL, true,
			 load->receive_bytes),
	    len;
	size_t at;

	if (fd < 0)
		return fd;
	*link = (struct load_link){
		.load = load,
		.fd = fd,
		.state = LOAD_DIALLING,
		.allowance = SIZE_MAX,
		.resumes = was.resumes,
		.seen = was.seen,
	};
	memcpy(link->session, was.session, sizeof(link->session));
	if (load->dialect->plain) {
		link->state = LOAD_OPEN;
		watch(link, EPOLL_CTL_ADD);
		load->on->opened(link);
		return 0;
	}
	load->dialect->target(target, sizeof(target), number, load->room);
	if (*link->session) {
		at = strlen(target);
		(void)snprintf(target + at, sizeof(target) - at, "&was=%s",
			       link->session);
	}
	len = ws_request(request, sizeof(request), load->to.host, target,
			 load->dialect->protocol, load->inflater ? OFFER : "");
	CHECK(len > 0);
	ws_bytes_add(&link->out, request, (size_t)len);
	watch(link, EPOLL_CTL_ADD);
	return 0;
}

void load_forget(struct load_link *link)
{
	ws_bytes_free(&link->rest);
	ws_bytes_free(&link->out);
	ws_bytes_free(&link->heard);
}

static void end(struct load_link *link, bool reset, enum load_end how)
{
	if (reset)
		ws_abort(link->fd);
	else
		(void)close(link->fd);
	link->state = LOAD_GONE;
	load_forget(link);
	link->load->on->ended(link, how);
}

void load_hang_up(struct load_link *link)
{
	end(link, false, LOAD_LEFT);
}

void load_reset(struct load_link *link)
{
	end(link, true, LOAD_LEFT);
}

/* The server ended it, or broke the protocol. */
static void lose(struct load_link *link)
{
	end(link, false,
	    link->state == LOAD_DIALLING  ? LOAD_REFUSED
	    : link->state == LOAD_LEAVING ? LOAD_LEFT
					  : LOAD_LOST);
}

void load_send(struct load_link *link, const char *text, size_t len)
{
	ws_frame_add(&link->out, FRAME_TEXT, text, len);
}

void load_flush(struct load_link *link)
{
	bool waited = link->out.len;

	if (link->state == LOAD_GONE) {
		ws_bytes_drop(&link->out, link->out.len);
		return;
	}
	/* An error is told by reading. */
	if (ws_flush(link->fd, &link->out) < 0)
		ws_bytes_drop(&link->out, link->out.len);
	if (waited || link->out.len)
		watch(link, EPOLL_CTL_MOD);
}

void load_close(struct load_link *link)
{
	link->state = LOAD_LEAVING;
	ws_close_add(&link->out, CLOSE_NORMAL, "");
	load_flush(link);
}

void load_allow(struct load_link *link, size_t len)
{
	bool changes = !link->allowance != !len;

	link->allowance = len;
	if (changes && link->state != LOAD_GONE)
		watch(link, EPOLL_CTL_MOD);
}

/* The first thing that a server says. */
static void read_session(struct load_link *link, const char *text, size_t len)
{
	static const char name[] = "\"session\":\"";
	const char *at = memmem(text, len, name, sizeof(name) - 1), *end;

	if (!at)
		return;
	at += sizeof(name) - 1;
	end = memchr(at, '"', (size_t)(text + len - at));
	if (end && (size_t)(end - at) < sizeof(link->session))
		(void)snprintf(link->session, sizeof(link->session), "%.*s",
			       (int)(end - at), at);
}

static void on_frame(struct load_link *link, const struct ws_frame *frame)
{
	if (frame->opcode == FRAME_TEXT || frame->opcode == FRAME_BINARY) {
		if (load_op_is((const char *)frame->payload, frame->len, "welcome"))
			read_session(link, (const char *)frame->payload, frame->len);
		link->load->on->message(link, (const char *)frame->payload, frame->len);
	} else if (frame->opcode == FRAME_PING && link->state == LOAD_OPEN) {
		ws_frame_add(&link->out, FRAME_PONG, frame->payload, frame->len);
		load_flush(link);
	} else if (frame->opcode == FRAME_CLOSE && link->state == LOAD_OPEN) {
		link->state = LOAD_CLOSED;
		if (frame->len >= 2)
			link->close_code = (unsigned)frame->payload[0] << 8 |
					   frame->payload[1];
		ws_frame_add(&link->out, FRAME_CLOSE, frame->payload,
			     frame->len < 2 ? 0 : 2);
		load_flush(link);
	}
}

static int restore(struct load *load, struct ws_frame *frame)
{
	return load->inflater ? inflater_run(load->inflater, frame->payload, frame->len,
					     &frame->payload, &frame->len)
			      : -EPROTO;
}

/* Takes what is whole. Returns how much that is, or -EPROTO. */
static ssize_t take(struct load_link *link, const uint8_t *data, size_t len)
{
	struct ws_frame frame;
	size_t at = 0;
	ssize_t n;

	if (link->state == LOAD_DIALLING) {
		int status = ws_answer(data, len, &at);

		if (status != 101)
			return status ? -EPROTO : 0;
		link->state = LOAD_OPEN;
		link->load->on->opened(link);
	}
	if (link->load->dialect->plain) {
		link->load->on->message(link, (const char *)data, len);
		return (ssize_t)len;
	}
	while (link->state != LOAD_GONE) {
		n = ws_frame_read(data + at, len - at, &frame);
		if (n > 0 && frame.compressed && restore(link->load, &frame) < 0)
			n = -EPROTO;
		if (n < 0)
			return n;
		if (!n)
			break;
		on_frame(link, &frame);
		at += (size_t)n;
	}
	return (ssize_t)at;
}

static void on_readable(struct load_link *link)
{
	uint8_t *buffer = link->load->buffer;
	size_t len = link->rest.len, room = BUFFER_SIZE - len;
	ssize_t n;

	/* Woken without anything to read for us: it was reset. */
	if (!room || !link->allowance) {
		lose(link);
		return;
	}
	if (len)
		memcpy(buffer, link->rest.at, len);
	room = room < link->allowance ? room : link->allowance;
	n = recv(link->fd, buffer + len, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lose(link);
		return;
	}
	ws_bytes_drop(&link->rest, len);
	if (link->allowance != SIZE_MAX) {
		link->allowance -= (size_t)n;
		watch(link, EPOLL_CTL_MOD);
	}
	len += (size_t)n;
	n = take(link, buffer, len);
	if (link->state == LOAD_GONE)
		return;
	if (n < 0)
		lose(link);
	else if ((size_t)n < len)
		ws_bytes_add(&link->rest, buffer + n, len - (size_t)n);
}

void load_turn(struct load *load, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(load->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++) {
		struct load_link *link = events[i].data.ptr;

		if (events[i].data.ptr == &load->signals) {
			load->stop = true;
		} else if (events[i].data.ptr == load) {
			load_read_stdin(load);
		} else if (link->state != LOAD_GONE) {
			if (events[i].events & EPOLLOUT)
				load_flush(link);
			if (events[i].events & ~(uint32_t)EPOLLOUT)
				on_readable(link);
		}
	}
}
