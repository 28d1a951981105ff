#include "tests/tools/ws.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/settings.h"
#include "gateway/wire/frame.h"

/* The key of RFC 6455 1.3, and what it is answered with. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

void ws_bytes_add(struct ws_bytes *bytes, const void *data, size_t len)
{
	if (bytes->len + len > bytes->size) {
		bytes->size = (bytes->len + len) * 2;
		bytes->at = realloc(bytes->at, bytes->size);
		CHECK(bytes->at);
	}
	if (len)
		memcpy(bytes->at + bytes->len, data, len);
	bytes->len += len;
}

void ws_bytes_free(struct ws_bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct ws_bytes){ .len = 0 };
}

void ws_bytes_drop(struct ws_bytes *bytes, size_t len)
{
	bytes->len -= len;
	if (bytes->len)
		memmove(bytes->at, bytes->at + len, bytes->len);
	else
		ws_bytes_free(bytes);
}

int ws_address(const char *text, struct ws_address *ret_address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	char host[256], port_text[8];
	uint16_t port;
	int r = settings_address(text, host, sizeof(host), &port);

	if (r < 0)
		return r;
	(void)snprintf(port_text, sizeof(port_text), "%u", port);
	if (getaddrinfo(host, port_text, &hints, &found))
		return -ENOENT;
	memcpy(&ret_address->at, found->ai_addr, found->ai_addrlen);
	ret_address->len = found->ai_addrlen;
	freeaddrinfo(found);
	(void)snprintf(ret_address->host, sizeof(ret_address->host), "%s", text);
	return 0;
}

int ws_dial(const struct ws_address *to, const struct ws_address *from, bool nonblocking,
	    int receive_bytes)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
	int one = 1, fd = socket(to->at.ss_family, type, 0), r;

	if (fd < 0)
		return -errno;
	/* Only speed hangs on it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Before connecting, or the window is larger already. */
	if (receive_bytes)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
				 sizeof(receive_bytes));
	if (from)
		/* The port is chosen by where it connects to, so that there are enough.
		 */
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
				 sizeof(one));
	if ((!from || !bind(fd, (const struct sockaddr *)&from->at, from->len)) &&
	    (!connect(fd, (const struct sockaddr *)&to->at, to->len) ||
	     errno == EINPROGRESS))
		return fd;
	r = -errno;
	(void)close(fd);
	return r;
}

int ws_request(char *out, size_t size, const char *host, const char *target,
	       const char *protocol, const char *headers)
{
	int len = snprintf(out, size,
			   "GET %s HTTP/1.1\r\n"
			   "Host: %s\r\n"
			   "Upgrade: websocket\r\n"
			   "Connection: Upgrade\r\n"
			   "Sec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Key: " KEY "\r\n"
			   "%s%s%s%s\r\n",
			   target, host, protocol ? "Sec-WebSocket-Protocol: " : "",
			   protocol ? protocol : "", protocol ? "\r\n" : "", headers);

	return (size_t)len < size ? len : -ENOSPC;
}

int ws_answer(const uint8_t *data, size_t len, size_t *ret_used)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	int status;

	if (!end)
		return 0;
	if (len < 13 || memcmp(data, "HTTP/1.1 ", 9) != 0)
		return -EPROTO;
	*ret_used = (size_t)(end + 4 - (const char *)data);
	status = (data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0');
	if (status == 101 && !memmem(data, *ret_used, "Accept: " ACCEPT "\r\n", 38))
		return -EPROTO;
	return status;
}

ssize_t ws_frame_read(const uint8_t *data, size_t len, struct ws_frame *ret_frame)
{
	unsigned head = 2;
	uint64_t n;

	if (len < 2)
		return 0;
	if (!(data[0] & 0x80) || data[0] & 0x30 || data[1] & 0x80)
		return -EPROTO;
	if (data[0] & FRAME_RSV1 && (data[0] & 15) != FRAME_TEXT)
		return -EPROTO;
	n = data[1];
	if (n >= 126) {
		head += n == 126 ? 2 : 8;
		if (len < head)
			return 0;
		n = 0;
		for (unsigned i = 2; i < head; i++)
			n = n << 8 | data[i];
		if (n > (uint64_t)SSIZE_MAX - head || n < (head == 4 ? 126 : 65536))
			return -EPROTO;
	}
	if (len - head < n)
		return 0;
	*ret_frame = (struct ws_frame){ .opcode = data[0] & 15,
					.compressed = data[0] & FRAME_RSV1,
					.payload = data + head,
					.len = (size_t)n };
	return (ssize_t)(head + n);
}

void ws_frame_add(struct ws_bytes *bytes, unsigned opcode, const void *payload,
		  size_t len)
{
	static const uint8_t mask[4] = { 0x5a, 0xc3, 0x0f, 0x96 };
	uint8_t head[FRAME_HEAD_MAX];
	unsigned head_len = frame_head(head, (enum frame_opcode)opcode, len);
	size_t at;

	head[1] |= 0x80;
	ws_bytes_add(bytes, head, head_len);
	ws_bytes_add(bytes, mask, sizeof(mask));
	at = bytes->len;
	ws_bytes_add(bytes, payload, len);
	for (size_t i = 0; i < len; i++)
		bytes->at[at + i] ^= mask[i & 3];
}

void ws_close_add(struct ws_bytes *bytes, unsigned code, const char *reason)
{
	uint8_t payload[125] = { (uint8_t)(code >> 8), (uint8_t)code };
	size_t len = strnlen(reason, sizeof(payload) - 2);

	memcpy(payload + 2, reason, len);
	ws_frame_add(bytes, FRAME_CLOSE, payload, 2 + len);
}

int ws_flush(int fd, struct ws_bytes *bytes)
{
	size_t at = 0;
	ssize_t n = 0;

	while (at < bytes->len && n >= 0) {
		n = send(fd, bytes->at + at, bytes->len - at,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		at += n > 0 ? (size_t)n : 0;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	ws_bytes_drop(bytes, at);
	return 0;
}

void ws_abort(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	(void)close(fd);
}
