/*
 * ws - the client's side of RFC 6455 for test tools: addresses, handshakes, frames.
 *
 * Strict about what a server sends, and open about what is sent to it: frames are
 * made as asked for, right or wrong.
 */
#ifndef WS_H
#define WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Bytes that grow; zeroed is ready. */
struct ws_bytes {
	uint8_t *at;
	size_t len, size;
};
void ws_bytes_add(struct ws_bytes *bytes, const void *data, size_t len);
void ws_bytes_free(struct ws_bytes *bytes);
/* Drops the first `len`; gives the memory back when none are left. */
void ws_bytes_drop(struct ws_bytes *bytes, size_t len);

struct ws_address {
	struct sockaddr_storage at;
	socklen_t len;
	char host[300]; /* as in the Host header */
};

/* "host:port". -EINVAL; -ENOENT when the name is unknown. */
int ws_address(const char *text, struct ws_address *ret_address);

/* A socket that connects, from there unless NULL, non-blocking if asked (then
 * -EINPROGRESS is no failure), with this receive buffer unless 0. TCP_NODELAY is set. The
 * descriptor, or a negative errno.
 */
int ws_dial(const struct ws_address *to, const struct ws_address *from, bool nonblocking,
	    int receive_bytes);

/* The handshake, with this subprotocol or none (NULL); `headers` are whole lines, "" for
 * none. Length or -ENOSPC. */
int ws_request(char *out, size_t size, const char *host, const char *target,
	       const char *protocol, const char *headers);

/* Reads the answer: its status, 0 when it is not whole yet, -EPROTO when it is no
 * answer or a 101 without the right Sec-WebSocket-Accept. */
int ws_answer(const uint8_t *data, size_t len, size_t *ret_used);

struct ws_frame {
	unsigned opcode;
	const uint8_t *payload; /* within the data that was read */
	size_t len;
	bool compressed; /* only who has agreed to it may be sent that */
};

/* Reads one frame: its length with header, 0 when it is not whole yet, -EPROTO when
 * a server must not send it. Fragments count as that: Parley sends none. */
ssize_t ws_frame_read(const uint8_t *data, size_t len, struct ws_frame *ret_frame);

/* Adds a masked, final frame. */
void ws_frame_add(struct ws_bytes *bytes, unsigned opcode, const void *payload,
		  size_t len);
void ws_close_add(struct ws_bytes *bytes, unsigned code, const char *reason);

/* Sends what the socket takes, without waiting. 0 or a negative errno; what is left
 * stays in `bytes`. */
int ws_flush(int fd, struct ws_bytes *bytes);

/* Closes so that the peer gets a reset. */
void ws_abort(int fd);

#endif
