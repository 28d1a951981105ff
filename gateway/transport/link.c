#include "gateway/transport/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <utlist.h>

#include "common/check.h"
#include "common/clock.h"

enum {
	RUN_BYTES = 262144,  /* most that is taken from the chat for one write */
	GATHER_BYTES = 4096, /* copying so much costs less than a write of its own */
	END_LOOK_MS = 10000, /* how often a token's end is looked at */
};

/* ---- states ---- */

static const enum counter gauge_of[LINK_STATE_COUNT] = {
	[LINK_HANDSHAKING] = COUNTER_links_handshaking,
	[LINK_OPEN] = COUNTER_links_active,
	[LINK_CANARY] = COUNTER_links_canary,
	[LINK_CLOSING] = COUNTER_links_closing,
};

static void publish(struct transport *t, enum link_state state)
{
	counter_set(t->slot, gauge_of[state], t->n_links[state]);
	if (state == LINK_OPEN)
		counter_set(t->slot, t->limits.tls ? COUNTER_links_wss : COUNTER_links_ws,
			    t->n_links[state]);
}

void link_move(struct link *link, enum link_state state)
{
	struct transport *t = link->transport;

	if (link->state != LINK_STATE_COUNT) {
		DL_DELETE(t->links[link->state], link);
		t->n_links[link->state]--;
		publish(t, link->state);
	}
	link->state = (uint8_t)state;
	if (state != LINK_STATE_COUNT) {
		DL_APPEND(t->links[state], link);
		t->n_links[state]++;
		publish(t, state);
	}
}

void link_set_timer(struct link *link, uint64_t after_ms)
{
	CHECK(!link->doomed);
	wheel_arm(&link->transport->wheel, &link->timer,
		  uv_now(link->transport->loop) + after_ms);
}

static void send_all(struct link *link, const void *first, size_t first_len);

void link_open(struct link *link, const struct handshake *handshake, const char *answer,
	       size_t answer_len)
{
	struct transport *t = link->transport;

	link->upgraded = true;
	link->reader.deflate = handshake->deflate.taken;
	if (handshake->deflate.taken)
		counter_add(t->slot, COUNTER_deflate_links, 1);
	link_move(link, handshake->canary ? LINK_CANARY : LINK_OPEN);
	counter_add(t->slot,
		    handshake->canary ? COUNTER_canary_opened : COUNTER_links_opened, 1);
	if (!handshake->canary)
		transport_record(t, EVENT_opened, t->n_links[LINK_OPEN], 0);
	link->quiet_ms = (uint32_t)uv_now(t->loop);
	link->ends_ms = handshake->ends_ms;
	link_on_timer(link); /* arms it */
	link->conn = t->events.opened(t->events.app, link, handshake);
	if (!link->conn)
		link_close(link, CLOSE_TRY_LATER, "out of memory");
	send_all(link, answer, answer_len);
}

static void set_slow(struct link *link, bool slow)
{
	struct transport *t = link->transport;

	if (link->slow == slow)
		return;
	link->slow = slow;
	t->n_slow += slow ? 1 : -1u;
	counter_set(t->slot, COUNTER_links_slow, t->n_slow);
}

/* From open to closing, whatever the reason: the one place where the chat loses it. */
static void leave(struct link *link, enum counter reason)
{
	struct transport *t = link->transport;
	bool canary = link->state == LINK_CANARY;

	CHECK(link_is_open(link));
	set_slow(link, false);
	link_move(link, LINK_CLOSING);
	if (!canary) {
		counter_add(t->slot, reason, 1);
		transport_record(t, EVENT_closed, reason, t->n_links[LINK_OPEN]);
	}
	if (link->conn)
		t->events.closed(link->conn);
	link->conn = NULL;
}

/* ---- closing ---- */

static void write_bytes(struct link *link, const void *data, size_t len)
{
	/* A dead socket closes by itself: the rest follows from that. */
	if (socket_write(link->socket, data, len) == 0)
		counter_add(link->transport->slot, COUNTER_bytes_out, len);
}

void link_finish(struct link *link)
{
	if (link->state != LINK_CLOSING)
		link_move(link, LINK_CLOSING);
	link_set_timer(link, link->transport->limits.close_timeout_ms);
	link->ends_when_sent = socket_behind(link->socket);
	if (!link->ends_when_sent)
		socket_finish(link->socket);
}

static enum counter reason_of(uint16_t code)
{
	switch (code) {
	case CLOSE_TOO_BIG: return COUNTER_closed_too_big;
	case CLOSE_PROTOCOL:
	case CLOSE_UNSUPPORTED:
	case CLOSE_BAD_DATA: return COUNTER_closed_protocol;
	case CLOSE_SLOW_READER: return COUNTER_closed_slow;
	case CLOSE_GOING_AWAY: return COUNTER_closed_drain;
	case CLOSE_EXPIRED: return COUNTER_closed_expired;
	default: return COUNTER_closed_policy;
	}
}

/* We close first: Close goes out, the peer's is awaited for a while. */
static void say_close(struct link *link, uint16_t code, const char *reason)
{
	uint8_t frame[FRAME_CLOSE_MAX];

	leave(link, reason_of(code));
	write_bytes(link, frame, frame_close(frame, code, reason));
	link_set_timer(link, link->transport->limits.close_timeout_ms);
}

/* Out of the list of the doomed: its timer is one again. */
static void undoom(struct link *link)
{
	DL_DELETE2(link->transport->doomed, link, doomed_prev, doomed_next);
	link->timer = (struct wheel_timer){ 0 };
	link->doomed = false;
}

void link_close_now(struct link *link)
{
	const char *reason = link->close_reason;

	undoom(link);
	if (link_is_open(link))
		say_close(link, link->close_code, reason);
}

void link_close(struct link *link, uint16_t code, const char *reason)
{
	CHECK_OBJ(link, LINK_MAGIC);
	if (link->doomed || !link_is_open(link))
		return;
	wheel_cancel(&link->transport->wheel, &link->timer);
	link->doomed = true;
	link->close_code = code;
	link->close_reason = reason;
	DL_APPEND2(link->transport->doomed, link, doomed_prev, doomed_next);
}

/* The peer closes: its code goes back, and the stream ends. */
static void answer_close(struct link *link, uint16_t code)
{
	uint8_t frame[FRAME_CLOSE_MAX];

	if (link_is_open(link)) {
		leave(link, COUNTER_closed_normal);
		write_bytes(link, frame, frame_close(frame, code, ""));
	}
	link_finish(link);
}

void link_on_closed(struct link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	if (link_is_open(link))
		leave(link, COUNTER_closed_lost);
	if (!link->heard && !socket_is_open(link->socket))
		counter_add(link->transport->slot, COUNTER_tls_failed, 1);
	if (link->doomed)
		undoom(link);
	link_move(link, LINK_STATE_COUNT);
	wheel_cancel(&link->transport->wheel, &link->timer);
	http_side_stop(link);
	frame_reader_release(&link->reader);
	free(link->pong);
	transport_forget(link);
	link->magic = 0;
}

/* ---- reading ---- */

/* A peer that is behind gets only its newest ping answered (RFC 6455 5.5.3). */
static void answer_ping(struct link *link, const uint8_t *data, size_t len)
{
	uint8_t frame[FRAME_HEAD_MAX + 125];
	unsigned head = frame_head(frame, FRAME_PONG, len);

	memcpy(frame + head, data, len);
	if (!socket_behind(link->socket)) {
		write_bytes(link, frame, head + len);
		return;
	}
	free(link->pong);
	link->pong = malloc(head + len);
	link->pong_len = (uint16_t)(head + len);
	if (link->pong)
		memcpy(link->pong, frame, head + len);
}

static void take(struct link *link, const struct frame_in *in)
{
	switch (in->event) {
	case FRAME_MESSAGE:
		if (in->text)
			link->transport->events.message(link->conn,
							(const char *)in->data, in->len);
		else
			link_close(link, CLOSE_UNSUPPORTED,
				   "only text messages are spoken");
		break;
	case FRAME_GOT_PING: answer_ping(link, in->data, in->len); break;
	case FRAME_GOT_CLOSE: answer_close(link, in->code); break;
	case FRAME_BREACH:
		/* Nothing more is understood, the peer's Close included: no waiting. */
		say_close(link, in->code, in->reason);
		link_finish(link);
		break;
	case FRAME_GOT_PONG:
	case FRAME_MORE: break;
	}
}

void link_read_frames(struct link *link, uint8_t *data, size_t len)
{
	struct transport *t = link->transport;
	uint32_t n_before = link->reader.n_frames;
	struct frame_in in;

	link->quiet_ms = (uint32_t)uv_now(t->loop);
	link->ping_unanswered = false;
	do {
		size_t used;

		frame_read(&link->reader, t->limits.message_max, data, len, &used, &in);
		data += used;
		len -= used;
		if (in.compressed && link_is_open(link) && !link->doomed)
			link_inflate(link, &in);
		if (link_is_open(link) && !link->doomed)
			take(link, &in);
		else if (in.event == FRAME_GOT_CLOSE && link->state == LINK_CLOSING)
			link_finish(link);
	} while (in.event != FRAME_MORE);
	counter_add(t->slot, COUNTER_frames_in, link->reader.n_frames - n_before);
}

/* ---- writing ---- */

/* What the chat has for it next; 0: nothing now. */
static size_t next(struct link *link, const uint8_t **ret_data)
{
	if (!link_is_open(link) || link->doomed || socket_behind(link->socket))
		return 0;
	return link->transport->events.next(link->conn, RUN_BYTES, ret_data);
}

/* What comes first, and all that the chat has: short runs in one write. */
static void send_all(struct link *link, const void *first, size_t first_len)
{
	uint8_t gathered[GATHER_BYTES];
	size_t n = first_len, len;

	CHECK(first_len <= sizeof gathered);
	if (first_len)
		memcpy(gathered, first, first_len);
	do {
		const uint8_t *data;

		len = next(link, &data);
		if (len && len <= sizeof gathered - n) {
			memcpy(gathered + n, data, len);
			n += len;
			continue;
		}
		if (n)
			write_bytes(link, gathered, n);
		if (len)
			write_bytes(link, data, len);
		n = 0;
	} while (len);
	set_slow(link, link_is_open(link) && socket_behind(link->socket));
}

void link_wants_to_send(struct link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	send_all(link, NULL, 0);
}

void link_on_writeable(struct link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	if (link->ends_when_sent) {
		link_finish(link);
	} else if (link->state == LINK_HANDSHAKING) {
		http_side_resume(link);
	} else {
		if (link->pong && link_is_open(link))
			write_bytes(link, link->pong, link->pong_len);
		free(link->pong);
		link->pong = NULL;
		link_wants_to_send(link);
	}
}

/* ---- time ---- */

/* How long it may still be silent. */
static uint64_t silence_left(const struct link *link)
{
	const struct transport *t = link->transport;
	uint32_t silent_ms = (uint32_t)uv_now(t->loop) - link->quiet_ms;
	uint64_t may_ms = link->ping_unanswered ? t->limits.ping_timeout_ms
						: t->limits.ping_interval_ms;

	return silent_ms < may_ms ? may_ms - silent_ms : 0;
}

static void ping(struct link *link)
{
	uint8_t frame[FRAME_HEAD_MAX];

	if (!socket_behind(link->socket))
		write_bytes(link, frame, frame_head(frame, FRAME_PING, 0));
	counter_add(link->transport->slot, COUNTER_pings_out, 1);
	link->ping_unanswered = true;
	link->quiet_ms = (uint32_t)uv_now(link->transport->loop);
}

/* One timer for silence and token's end, measured when it fires, not at every byte. The
 * token ends by the wall clock, which may be set or jump: hence the looks before. */
static void watch(struct link *link)
{
	uint64_t wait_ms = silence_left(link);
	int64_t left_ms = link->ends_ms ? link->ends_ms - clock_wall_ms() : INT64_MAX;

	if (left_ms <= 0) {
		link_close(link, CLOSE_EXPIRED, "the token has expired");
		return;
	}
	if (!wait_ms && link->ping_unanswered) {
		leave(link, COUNTER_closed_timeout);
		socket_kill(link->socket);
		return;
	}
	if (!wait_ms)
		ping(link);
	/* Should it answer at once, the next one is due that soon. */
	wait_ms = MIN(silence_left(link), link->transport->limits.ping_interval_ms);
	if (link->ends_ms)
		wait_ms = MIN(MIN(wait_ms, END_LOOK_MS), (uint64_t)left_ms);
	link_set_timer(link, wait_ms);
}

void link_on_timer(struct link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	switch (link->state) {
	case LINK_HANDSHAKING: http_side_timeout(link); break;
	case LINK_OPEN:
	case LINK_CANARY: watch(link); break;
	case LINK_CLOSING: socket_kill(link->socket); break;
	default: CHECK(!"a link in no list has no timer");
	}
}
